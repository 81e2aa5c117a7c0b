"""Google by its own client library, and assertions by a JOSE library with one thing wrong."""

import time

import google.auth.transport.requests
import jwt
import pytest
import requests
from google.auth.exceptions import RefreshError
from google.oauth2.service_account import Credentials

from upstream.services.google import CLOUD, GRANT, SCOPE, TOKEN_URL

STORAGE = "https://storage.googleapis.com/storage/v1/b?project=rig"


@pytest.fixture
def google_(routed):
    yield routed
    routed.order("/lifetime", seconds=None)


def account(rig, variant="good", scope=CLOUD):
    fields = rig.identity("GCPServiceAccount", variant)["fields"]
    info = {
        "type": "service_account",
        "client_email": fields["service_account_email"],
        "private_key": fields["private_key"],
        "token_uri": TOKEN_URL,
    }
    return Credentials.from_service_account_info(info, scopes=[scope])


def refreshed(credentials):
    credentials.refresh(google.auth.transport.requests.Request())
    return credentials.token


def ask(token, url=STORAGE, **more):
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10, **more)


def test_an_account_gets_a_token_and_uses_it(google_):
    credentials = account(google_)
    token = refreshed(credentials)
    answer = ask(token)
    assert answer.status_code == 200, answer.text
    assert (google_.last["type"], google_.last["verdict"]) == ("GCPServiceAccount", "ok")
    # As a session of the library's own, which refreshes by itself.
    with google.auth.transport.requests.AuthorizedSession(account(google_)) as session:
        assert session.post("https://pubsub.googleapis.com/v2/projects/rig/topics", json={}).status_code == 200
    assert ask(refreshed(account(google_, scope=SCOPE + "storage"))).status_code == 200
    assert ask(refreshed(account(google_, scope=SCOPE + "pubsub"))).status_code == 403


def test_another_accounts_key_is_refused(google_):
    with pytest.raises(RefreshError) as caught:
        refreshed(account(google_, "bad"))
    assert caught.value.args[1] == {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


def test_tokens_end(google_):
    token = refreshed(account(google_))
    google_.order("/forget")
    assert ask(token).status_code == 401
    google_.order("/lifetime", seconds=0)
    token = refreshed(account(google_))
    assert (ask(token).status_code, google_.last["verdict"]) == (401, "expired")


def exchange(rig, *, headers=None, algorithm="RS256", key=None, grant=GRANT, more=None, **claims):
    """An exchange with an assertion that is right but for what is given; a claim of None is left out."""
    fields = rig.identity("GCPServiceAccount")["fields"]
    now = int(time.time())
    right = {"iss": fields["service_account_email"], "scope": CLOUD, "aud": TOKEN_URL, "iat": now, "exp": now + 3600}
    claims = {name: value for name, value in (right | claims).items() if value is not None}
    assertion = jwt.encode(claims, fields["private_key"] if key is None else key, algorithm, headers=headers)
    answer = requests.post(TOKEN_URL, data={"grant_type": grant, "assertion": assertion} | (more or {}), timeout=10)
    return answer.status_code, answer.json().get("error")


def test_what_an_assertion_must_say(google_):
    now = int(time.time())
    assert exchange(google_) == (200, None)
    # A key's id is customary, and no matter.
    assert exchange(google_, headers={"kid": "any"}) == (200, None)
    wrong = (400, "invalid_grant")
    assert exchange(google_, iss="other@rig-project.iam.gserviceaccount.com") == wrong
    assert exchange(google_, iss=None) == wrong
    assert exchange(google_, aud="https://oauth2.googleapis.com/") == wrong
    assert exchange(google_, aud=[TOKEN_URL]) == wrong
    assert exchange(google_, exp=now + 3700) == wrong
    assert exchange(google_, exp=None) == wrong
    assert exchange(google_, iat=None) == wrong
    assert exchange(google_, iat=now - 7200, exp=now - 3600) == wrong
    assert exchange(google_, iat=now + 3600, exp=now + 7200) == wrong
    assert exchange(google_, headers={"typ": "at+jwt"}) == wrong
    assert exchange(google_, algorithm="PS256") == wrong
    assert exchange(google_, algorithm="HS256", key="x" * 32) == wrong
    assert exchange(google_, algorithm="none", key="") == wrong
    assert exchange(google_, sub="somebody@partner.example") == (400, "unauthorized_client")
    assert exchange(google_, scope=None) == (400, "invalid_scope")
    assert exchange(google_, scope="everything") == (400, "invalid_scope")
    assert exchange(google_, grant="client_credentials") == (400, "unsupported_grant_type")
    assert exchange(google_, more={"other": "1"}) == (400, "invalid_request")


def test_a_token_goes_into_one_header(google_):
    token = refreshed(account(google_))
    host = "storage.googleapis.com"
    right = f"Authorization: Bearer {token}"
    assert google_.head(host, right)[0] == 200
    assert google_.head(host)[0] == 401
    assert google_.head(host, f"Authorization: bearer {token}")[0] == 401
    assert google_.head(host, right + "x")[0] == 401
    assert google_.head(host, right, right)[0] == 400
    assert google_.head(host, right, "x-goog-api-key: other")[0] == 400
    assert google_.head(host, target=f"/?access_token={token}")[0] == 400
    # Gemini takes either, but one.
    key = "x-goog-api-key: " + google_.identity("GeminiAPIKey")["fields"]["api_key"]
    assert google_.head("generativelanguage.googleapis.com", right)[0] == 200
    assert google_.head("generativelanguage.googleapis.com", right, key)[0] == 400
