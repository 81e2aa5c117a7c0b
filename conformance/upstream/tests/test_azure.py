"""Azure by Microsoft's own client library, and exchanges with one thing wrong."""

import jwt
import msal
import pytest
import requests

from upstream.secrets import basic
from upstream.services.azure import access_token
from upstream.state import State

ARM = "https://management.azure.com"
SUBSCRIPTIONS = f"{ARM}/subscriptions?api-version=2022-12-01"


@pytest.fixture
def azure(routed):
    yield routed
    routed.order("/lifetime", seconds=None)


def application(rig, variant="good"):
    fields = rig.identity("AzureTenant", variant)["fields"]
    return msal.ConfidentialClientApplication(
        fields["app_client_id"],
        client_credential=fields["client_secret"],
        authority=f"https://login.microsoftonline.com/{fields['tenant_id']}",
        instance_discovery=False,
    )


def token(rig, resource=ARM, variant="good"):
    return application(rig, variant).acquire_token_for_client([f"{resource}/.default"])


def ask(given, url=SUBSCRIPTIONS):
    return requests.get(url, headers={"Authorization": f"Bearer {given}"}, timeout=10)


def test_a_client_gets_a_token_and_uses_it(azure):
    given = token(azure)
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 3599), given
    answer = ask(given["access_token"])
    assert answer.json() == {"value": [], "count": {"type": "Total", "value": 0}}
    assert (azure.last["type"], azure.last["verdict"]) == ("AzureTenant", "ok")


@pytest.mark.parametrize(
    "resource, url",
    [
        ("https://graph.microsoft.com", "https://graph.microsoft.com/v1.0/users"),
        ("https://vault.azure.net", "https://rig.vault.azure.net/secrets?api-version=7.4"),
        ("https://storage.azure.com", "https://rig.blob.core.windows.net/?comp=list"),
        # A resource whose own name ends in a slash.
        ("https://management.azure.com/", SUBSCRIPTIONS),
    ],
)
def test_a_token_is_for_one_resource(azure, resource, url):
    given = token(azure, resource)["access_token"]
    assert ask(given, url).status_code == 200
    other = "https://graph.microsoft.com/v1.0/users" if "graph" not in url else SUBSCRIPTIONS
    assert (ask(given, other).status_code, azure.last["verdict"]) == (401, "wrong")


def test_secrets_that_are_not_right(azure):
    assert token(azure, variant="bad")["error_codes"] == [7000215]
    assert token(azure, variant="expired")["error_codes"] == [7000222]


def exchange(rig, headers=None, tenant=None, drop=(), twice=(), **changes):
    """An exchange that is right but for what is given."""
    fields = rig.identity("AzureTenant")["fields"]
    form = {
        "grant_type": "client_credentials",
        "client_id": fields["app_client_id"],
        "client_secret": fields["client_secret"],
        "scope": f"{ARM}/.default",
    }
    pairs = [(name, value) for name, value in (form | changes).items() if name not in drop]
    pairs += [(name, value) for name, value in pairs if name in twice]
    url = f"https://login.microsoftonline.com/{tenant or fields['tenant_id']}/oauth2/v2.0/token"
    answer = requests.post(url, data=pairs, headers=headers, timeout=10)
    body = answer.json()
    return answer.status_code, body.get("error"), (body.get("error_description") or "").partition(":")[0]


def test_what_an_exchange_must_say(azure):
    fields = azure.identity("AzureTenant")["fields"]
    assert exchange(azure)[0] == 200
    pair = {"Authorization": basic(fields["app_client_id"], fields["client_secret"])}
    assert exchange(azure, pair, drop=["client_id", "client_secret"])[0] == 200
    assert exchange(azure, pair) == (400, "invalid_request", "AADSTS90023")
    assert exchange(azure, tenant="00000000-0000-4000-8000-000000000000")[2] == "AADSTS90002"
    assert exchange(azure, client_id="other") == (400, "unauthorized_client", "AADSTS700016")
    assert exchange(azure, client_secret=fields["client_secret"] + " ") == (401, "invalid_client", "AADSTS7000215")
    assert exchange(azure, grant_type="password")[1] == "unsupported_grant_type"
    assert exchange(azure, scope=ARM)[2] == "AADSTS70011"
    assert exchange(azure, scope=f"{ARM}/.default https://graph.microsoft.com/.default")[2] == "AADSTS70011"
    assert exchange(azure, scope="https://evil.example/.default")[2] == "AADSTS500011"
    for name in ("grant_type", "client_id", "client_secret", "scope"):
        assert exchange(azure, drop=[name])[2] == "AADSTS900144"
        assert exchange(azure, twice=[name])[2] == "AADSTS90014"
    assert exchange(azure, {"Content-Type": "application/json"})[0] == 400


def test_tokens_end(azure):
    given = token(azure)["access_token"]
    azure.order("/forget")
    assert (ask(given).status_code, azure.last["verdict"]) == (401, "expired")
    assert ask(token(azure)["access_token"]).status_code == 200
    azure.order("/lifetime", seconds=-1)
    answer = ask(token(azure)["access_token"])
    assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"


def test_forged_tokens_are_refused(azure):
    state, one = State(azure.secrets), azure.identity("AzureTenant")
    assert ask(access_token(state, one, ARM, 60)).status_code == 200
    assert (
        ask(access_token(state, one, ARM, 60, azure.identity("GCPServiceAccount")["fields"]["private_key"])).status_code
        == 401
    )
    given = access_token(state, one, ARM, 60)
    assert ask(jwt.encode(jwt.decode(given, options={"verify_signature": False}), "", "none")).status_code == 401
    host = "management.azure.com"
    right = f"Authorization: Bearer {given}"
    assert azure.head(host, right)[0] == 200
    assert azure.head(host)[0] == 401
    assert azure.head(host, right, right)[0] == 400
    assert azure.head(host, f"Authorization: Basic {given}")[0] == 401
    assert azure.head(host, target=f"/?access_token={given}")[0] == 400
