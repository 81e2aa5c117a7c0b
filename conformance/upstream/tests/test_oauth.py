"""OAuth by a client library of its own: each grant, and what is refused."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

AUTHORIZE, TOKEN = (f"https://login.partner.example/oauth/{name}" for name in ("authorize", "token"))
API = "https://oauth.partner.example/v1/tickets"
CALLBACK = "https://zis.claviger.example/api/services/zis/connections/oauth/callback"


@pytest.fixture
def oauth(routed):
    yield routed
    routed.order("/lifetime", seconds=None)


def client_of(rig, variant="code"):
    fields = rig.identity("oauth", variant)["fields"]
    return fields["client_id"], fields["client_secret"]


def consented(rig, **changes):
    """A browser's way through the authorization endpoint: the session and the code that it brings back."""
    session = OAuth2Session(client_of(rig)[0], redirect_uri=CALLBACK, scope="tickets:read", pkce="S256")
    url, _ = session.authorization_url(AUTHORIZE, **changes)
    answer = requests.get(url, allow_redirects=False, timeout=10)
    return session, answer


def fetched(rig, session, answer, **changes):
    """By the library itself, with the client in the body as connections send it."""
    return session.fetch_token(
        TOKEN,
        authorization_response=answer.headers["Location"],
        client_secret=client_of(rig)[1],
        include_client_id=True,
        **changes,
    )


def ask(token):
    answer = requests.get(API, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    return answer.status_code, answer.headers.get("WWW-Authenticate", "")


def refused(rig, **form):
    """The status and the error of a request for a token."""
    client_id, secret = client_of(rig)
    answer = requests.post(TOKEN, data={"client_id": client_id, "client_secret": secret} | form, timeout=10)
    return answer.status_code, answer.json()["error"]


def test_client_credentials(oauth):
    client_id, secret = client_of(oauth, "good")
    session = OAuth2Session(client=BackendApplicationClient(client_id, scope="tickets:read"))
    token = session.fetch_token(TOKEN, client_secret=secret, include_client_id=True)
    assert (token["token_type"], token["expires_in"], "refresh_token" in token) == ("Bearer", 3600, False)
    assert session.get(API).status_code == 200
    assert (oauth.last["type"], oauth.last["variant"]) == ("oauth", "good")
    # In the header it is as good.
    assert session.fetch_token(TOKEN, auth=requests.auth.HTTPBasicAuth(client_id, secret))["access_token"]
    with pytest.raises(OAuth2Error, match="invalid_client"):
        session.fetch_token(TOKEN, client_secret=client_of(oauth, "bad")[1], include_client_id=True)


def test_a_code_with_proof_and_refreshing(oauth):
    session, answer = consented(oauth)
    assert answer.status_code == 302 and answer.headers["Location"].startswith(CALLBACK + "?")
    token = fetched(oauth, session, answer)
    assert ask(token["access_token"])[0] == 200
    renewed = session.refresh_token(TOKEN, client_id=client_of(oauth)[0], client_secret=client_of(oauth)[1])
    assert renewed["access_token"] != token["access_token"] and renewed["refresh_token"] != token["refresh_token"]
    assert ask(renewed["access_token"])[0] == 200
    # Used once.
    assert refused(oauth, grant_type="refresh_token", refresh_token=token["refresh_token"]) == (400, "invalid_grant")
    # A code too.
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        fetched(oauth, session, answer)


def test_what_a_code_needs(oauth):
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": client_of(oauth)[0],
        "redirect_uri": CALLBACK,
        "scope": "tickets:read",
        "state": "s",
    }

    def authorize(**changes):
        answer = requests.get(
            AUTHORIZE,
            params=asked | {"code_challenge": challenge, "code_challenge_method": "S256"} | changes,
            allow_redirects=False,
            timeout=10,
        )
        return answer.status_code, parse_qs(urlsplit(answer.headers.get("Location", "")).query)

    def exchange(code, changes):
        return refused(
            oauth,
            **{"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
            | changes,
        )

    assert authorize(client_id="nobody")[0] == 400
    assert authorize(redirect_uri="https://evil.example/")[0] == 400
    # Without a proof there is no code at all.
    status, told = authorize(code_challenge="", code_challenge_method="")
    assert status >= 400 or told["error"] == ["invalid_request"]
    for changes in (
        {"code_verifier": "w" * 50},
        {"redirect_uri": CALLBACK + "?other"},
        {"code": "other"},
        {"client_id": client_of(oauth, "good")[0], "client_secret": client_of(oauth, "good")[1]},
    ):
        status, told = authorize()
        assert status == 302 and told["state"] == ["s"]
        status, error = exchange(told["code"][0], changes)
        assert status == 400 and error in ("invalid_grant", "invalid_request", "unauthorized_client"), changes


def test_who_may_ask_for_what(oauth):
    assert refused(oauth, grant_type="client_credentials")[1] == "unauthorized_client"
    assert refused(oauth, grant_type="password", username="u", password="p") == (400, "unsupported_grant_type")
    good_id, good_secret = client_of(oauth, "good")
    good = {"client_id": good_id, "client_secret": good_secret, "grant_type": "client_credentials"}
    assert refused(oauth, **good, scope="everything") == (400, "invalid_scope")
    assert refused(oauth, **good | {"client_secret": good_secret[:-1]}) == (401, "invalid_client")


def test_tokens_end_and_are_looked_at(oauth):
    client_id, secret = client_of(oauth, "good")

    def token():
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        return requests.post(TOKEN, data=form, timeout=10).json()["access_token"]

    given = token()
    host, right = "oauth.partner.example", f"Authorization: Bearer {given}"
    assert oauth.head(host, right)[0] == 200
    assert oauth.head(host)[0] == 401
    assert oauth.head(host, right + "x")[0] == 401
    assert oauth.head(host, f"Authorization: bearer {given}")[0] == 401
    assert oauth.head(host, right, right)[0] == 400
    assert oauth.head(host, target=f"/?access_token={given}")[0] == 400
    oauth.order("/forget")
    assert ask(given) == (401, 'Bearer realm="partner", error="invalid_token"')
    oauth.order("/lifetime", seconds=0)
    assert ask(token())[0] == 401
    assert oauth.last["verdict"] == "expired"
