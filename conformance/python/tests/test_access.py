"""Who may call each endpoint of keys, tokens and people, and what everybody else is told.

One table names every endpoint with the permissions that open it, any one of them. Each line is walked without
credentials, with unknown and revoked ones, with a key whose scopes do not reach it, and with keys whose scopes do.
"""

import re

import pytest

from support import (
    API_KEY_REQUIRED,
    NO_PERMISSION,
    NOT_AUTHORISED,
    UNKNOWN_API_KEY,
    UNKNOWN_API_KEY_BODY,
    UNKNOWN_APPLICATION_KEY,
    UUID,
    send,
    unique,
    unknown_id,
)

V1_API_KEY = f"/api/v1/api_key/{UNKNOWN_API_KEY}"
V1_APPLICATION_KEY = f"/api/v1/application_key/{UNKNOWN_APPLICATION_KEY}"
API_KEY = f"/api/v2/api_keys/{unknown_id()}"
APPLICATION_KEY = f"/api/v2/application_keys/{unknown_id()}"
OWN_APPLICATION_KEY = f"/api/v2/current_user/application_keys/{unknown_id()}"
TOKEN = f"/api/v2/personal_access_tokens/{unknown_id()}"
USER = f"/api/v2/users/{unknown_id()}"
INVITATION = f"/api/v2/user_invitations/{unknown_id()}"
ROLE = f"/api/v2/roles/{unknown_id()}"
ACCOUNT = f"/api/v2/service_accounts/{unknown_id()}"
ACCOUNTS_KEY = f"{ACCOUNT}/application_keys/{unknown_id()}"
ACCOUNTS_TOKEN = f"{ACCOUNT}/access_tokens/{unknown_id()}"

READ_PEOPLE = ["user_access_read", "user_access_manage"]
INVITE = ["user_access_invite", "user_access_manage"]
# The second reaches service accounts alone.
CHANGE_PEOPLE = ["user_access_manage", "service_account_write"]

ENDPOINTS = {
    ("GET", "/api/v1/api_key"): ["api_keys_read"],
    ("POST", "/api/v1/api_key"): ["api_keys_write"],
    ("GET", V1_API_KEY): ["api_keys_read"],
    ("PUT", V1_API_KEY): ["api_keys_write"],
    ("DELETE", V1_API_KEY): ["api_keys_delete"],
    ("GET", "/api/v1/application_key"): ["org_app_keys_read", "user_app_keys"],
    ("POST", "/api/v1/application_key"): ["user_app_keys"],
    ("GET", V1_APPLICATION_KEY): ["org_app_keys_read", "user_app_keys"],
    ("PUT", V1_APPLICATION_KEY): ["org_app_keys_write", "user_app_keys"],
    ("DELETE", V1_APPLICATION_KEY): ["org_app_keys_write", "user_app_keys"],
    ("POST", "/api/v1/org"): ["org_management"],
    ("GET", "/api/v2/api_keys"): ["api_keys_read"],
    ("POST", "/api/v2/api_keys"): ["api_keys_write"],
    ("GET", API_KEY): ["api_keys_read"],
    ("PATCH", API_KEY): ["api_keys_write"],
    ("DELETE", API_KEY): ["api_keys_delete"],
    ("GET", "/api/v2/application_keys"): ["org_app_keys_read"],
    ("GET", APPLICATION_KEY): ["org_app_keys_read"],
    ("PATCH", APPLICATION_KEY): ["org_app_keys_write"],
    ("DELETE", APPLICATION_KEY): ["org_app_keys_write"],
    ("GET", "/api/v2/current_user/application_keys"): ["user_app_keys"],
    ("POST", "/api/v2/current_user/application_keys"): ["user_app_keys"],
    ("GET", OWN_APPLICATION_KEY): ["user_app_keys"],
    ("PATCH", OWN_APPLICATION_KEY): ["user_app_keys"],
    ("DELETE", OWN_APPLICATION_KEY): ["user_app_keys"],
    ("GET", "/api/v2/personal_access_tokens"): ["user_app_keys", "org_app_keys_read"],
    ("POST", "/api/v2/personal_access_tokens"): ["user_app_keys"],
    ("GET", TOKEN): ["user_app_keys", "org_app_keys_read"],
    ("PATCH", TOKEN): ["user_app_keys", "org_app_keys_write"],
    ("DELETE", TOKEN): ["user_app_keys", "org_app_keys_write"],
    ("GET", "/api/v2/users"): READ_PEOPLE,
    ("POST", "/api/v2/users"): INVITE,
    ("GET", USER): READ_PEOPLE,
    ("PATCH", USER): CHANGE_PEOPLE,
    ("DELETE", USER): CHANGE_PEOPLE,
    ("GET", f"{USER}/permissions"): READ_PEOPLE,
    ("POST", "/api/v2/user_invitations"): INVITE,
    ("GET", INVITATION): INVITE,
    ("GET", "/api/v2/permissions"): READ_PEOPLE,
    ("GET", "/api/v2/roles"): READ_PEOPLE,
    ("POST", "/api/v2/roles"): ["user_access_manage"],
    ("GET", ROLE): READ_PEOPLE,
    ("PATCH", ROLE): ["user_access_manage"],
    ("DELETE", ROLE): ["user_access_manage"],
    ("POST", f"{ROLE}/clone"): ["user_access_manage"],
    ("GET", f"{ROLE}/users"): READ_PEOPLE,
    ("POST", f"{ROLE}/users"): ["user_access_manage"],
    ("DELETE", f"{ROLE}/users"): ["user_access_manage"],
    ("GET", f"{ROLE}/permissions"): READ_PEOPLE,
    ("POST", f"{ROLE}/permissions"): ["user_access_manage"],
    ("DELETE", f"{ROLE}/permissions"): ["user_access_manage"],
    ("POST", "/api/v2/service_accounts"): ["service_account_write"],
    ("GET", f"{ACCOUNT}/application_keys"): ["service_account_write"],
    ("POST", f"{ACCOUNT}/application_keys"): ["service_account_write"],
    ("GET", ACCOUNTS_KEY): ["service_account_write"],
    ("PATCH", ACCOUNTS_KEY): ["service_account_write"],
    ("DELETE", ACCOUNTS_KEY): ["service_account_write"],
    ("GET", f"{ACCOUNT}/access_tokens"): ["service_account_write"],
    ("POST", f"{ACCOUNT}/access_tokens"): ["service_account_write"],
    ("GET", ACCOUNTS_TOKEN): ["service_account_write"],
    ("PATCH", ACCOUNTS_TOKEN): ["service_account_write"],
    ("DELETE", ACCOUNTS_TOKEN): ["service_account_write"],
}
# For whoever is known, whatever their rights.
OPEN = [("GET", "/api/v2/current_user"), ("GET", "/api/v2/validate_keys")]
EVERY_PERMISSION = sorted({permission for permissions in ENDPOINTS.values() for permission in permissions})

# It makes keys without scopes, which no key with scopes may: no scope reaches it.
UNSCOPED_ONLY = ("POST", "/api/v1/application_key")

# What stands in a path for one thing: it is none, in every line of the table.
NOTHING = re.compile(f"{UUID.pattern}|{UNKNOWN_APPLICATION_KEY}|{UNKNOWN_API_KEY}")


def endpoint_name(endpoint):
    method, path = endpoint
    return f"{method} {NOTHING.sub('{id}', path)}"


def walked(endpoints):
    return pytest.mark.parametrize(("method", "path"), endpoints, ids=[endpoint_name(one) for one in endpoints])


every_endpoint = walked([*ENDPOINTS, *OPEN])


def call(method, path, **keys):
    """Calls with a body that would be refused, so that whoever gets past the door changes nothing."""
    return send(method, path, {} if method in ("POST", "PUT", "PATCH") else None, **keys)


@every_endpoint
def test_without_credentials(method, path):
    answer = call(method, path, api_key=None, application_key=None)
    assert (answer.status, answer.content_type, answer.text) == (403, "application/json", API_KEY_REQUIRED)


@every_endpoint
def test_without_api_key(method, path):
    answer = call(method, path, api_key=None)
    assert (answer.status, answer.content_type, answer.text) == (403, "application/json", API_KEY_REQUIRED)


@every_endpoint
def test_unknown_api_key(method, path):
    answer = call(method, path, api_key=UNKNOWN_API_KEY)
    assert (answer.status, answer.content_type, answer.text) == (
        403,
        "application/json",
        UNKNOWN_API_KEY_BODY,
    )


@every_endpoint
@pytest.mark.parametrize("application_key", [None, UNKNOWN_APPLICATION_KEY, "nonsense"])
def test_missing_or_unknown_application_key(method, path, application_key):
    answer = call(method, path, application_key=application_key)
    assert (answer.status, answer.content_type, answer.json) == (401, "application/json", NOT_AUTHORISED)


@walked(OPEN)
def test_any_scopes(method, path, make_application_key):
    key = make_application_key(scopes=["dashboards_read"]).attributes.key
    assert call(method, path, application_key=key).status == 200


@walked(ENDPOINTS)
def test_scopes_that_do_not_reach(method, path, make_application_key):
    others = [permission for permission in EVERY_PERMISSION if permission not in ENDPOINTS[method, path]]
    for scopes in [["dashboards_read"], others]:
        key = make_application_key(scopes=scopes).attributes.key
        call(method, path, application_key=key).has_failed_with(403, *NO_PERMISSION)


@walked([endpoint for endpoint in ENDPOINTS if endpoint != UNSCOPED_ONLY])
def test_scopes_that_reach(method, path, make_application_key):
    for permission in ENDPOINTS[method, path]:
        key = make_application_key(scopes=["dashboards_read", permission]).attributes.key
        answer = call(method, path, application_key=key)
        if method == "GET":
            assert answer.status == (404 if NOTHING.search(path) else 200)
        elif method == "POST" and not NOTHING.search(path):
            answer.has_failed_with(400)
        elif path in (TOKEN, ACCOUNTS_TOKEN) and method == "DELETE":
            assert answer.status in (204, 404)  # revoked already, or never made: nothing is left to do
        else:
            assert answer.status in (400, 404)  # which is looked at first, the body or the id, is not known


def test_a_key_with_scopes_makes_no_wider_key(make_application_key):
    scoped = make_application_key(scopes=["user_app_keys", "dashboards_read"]).attributes.key
    for scopes in [None, [], ["user_app_keys", "dashboards_write"]]:
        body = {"data": {"type": "application_keys", "attributes": {"name": unique(), "scopes": scopes}}}
        answer = send("POST", "/api/v2/current_user/application_keys", body, application_key=scoped)
        answer.has_failed_with(403)
    send("POST", "/api/v1/application_key", {"name": unique()}, application_key=scoped).has_failed_with(403)


def test_a_key_with_scopes_makes_a_narrower_key(make_application_key, clean_up):
    scoped = make_application_key(scopes=["user_app_keys", "dashboards_read"]).attributes.key
    body = {
        "data": {"type": "application_keys", "attributes": {"name": unique(), "scopes": ["dashboards_read"]}}
    }
    answer = send("POST", "/api/v2/current_user/application_keys", body, application_key=scoped)
    assert answer.status == 201
    clean_up(f"/api/v2/current_user/application_keys/{answer.data['id']}")


def test_a_key_with_scopes_does_not_widen_a_key(make_application_key):
    scoped = make_application_key(scopes=["user_app_keys", "org_app_keys_write"]).attributes.key
    other = make_application_key(scopes=["user_app_keys"])
    for path in ["/api/v2/current_user/application_keys", "/api/v2/application_keys"]:
        for scopes in [None, ["dashboards_write"]]:
            body = {"data": {"type": "application_keys", "id": other.id, "attributes": {"scopes": scopes}}}
            send("PATCH", f"{path}/{other.id}", body, application_key=scoped).has_failed_with(403)


def test_revoked_api_key(make_api_key):
    created = make_api_key()
    secret = created.attributes.key
    assert send("GET", "/api/v2/api_keys", api_key=secret).status == 200
    assert send("DELETE", f"/api/v2/api_keys/{created.id}").status == 204
    for path in ["/api/v2/api_keys", "/api/v1/validate", "/api/v1/api_key"]:
        answer = send("GET", path, api_key=secret)
        assert (answer.status, answer.text) == (403, UNKNOWN_API_KEY_BODY)


def test_revoked_application_key(make_application_key):
    created = make_application_key()
    secret = created.attributes.key
    assert send("GET", "/api/v2/api_keys", application_key=secret).status == 200
    assert send("DELETE", f"/api/v2/application_keys/{created.id}").status == 204
    for path in ["/api/v2/api_keys", "/api/v1/application_key", "/api/v2/validate_keys"]:
        answer = send("GET", path, application_key=secret)
        assert (answer.status, answer.json) == (401, NOT_AUTHORISED)


def test_credentials_are_judged_before_the_body():
    assert send("POST", "/api/v2/api_keys", "{not JSON", api_key=UNKNOWN_API_KEY).text == UNKNOWN_API_KEY_BODY
    assert send("POST", "/api/v1/api_key", "", api_key=None).text == API_KEY_REQUIRED


def test_any_accept_header_gets_json():
    for accept in ["text/html", "*/*", "application/xml;q=0.9"]:
        answer = send("GET", "/api/v2/api_keys", headers={"Accept": accept})
        assert (answer.status, answer.content_type) == (200, "application/json")
