"""Types whose secret is sent as it is: the right request passes, and everything beside it does not."""

import base64

import pytest

from upstream import secrets
from upstream.seeded import changed
from upstream.tests.wire_facts import FACTS, credentials, others

IDENTITIES = [one for one in secrets.make("tests")["identities"] if one["type"] in FACTS]
GOOD = [one for one in IDENTITIES if one["variant"] == "good"]
# What a service answers to a key that it does not know, where that is not 401.
UNKNOWN = {"DatadogAPIKey": 403, "GeminiAPIKey": 400, "CloudflareGlobalAPIToken": 403}


def name(one):
    return f"{one['type']}-{one['variant']}"


def lines(headers):
    return [f"{name}: {value}" for name, value in headers.items()]


def ask(rig, one, *sent, query=None, method="GET", body=""):
    """Sends the probe with those header lines, and returns status, body, and what was found."""
    url = "https://any.partner-wild.example/x" if one["variant"] == "wildcard" else FACTS[one["type"]][0]
    host, _, target = url.removeprefix("https://").partition("/")
    target = "/" + target + (("&" if "?" in target else "?") + query if query else "")
    extra = [f"Content-Length: {len(body.encode())}"] if body else []
    head = "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *sent, *extra, "", body])
    status, _, text = rig.raw(host, head.encode())
    return status, text, rig.last


def right(one):
    return lines(credentials(one["type"], one["fields"])) + lines(others(one["type"], one["fields"]))


@pytest.mark.parametrize("one", IDENTITIES, ids=name)
def test_the_probe_finds_what_it_must(rig, session, one):
    """By a client that everybody has, under the service's own URL."""
    type, variant = one["type"], one["variant"]
    if variant == "wildcard":
        url = "https://any.partner-wild.example/x"
    else:
        url = "https://api.cloudflare.com/client/v4/accounts?per_page=1" if variant == "account" else FACTS[type][0]
    headers = credentials(type, one["fields"]) | others(type, one["fields"])
    answer = session.get(url, headers=headers)
    if variant == "bad":
        assert (answer.status_code, rig.last["verdict"]) == (UNKNOWN.get(type, 401), "wrong"), answer.text
    elif variant == "limited":
        assert (answer.status_code, rig.last["verdict"]) == (400 if type == "GitlabAPIKey" else 403, "ok"), answer.text
    else:
        assert (answer.status_code, rig.last["verdict"], rig.last["variant"]) == (200, "ok", variant), answer.text
    assert answer.json()
    # Its own fields are seen, and where they are.
    assert {label.split(".")[0] for label, _ in rig.last["secrets"]} <= {type}


def test_the_catalogs_checks_of_bodies_hold(rig, session):
    def body(type, variant="good", url=None):
        fields = rig.identity(type, variant)["fields"]
        return session.get(url or FACTS[type][0], headers=credentials(type, fields) | others(type, fields)).json()

    assert body("CloudflareAPIToken")["result"]["status"] == "active"
    assert body("CloudflareAPIToken", "disabled")["result"]["status"] == "disabled"
    assert (
        body("CloudflareAPIToken", "account", "https://api.cloudflare.com/client/v4/accounts?per_page=1")["success"]
        is True
    )
    assert body("DatadogAPIKey")["status"] == "ok"
    assert body("GreyNoiseAPIKey")["message"] == "pong"


@pytest.mark.parametrize("one", GOOD, ids=name)
def test_a_missing_header_is_told(rig, one):
    sent = credentials(one["type"], one["fields"])
    for left_out in sent:
        rest = {name: value for name, value in sent.items() if name != left_out}
        status, text, found = ask(rig, one, *lines(rest), *lines(others(one["type"], one["fields"])))
        assert 400 <= status < 404 and found["verdict"] in ("missing", "wrong"), (left_out, text)
    assert found["verdict"] == "missing" or len(sent) > 1


@pytest.mark.parametrize("one", GOOD, ids=name)
def test_each_byte_counts(rig, one):
    """One byte changed, added or taken away; the scheme in other letters; another scheme."""
    sent = credentials(one["type"], one["fields"])
    beside = lines(others(one["type"], one["fields"]))
    tried = 0
    for header, value in sent.items():
        scheme, blank, rest = value.partition(" ")
        twists = {changed(value), value[:-1], value + "a", "a" + value, value.swapcase(), value[: len(value) // 2]}
        if blank:
            twists |= {f"{scheme.lower()} {rest}", f"{scheme}  {rest}", rest, f"Token {rest}"}
        else:
            twists |= {f"Bearer {value}", "Basic " + base64.b64encode(value.encode()).decode()}
        for twist in twists - {value}:
            status, text, found = ask(rig, one, *lines(sent | {header: twist}), *beside)
            assert 400 <= status < 404 and found["verdict"] == "wrong", (twist, text)
            tried += 1
    assert tried >= 6


@pytest.mark.parametrize("one", GOOD, ids=name)
def test_twice_is_refused(rig, one):
    """The same header a second time: the same value, another, before and behind."""
    sent = right(one)
    for header, value in credentials(one["type"], one["fields"]).items():
        for more in ([f"{header}: {value}", *sent], [*sent, f"{header.lower()}: other"], [f"{header}: other", *sent]):
            status, text, found = ask(rig, one, *more)
            assert 400 <= status < 404 and found["verdict"] == "twice", text


@pytest.mark.parametrize("one", GOOD, ids=name)
def test_the_wrong_place_is_refused(rig, one):
    """The secret elsewhere: beside the right header, or instead of it; raw, or in another's encoding."""
    sent = right(one)
    secret = one["fields"][one["secret"][-1]]
    simple = "".join(character for character in secret if character.isalnum() or character in "-_.~")
    if simple == secret:
        status, _, found = ask(rig, one, *sent, query=f"x={secret}")
        assert 400 <= status < 404 and found["verdict"] == "misplaced"
        status, _, found = ask(rig, one, *lines(others(one["type"], one["fields"])), query=f"x={secret}")
        assert 400 <= status < 404 and found["verdict"] in ("missing", "misplaced")
    encoded = base64.b64encode(b"x" + secret.encode() + b"y").decode()
    for stray in (f"X-Stray: {secret}", f"X-Stray: {encoded}", f"X-Stray: {secret.encode().hex()}"):
        status, text, found = ask(rig, one, *sent, stray)
        assert 400 <= status < 404 and found["verdict"] == "misplaced", (stray, text)
    status, _, found = ask(rig, one, *sent, method="POST", body=f"secret={encoded}")
    assert 400 <= status < 404 and found["verdict"] == "misplaced"


# Another header that the service takes a credential from, by type; `Authorization` unless it is the right one.
OTHER_HEADERS = {
    "CloudflareAPIToken": "X-Auth-Key",
    "SplitAPIKey": "x-api-key",
    "OpenAIAPIKey": "api-key",
    "basic_auth": "X-Partner-Key",
    "bearer_token": "X-Partner-Key",
}


def takes_another(one):
    return one["type"] in OTHER_HEADERS or "Authorization" not in credentials(one["type"], one["fields"])


@pytest.mark.parametrize("one", [one for one in GOOD if takes_another(one)], ids=name)
def test_two_kinds_of_credential_are_refused(rig, one):
    other = OTHER_HEADERS.get(one["type"], "Authorization") + ": Bearer other"
    status, text, found = ask(rig, one, *right(one), other)
    assert 400 <= status < 404 and found["verdict"] == "misplaced", text


QUERIES = {
    "AsanaAccessToken": "access_token",
    "CircleCIAPIKey": "circle-token",
    "DatadogAPIKey": "api_key",
    "GeminiAPIKey": "key",
    "GitlabAPIKey": "private_token",
    "GreyNoiseAPIKey": "key",
    "VirusTotalAPIKey": "apikey",
}


@pytest.mark.parametrize("type", QUERIES)
def test_a_credentials_parameter_beside_the_header_is_refused(rig, type):
    one = rig.identity(type)
    status, text, found = ask(rig, one, *right(one), query=f"{QUERIES[type]}=other")
    assert 400 <= status < 404 and found["verdict"] == "misplaced", text


@pytest.mark.parametrize(
    "type, header, status", [("AnthropicAPIKey", "anthropic-version", 400), ("NotionAPIKey", "Notion-Version", 400)]
)
def test_pins_of_versions_are_mandatory(rig, type, header, status):
    one = rig.identity(type)
    sent = lines(credentials(type, one["fields"]))
    pin = others(type, one["fields"])[header]
    assert ask(rig, one, *sent, f"{header}: {pin}")[0] == 200
    for wrong in ([], [f"{header}: 1999-01-01"], [f"{header}: {pin}", f"{header}: {pin}"]):
        answered, text, found = ask(rig, one, *sent, *wrong)
        assert (answered, found["verdict"]) == (status, "pin"), text


def test_what_is_spoken_without_an_accept(rig):
    """Two services speak something else than JSON to whoever does not ask; hence the pins in the catalog."""
    one = rig.identity("ServiceNowBasicAuth")
    assert ask(rig, one, *lines(credentials(one["type"], one["fields"])))[1].startswith(b"<response>")
    token = rig.identity("CircleCIAPIKey")["fields"]["api_token"]
    assert rig.head("circleci.com", f"Circle-Token: {token}", target="/api/v1.1/me")[2].startswith(b"{:login")


def test_circleci_v3_takes_bearer_only(rig):
    token = rig.identity("CircleCIAPIKey")["fields"]["api_token"]
    bearer, own = f"Authorization: Bearer {token}", f"Circle-Token: {token}"
    assert rig.head("circleci.com", bearer, target="/api/v3/me")[0] == 200
    assert rig.head("circleci.com", own, target="/api/v3/me")[0] == 401
    assert rig.head("circleci.com", bearer, target="/api/v2/me")[0] == 401
    assert rig.head("runner.circleci.com", own, target="/api/v3/runner")[0] == 200


def test_another_hosts_credential_is_worth_nothing(rig):
    wild = rig.identity("bearer_token", "wildcard")["fields"]["token"]
    good = rig.identity("bearer_token")["fields"]["token"]
    for host in ("any.partner-wild.example", "a.b.partner-wild.example", "partner-wild.example"):
        assert rig.head(host, f"Authorization: Bearer {wild}")[0] == 200
        assert rig.head(host, f"Authorization: Bearer {good}")[0] == 401
    assert rig.head("bearer.partner.example", f"Authorization: Bearer {wild}")[0] == 401
    # A secret of one service at another is seen for what it is.
    key = rig.identity("OpenAIAPIKey")["fields"]["api_token"]
    assert rig.head("api.anthropic.com", f"x-api-key: {key}")[0] == 401
    assert rig.last["secrets"] == [["OpenAIAPIKey.good.api_token", "raw"]]
