#!/usr/bin/env python3
"""Sends the requests of scenarios/*.toml by curl, as the vendor's examples do, and judges every answer.

    run.py [SCENARIO]...        all of them, unless some are named

The server is told by the environment, as to all suites: CLAVIGER_URL and the first credentials. Where
CLAVIGER_BASE_DOMAIN names the domain under which orgs are told apart, each scenario gets an org and a subdomain of its
own; curl is led to CLAVIGER_ADDRESS (host:port), whatever the host of a request, and trusts CLAVIGER_CA. Passwords are
set by CLAVIGER_PROGRAM, the server's own, with its data directory CLAVIGER_DATA.

A scenario is a list of exchanges. `curl` is a command line, `status`, `headers` and `body` are what must come back: the
body to the last member and in that order, of the headers those that are named ("" means that there is none) and the
content type. In them may stand:

  ${name}                a value known by now: base, host, domain, org, email, api_key, application_key, api_token,
                         no_admins_token, integration, other, 4KiB, 64KiB, those of the exchange's case, and what
                         answers brought
  "<form name>"          in an answer: something of this form (see FORMS), which is the same wherever that name stands
  "<time new > old>"     a time later than the one kept as `old`
  "<...>"                in a list: whatever is there

`cases` sends the exchange once for each of its tables of values; `until` sends it again until that status comes.

A file's `secrets` must be in no answer. `for = "subdomains"` and `for = "one org"` say that a scenario is about one way of
telling orgs apart; `orgs = 2` gives it another org, whose names begin with `their_`; `person = true` gives it an admin who
has a password: person, address, password, role, admins_permission, and the name of the session's cookie. What stands in
prepare.toml comes first, unless a file says `prepare = false`.

Every expectation is tried on the judge as well: altered in any one place, it must be refused.
"""
import os
import re
import shlex
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is built beside the sources
from judge import Wrong, filled, judge, try_judge
from server import Server

HERE = Path(__file__).resolve().parent
# A minute's window may end while it is being used up.
REPEATS_MAX = 300
# Scenarios at once: curl and the server both wait, for the disk and for each other.
AT_ONCE = 4


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
    if scenario.get("person"):
        names |= server.person(names)
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
    if not server.program:
        print("without CLAVIGER_PROGRAM and CLAVIGER_DATA, nobody gets a password: skipped what needs one")
        paths = [path for path in paths if not exchanges_of(path).get("person")]

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
