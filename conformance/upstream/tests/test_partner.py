"""HTTP connections: their tokens where the templates name them, encoded as each place asks."""

import json

import pytest
import requests

URL = "https://http.partner.example/base/things"


@pytest.fixture
def good(routed):
    return routed.identity("HTTPTokenAuth")["fields"]


def send(fields, *, url=URL, headers=None, parameters=None, body=None, method="POST"):
    """A request that is right but for what is given."""
    sent = {
        "Authorization": f"Bearer {fields['headerToken']}",
        "X-Plain": "as it is",
        "Content-Type": "application/json",
    }
    query = [("callers", "1"), ("key", fields["queryToken"]), ("fixed", "1")] if parameters is None else parameters
    text = (
        json.dumps({"auth": {"secret": fields["bodyToken"]}, "fixed": True, "callers": "{{ headerToken }}"})
        if body is None
        else body
    )
    return requests.request(method, url, params=query, headers=sent | (headers or {}), data=text.encode(), timeout=10)


def test_all_three_places_pass(routed, good):
    answer = send(good)
    assert answer.status_code == 200, answer.text
    assert ["callers", "1"] in answer.json()["rig"]["parameters"]
    assert send(good, method="GET", body="").status_code == 200
    # Each token in the writing of its place.
    assert {(label.rpartition(".")[2], form) for label, form in routed.last["secrets"]} == {
        ("headerToken", "raw"),
        ("queryToken", "url"),
    }


def verdict(routed, answer):
    assert answer.status_code == 401, answer.text
    return routed.last["verdict"]


def test_headers(routed, good):
    assert verdict(routed, send(good, headers={"Authorization": None})) == "missing"
    assert verdict(routed, send(good, headers={"Authorization": good["headerToken"]})) == "wrong"
    assert verdict(routed, send(good, headers={"Authorization": "Bearer {{ headerToken }}"})) == "wrong"
    assert verdict(routed, send(good, headers={"X-Plain": None})) == "missing"
    assert verdict(routed, send(good, url="https://http.partner.example/things")) == "malformed"


def test_parameters(routed, good):
    key, fixed = ("key", good["queryToken"]), ("fixed", "1")
    assert verdict(routed, send(good, parameters=[fixed])) == "missing"
    assert verdict(routed, send(good, parameters=[key, key, fixed])) == "twice"
    assert verdict(routed, send(good, parameters=[("key", "callers"), key, fixed])) == "twice"
    assert verdict(routed, send(good, parameters=[("key", good["queryToken"][:-1]), fixed])) == "wrong"
    # Not encoded, its own characters would end it.
    raw = f"{URL}?key={good['queryToken'].replace('#', '%23')}&fixed=1"
    assert verdict(routed, send(good, url=raw, parameters=[])) in ("wrong", "twice")


def test_bodies(routed, good):
    secret, other = json.dumps(good["bodyToken"]), json.dumps("callers")
    right = f'{{"auth": {{"secret": {secret}}}, "fixed": true}}'
    assert send(good, body=right).status_code == 200
    for body in ("", "[]", "{", f'{{"auth": {{"secret": {secret}}}, "auth": {{"secret": {secret}}}, "fixed": true}}'):
        assert verdict(routed, send(good, body=body)) == "malformed"
    assert verdict(routed, send(good, body='{"fixed": true}')) == "missing"
    assert verdict(routed, send(good, body=right.replace(secret, other))) == "wrong"
    assert verdict(routed, send(good, body=right.replace("}, ", ', "more": 1}, '))) == "wrong"
    # The token's quote as it is would end the string.
    assert verdict(routed, send(good, body=right.replace('\\"', '"'))) == "malformed"
    assert verdict(routed, send(good, headers={"Content-Type": "text/plain"})) == "malformed"


def test_text(routed):
    secret = routed.identity("HTTPTokenAuth", "text")["fields"]["bodyToken"]

    def post(text):
        return requests.post("https://text.partner.example/things", data=text.encode(), timeout=10)

    assert post(f"secret={secret}\r\nthe caller's").status_code == 200
    assert post(f"secret={secret}").status_code == 200
    assert verdict(routed, post(f"secret={secret}\nthe caller's")) == "malformed"
    assert verdict(routed, post(f"secret={secret[:-1]}\r\n")) == "wrong"
    assert verdict(routed, post("the caller's")) == "missing"


def test_in_clear(routed):
    key = routed.identity("HTTPTokenAuth", "plain")["fields"]["headerToken"]
    answer = requests.get("http://plain.partner.example/things", headers={"X-Plain-Key": key}, timeout=10)
    assert (answer.status_code, routed.last["listener"]) == (200, "clear")
    # Nobody else is to be reached so, with the right credential even.
    token = routed.identity("OpenAIAPIKey")["fields"]["api_token"]
    answer = requests.get("http://api.openai.com/v1/models", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert (answer.status_code, routed.last["verdict"]) == (403, "cleartext")
