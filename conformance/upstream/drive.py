"""Drives a running server: makes a connection of each identity, and carries every call through the broker.

Before that it has each connection tested, which must say what the identity does. Then calls that come back full of their credentials: none of those may be in an answer.

The server must have been started with the settings that `config` prints, so that the services' names lead to the rig,
and with some public URL, so that it begins OAuth connections.
"""

import datetime
import json
import os

import requests

from upstream import actions, calls, flows, secrets, vouching
from upstream.journal import Sightings

SETTINGS = ("URL", "API_KEY", "APPLICATION_KEY", "EMAIL")
INTEGRATION = "rig_integration"
# What making integrations, their tokens and connections needs.
SCOPES = ["org_management", "connections_read", "connections_write", "connections_resolve"]
WAIT_MAX = 30
TOKEN_LIFE = datetime.timedelta(days=30)
# Services that answer 401 to a token that they gave and took back; AWS says 400 or 403.
RENEWED = ("AzureTenant", "GCPServiceAccount", "oauth")


class Driver:
    """One server, as its first admin."""

    def __init__(self, known, journal, ports, ca):
        self.known, self.journal, self.ports, self.ca = known, journal, ports, ca
        self.url, self.api_key, self.application_key, self.email = (os.environ[f"CLAVIGER_{name}"] for name in SETTINGS)
        self.keys = {"DD-API-KEY": self.api_key, "DD-APPLICATION-KEY": self.application_key}
        self.token = None
        # By which the integration's calls are checked.
        self.public_key = None
        self.session = requests.Session()
        self.session.trust_env = False

    def send(self, method, path, headers, body=None):
        """A request with its path as it is."""
        request = requests.Request(method, self.url, headers=headers, data=body).prepare()
        request.url = self.url.rstrip("/") + path
        return self.session.send(request, allow_redirects=False, timeout=WAIT_MAX)

    def made(self, method, path, headers, body):
        """What a request made, which must be made."""
        answer = self.send(method, path, headers | {"Content-Type": "application/json"}, json.dumps(body))
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def asked(self, request, headers):
        """The same, of a request that `secrets` gives."""
        method, path, body = request
        return self.made(method, path, headers, body)

    def token_of_integration(self):
        """Registers the integration, and gives a token that is bound to it."""
        end = datetime.datetime.now(datetime.timezone.utc) + TOKEN_LIFE
        attributes = {"name": "upstream", "scopes": SCOPES, "expires_at": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
        body = {"data": {"type": "personal_access_tokens", "attributes": attributes}}
        self.token = self.made("POST", "/api/v2/personal_access_tokens", self.keys, body)["data"]["attributes"]["key"]
        admin = {"Authorization": secrets.basic(f"{self.email}/token", self.token)}
        client = self.made("POST", f"/api/services/zis/registry/{INTEGRATION}", admin, {"description": "rig"})
        self.public_key = client["jwt_public_key"]
        origins = {"redirect_origins": [flows.APP]}
        bearer = {"Authorization": f"Bearer {self.token}"}
        self.made("PATCH", f"/claviger/v1/zis_integrations/{INTEGRATION}", bearer, origins)
        wanted = {"token": {"client_id": client["zendesk_oauth_client"]["id"], "scopes": ["read", "write"]}}
        return self.made("POST", "/api/v2/oauth/tokens", admin, wanted)["token"]["full_token"]

    def connect(self):
        """Makes a connection of each identity: their names in the broker's paths by type and variant, and failures."""
        zis = {"Authorization": f"Bearer {self.token_of_integration()}"}
        oauth = flows.Flows(self, flows.Browser(self.ports, self.ca), zis, INTEGRATION)
        made, failures = {}, []
        for one in self.known["identities"]:
            name = f"rig_{one['type']}_{one['variant']}"
            key, path = (one["type"], one["variant"]), f"zis:{INTEGRATION}:{name}"
            if one["type"] == "oauth":
                failure = self.consent(oauth, one, name)
                if failure:
                    failures.append(f"oauth {one['variant']}, the flow: {failure}")
                elif one["is_known"]:
                    made[key] = path
                continue
            is_zis = one["face"] == "zendesk"
            answer = self.asked(secrets.create_request(one, name, INTEGRATION), zis if is_zis else self.keys)
            made[key] = path if is_zis else answer["data"]["id"]
            if key == ("AWSAssumeRole", "good"):
                self.trust(answer["data"]["attributes"]["integration"]["credentials"])
        return made, failures

    def ids(self):
        """The ids of the connections that were made, by type and variant."""
        listed = self.send("GET", "/claviger/v1/connections?limit=100", self.keys).json()
        by_name = {one["name"]: one["id"] for one in listed["connections"]}
        assert len(by_name) == listed["total"], "more connections than a page"
        named = {(one["type"], one["variant"]): f"rig_{one['type']}_{one['variant']}" for one in self.known["identities"]}
        return {key: by_name[name] for key, name in named.items() if name in by_name}

    def test(self, expected, id):
        """Has a connection tested, and says what is wrong with what that says."""
        said = self.made("POST", f"/claviger/v1/connections/{id}/test", self.keys, None)
        return None if said["result"] == expected["is"] else f"{said} instead of {expected['is']}"

    def consent(self, oauth, one, name):
        """Makes an OAuth connection, and says what is wrong with that. A browser's gets a token that ends soon."""
        is_brief = one["create"]["grant_type"] == "authorization_code"
        self.order("/lifetime", {"seconds": flows.BRIEF_SECONDS if is_brief else None})
        answer = oauth.connect(one, name)
        self.order("/lifetime", {"seconds": None})
        return flows.problem(one, answer)

    def renew(self, call, connection):
        """Makes a call twice, and says whether the brief token was renewed for the first and kept for the second."""
        hosts = [[line["host"] for line in self.call(call, connection)[1]] for _ in range(2)]
        api = secrets.identity(self.known, call["type"], call["variant"])["host"]
        return None if hosts == [[flows.LOGIN, api], [api]] else f"two calls went to {hosts}"

    def trust(self, credentials):
        """What a customer does once the external id is known."""
        self.order(
            "/trust", {name: credentials[name] for name in ("account_id", "role", "external_id", "principal_id")}
        )

    def order(self, path, body):
        """Tells the rig something."""
        url = f"http://127.0.0.1:{self.ports['clear']}{path}"
        assert self.session.post(url, json=body, headers={"Host": "rig.test"}, timeout=WAIT_MAX).ok

    def as_client(self, header, value):
        """The token in the header in which a client of the service has its key; in a pair it is the user."""
        is_pair = value.startswith("Basic")
        return {header: secrets.basic(self.token, "X") if is_pair else value.format(self.token)}

    def arrived(self):
        """The requests that have come to the rig."""
        lines = map(json.loads, self.journal.read_text().splitlines())
        return [line for line in lines if line["event"] == "request"]

    def reflect(self, call, connection):
        """Makes a call that comes back full of its credentials, and says which of them came through."""
        answer, came = self.call(call, connection)
        code = answer.headers.get("Claviger-Error")
        if code or not came or "<" not in answer.text:
            return f"refused: {answer.status_code} {code} {answer.text[:200]}"
        one = secrets.identity(self.known, call["type"], call["variant"])
        sought = Sightings({name: one["fields"][name] for name in one["secret"]})
        for name, value in _credentials(came[-1]["head"]):
            sought.add(name, value)
        if not sought.find(came[-1]["head"].encode("latin-1")):
            return "no credential went out at all"
        told = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        found = sought.find(told.encode("latin-1") + b"\n" + answer.content)
        return f"in the answer: {found}" if found else None

    def carry(self, call, connection):
        """Makes a call, and says what is wrong with its outcome, or nothing."""
        answer, came = self.call(call, connection)
        code = answer.headers.get("Claviger-Error")
        if "refused" in call["expect"]:
            passed = [line["host"] for line in came if line["verdict"] == "ok"]
            return None if code and not passed else f"{answer.status_code} {code} {passed} {answer.text[:200]}"
        if code or not came:
            return f"refused: {answer.status_code} {code} {answer.text[:200]}"
        found = {"status": answer.status_code, "verdict": came[-1]["verdict"]}
        if found != call["expect"]:
            return f"{found} instead of {call['expect']}: {came[-1]['why']} {answer.text[:200]}"
        taken = {"type": came[-1]["type"], "variant": came[-1]["variant"]}
        # Two connections of one Azure application cannot be told apart by their tokens.
        if found["verdict"] == "ok" and taken != {name: call[name] for name in taken} and call["variant"] != "scoped":
            return f"the service took it for {taken}"
        if came[-1]["unwelcome"]:
            return f"unwelcome headers: {came[-1]['unwelcome']}"
        return self.vouched(came[-1], connection)

    def vouched(self, line, connection):
        """Whether a call proves whose it is, where it is an integration's; no other says anything of the kind."""
        if connection.startswith("zis:"):
            wrong = vouching.problem(line["head"], self.public_key, line["host"], connection)
        else:
            wrong = vouching.values(line["head"])
        return f"{vouching.HEADER}: {wrong}" if wrong else None

    def call(self, call, connection):
        """Makes a call: its answer, and what came to the rig of it."""
        before = len(self.arrived())
        if call.get("is_action"):
            body = json.dumps(actions.body(call, connection), ensure_ascii=False).encode()
            answer = self.send("POST", actions.PATH, self.keys | {"Content-Type": "application/json"}, body)
            return actions.read(answer), self.arrived()[before:]
        headers = dict(call["headers"]) | (self.as_client(**call["sdk"]) if call["is_as_client"] else self.keys)
        if call["host"]:
            headers["Claviger-Host"] = call["host"]
        body = call["body"].encode() if call["body"] is not None else None
        answer = self.send(call["method"], f"/broker/{connection}/{call['path']}", headers, body)
        return answer, self.arrived()[before:]


def _credentials(head):
    """The exchanged tokens in a request's head. A signature is no secret."""
    for line in head.split("\r\n"):
        name, _, value = line.partition(": ")
        scheme, _, rest = value.partition(" ")
        if name.lower() == "x-amz-security-token":
            yield "session token", value
        elif name.lower() == "authorization" and scheme == "Bearer":
            yield "bearer", rest
        elif name.lower() == vouching.HEADER:
            yield "voucher", rest


def drive(known, journal, ports, ca):
    """Makes every connection and every call; the lines that tell of failures, and how much was done."""
    driver = Driver(known, journal, ports, ca)
    connections, failures = driver.connect()
    made = [call for call in calls.every(known) if (call["type"], call["variant"]) in connections]
    brief = [call for call in made if (call["type"], call["variant"]) == ("oauth", "code")][:1]
    failures += [_failure(driver, call, connections, driver.renew) for call in brief]
    # Not before: a test renews a token that is about to end, too.
    ids = driver.ids()
    tests = [test | {"name": "test"} for test in calls.probes(known) if (test["type"], test["variant"]) in ids]
    failures += [_failure(driver, test, ids, driver.test) for test in tests]
    failures += [_failure(driver, call, connections) for call in made]
    as_actions = actions.every(made)
    failures += [_failure(driver, call, connections) for call in as_actions]
    made += brief + as_actions
    # Tokens that are taken back before their time are exchanged anew, unseen by the caller: once, since a service that
    # refuses what it gave a moment ago is not asked over and over. In reverse, so that the one with a body is repeated.
    driver.order("/forget", {})
    renewed = [call for call in made if call["type"] in RENEWED and call["variant"] == "good"]
    for call in [call for call in reversed(renewed) if not call.get("is_action")]:
        made.append(call)
        failures.append(_failure(driver, call, connections))
    reflections = [call for call in calls.reflections(known) if (call["type"], call["variant"]) in connections]
    reflections += actions.every(reflections)
    failures += [_failure(driver, call, connections, driver.reflect) for call in reflections]
    failures += _mixed(driver.arrived())
    done = len(tests) + len(made) + len(reflections)
    return [failure for failure in failures if failure], len(connections), done


def _mixed(requests):
    """Lines on requests in which there was a secret of another type than the service took the caller for."""
    for line in requests:
        others = {label for label, _ in line["secrets"] if label.split(".")[0] != line["type"]}
        # Where tokens are refused nobody is known, and no type either.
        if line["type"] and others:
            yield f"request {line['n']}, to {line['host']}: {sorted(others)}"


def _failure(driver, call, connections, act=None):
    failure = (act or driver.carry)(call, connections[call["type"], call["variant"]])
    return f"{call['type']} {call['variant']}, {call['name']}: {failure}" if failure else None
