#!/usr/bin/env python3
"""Sends the requests of scenarios/*.toml by curl, as the vendor's examples do, and judges every answer.

    run.py [SCENARIO]...        all of them, unless some are named

The server is told by the environment, as to all suites: CLAVIGER_URL and the first credentials. Where
CLAVIGER_BASE_DOMAIN names the domain under which orgs are told apart, each scenario gets an org and a subdomain of its
own; curl is led to CLAVIGER_ADDRESS (host:port), whatever the host of a request, and trusts CLAVIGER_CA.

A scenario is a list of exchanges. `curl` is a command line, `status`, `headers` and `body` are what must come back: the
body to the last member and in that order, of the headers those that are named ("" means that there is none) and the
content type. In them may stand:

  ${name}                a value known by now: base, host, domain, email, api_token, no_admins_token, integration,
                         other, 4KiB, 64KiB, those of the exchange's case, and what answers brought
  "<form name>"          in an answer: something of this form (see FORMS), which is the same wherever that name stands
  "<time new > old>"     a time later than the one kept as `old`
  "<...>"                in a list: whatever is there

`cases` sends the exchange once for each of its tables of values; `until` sends it again until that status comes. A file's
`secrets` must be in no answer. `for = "subdomains"` and `for = "one org"` say that a scenario is about one way of telling
orgs apart; `orgs = 2` gives it another org, whose names begin with `their_`. What stands in prepare.toml comes first,
unless a file says `prepare = false`.

Every expectation is tried on the judge as well: altered in any one place, it must be refused.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is built beside the sources
from judge import Wrong, filled, judge, try_judge

HERE = Path(__file__).resolve().parent
# A minute's window may end while it is being used up.
REPEATS_MAX = 300
# Scenarios at once: curl and the server both wait, for the disk and for each other.
AT_ONCE = 4


# ------------------------------------------------------------------------------------------------- the client


class Server:
    """Where the server is, and how to be somebody there."""

    def __init__(self, environment):
        self.url = environment["CLAVIGER_URL"].rstrip("/")
        self.domain = environment.get("CLAVIGER_BASE_DOMAIN")
        self.keys = (environment["CLAVIGER_API_KEY"], environment["CLAVIGER_APPLICATION_KEY"])
        self.email = environment["CLAVIGER_EMAIL"]
        # No proxy of the environment, and brackets in a URL mean themselves.
        self.options = ["--silent", "--show-error", "--globoff", "--noproxy", "*", "--max-time", "30"]
        if address := environment.get("CLAVIGER_ADDRESS"):
            self.options += ["--connect-to", f"::{address}"]
        if authority := environment.get("CLAVIGER_CA"):
            self.options += ["--cacert", authority]

    def curl(self, words):
        """The status, the headers by their names in lower case, and the body of curl's answer."""
        with tempfile.TemporaryDirectory() as folder:
            head, content = Path(folder, "head"), Path(folder, "content")
            content.touch()
            command = ["curl", *self.options, "--dump-header", head, "--output", content, *words]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise Wrong(f"curl ended with {done.returncode}: {done.stderr.strip()}")
            # What was said before the answer itself, as `100 Continue`, stands in blocks of its own.
            lines = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")
            pairs = [line.split(":", 1) for line in lines[1:]]
            headers = {name.strip().lower(): value.strip() for name, value in pairs}
            return int(lines[0].split()[1]), headers, content.read_bytes().decode()

    def native(self, method, path, body, keys):
        """Asks for something that scenarios need and that is not the vendor's."""
        headers = [f"DD-API-KEY: {keys[0]}", f"DD-APPLICATION-KEY: {keys[1]}", "Content-Type: application/json"]
        words = [word for header in headers for word in ("-H", header)]
        status, _, text = self.curl([self.url + path, "-X", method, *words, "-d", json.dumps(body)])
        if status not in (200, 201):
            raise Wrong(f"{method} {path} is answered with {status}: {text}")
        return json.loads(text)

    def place(self):
        """Where a scenario plays, as whom: the only org, or one of its own."""
        mark = uuid.uuid4().hex[:12]
        names = {"base": self.url, "host": "", "domain": self.domain, "email": self.email, "4KiB": "x" * 4096, "64KiB": "x" * 65_536}
        keys = self.keys
        if self.domain:
            names |= {"email": f"{mark}@example.com", "host": f"c{mark}.{self.domain}"}
            names["base"] = f"https://{names['host']}"
            made = self.native("POST", "/claviger/v1/orgs", {"name": mark, "admin_email": names["email"]}, keys)
            path = f"/claviger/v1/orgs/{made['org']['id']}"
            self.native("PATCH", path, {"subdomain": f"c{mark}"}, keys)
            keys = (made["api_key"]["secret"], made["application_key"]["secret"])
        scopes = {
            "api_token": ["org_management", "connections_read", "connections_write"],
            "no_admins_token": ["connections_read", "connections_write"],
        }
        for name, allowed in scopes.items():
            names[name] = self.personal_access_token(f"{name} {mark}", allowed, keys)
        return names | {"integration": f"mine_{mark}", "other": f"other_{mark}"}

    def personal_access_token(self, name, scopes, keys):
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2 * 86_400))
        attributes = {"name": name, "scopes": scopes, "expires_at": end}
        body = {"data": {"type": "personal_access_tokens", "attributes": attributes}}
        return self.native("POST", "/api/v2/personal_access_tokens", body, keys)["data"]["attributes"]["key"]


# ------------------------------------------------------------------------------------------------- scenarios


def exchanges_of(path):
    with open(path, "rb") as file:
        scenario = tomllib.load(file)
    for exchange in scenario["exchange"]:
        exchange.setdefault("headers", {})
        exchange.setdefault("body", "")
    return scenario


def send(server, exchange, case, names):
    # A case's values may bring several words; all others are within one, whatever they hold.
    line = re.sub(r"\$\{(\w+)\}", lambda match: case.get(match[1], match[0]), exchange["curl"])
    words = shlex.split(line.replace("\\\n", " "))
    if words[0] != "curl":
        raise Wrong("an exchange begins with curl")
    words = [filled(word, names) for word in words[1:]]
    answer = server.curl(words)
    tries = 1
    while exchange.get("until", answer[0]) != answer[0] and tries < REPEATS_MAX:
        answer, tries = server.curl(words), tries + 1
    return answer


def play(server, path):
    """How many exchanges the scenario has had, and how many altered ones the judge has refused."""
    scenario = exchanges_of(path)
    names = server.place()
    if scenario.get("orgs") == 2:
        names |= {f"their_{name}": value for name, value in server.place().items()}
    prepared = exchanges_of(HERE / "prepare.toml")["exchange"] if scenario.get("prepare", True) else []
    count = refused = 0
    for exchange in prepared + scenario["exchange"]:
        for case in exchange.get("cases", [{}]):
            known = names | {name: filled(value, names) for name, value in case.items()}
            before = dict(known)
            try:
                answer = send(server, exchange, case, known)
                judge(exchange, answer, known)
                told = str(answer)
                for secret in scenario.get("secrets", []):
                    if secret in told:
                        raise Wrong(f"the answer tells {secret}: {told}")
                refused += try_judge(exchange, answer, before)
            except Wrong as wrong:
                shown = f" ({', '.join(case.values())})" if case else ""
                raise Wrong(f"{path.stem}: {exchange['about']}{shown}: {wrong}") from None
            names |= {name: value for name, value in known.items() if name not in case}
            count += 1
    return count, refused


def main(chosen):
    server = Server(os.environ)
    way = "subdomains" if server.domain else "one org"
    paths = [path for path in sorted(HERE.glob("scenarios/*.toml")) if not chosen or path.stem in chosen]
    paths = [path for path in paths if exchanges_of(path).get("for", way) == way]

    def outcome(path):
        try:
            return play(server, path)
        except Wrong as wrong:
            print(f"FAILED {wrong}", flush=True)
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(outcome, paths))
    passed = [outcome for outcome in outcomes if outcome]
    count, refused = (sum(column) for column in zip((0, 0), *passed))
    failed = len(paths) - len(passed)
    print(f"{way}: {count} exchanges passed, {failed} scenarios failed; {refused} altered expectations refused")
    return 0 if count and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
