"""`GET /api/v2/validate_keys`: both keys must be good; no permission is needed."""

from datadog_api_client.v2.api.key_management_api import KeyManagementApi

from support import (
    API_KEY_REQUIRED,
    NOT_AUTHORISED,
    UNKNOWN_API_KEY,
    UNKNOWN_API_KEY_BODY,
    UNKNOWN_APPLICATION_KEY,
    refused,
    send,
    understood,
)


def test_good_keys(keys):
    assert str(understood(keys.validate_api_key()).status) == "ok"


def test_answer_on_the_wire():
    answer = send("GET", "/api/v2/validate_keys")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_scopes_do_not_matter(client_with, make_application_key):
    scoped = make_application_key(scopes=["dashboards_read"]).attributes.key
    with client_with(application_key=scoped) as client:
        assert str(KeyManagementApi(client).validate_api_key().status) == "ok"


def test_unknown_application_key(client_with):
    with client_with(application_key=UNKNOWN_APPLICATION_KEY) as client, refused(401, "Unauthorized"):
        KeyManagementApi(client).validate_api_key()


def test_no_application_key():
    answer = send("GET", "/api/v2/validate_keys", application_key=None)
    assert (answer.status, answer.json) == (401, NOT_AUTHORISED)


def test_unknown_api_key():
    answer = send("GET", "/api/v2/validate_keys", api_key=UNKNOWN_API_KEY)
    assert (answer.status, answer.text) == (403, UNKNOWN_API_KEY_BODY)


def test_no_api_key():
    answer = send("GET", "/api/v2/validate_keys", api_key=None)
    assert (answer.status, answer.text) == (403, API_KEY_REQUIRED)
