"""`GET /api/v1/validate`: an API key alone is judged, whatever application key comes with it."""

import pytest
from datadog_api_client.exceptions import ForbiddenException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi

from support import API_KEY_REQUIRED, UNKNOWN_API_KEY, UNKNOWN_API_KEY_BODY, UNKNOWN_APPLICATION_KEY, send


def test_good_api_key(client):
    assert AuthenticationApi(client).validate().valid is True


def test_answer_on_the_wire():
    answer = send("GET", "/api/v1/validate", application_key=None)
    assert (answer.status, answer.content_type, answer.json) == (200, "application/json", {"valid": True})


@pytest.mark.parametrize("application_key", [None, UNKNOWN_APPLICATION_KEY, "nonsense"])
def test_application_key_is_ignored(client_with, application_key):
    with client_with(application_key=application_key) as client:
        assert AuthenticationApi(client).validate().valid is True


def test_api_key_just_made(client_with, make_api_key):
    with client_with(api_key=make_api_key().attributes.key) as client:
        assert AuthenticationApi(client).validate().valid is True


def test_unknown_api_key(client_with):
    with client_with(api_key=UNKNOWN_API_KEY) as client, pytest.raises(ForbiddenException) as caught:
        AuthenticationApi(client).validate()
    assert caught.value.body["errors"] == ["Forbidden"]
    answer = send("GET", "/api/v1/validate", api_key=UNKNOWN_API_KEY)
    assert (answer.status, answer.content_type, answer.text) == (
        403,
        "application/json",
        UNKNOWN_API_KEY_BODY,
    )


def test_no_api_key():
    answer = send("GET", "/api/v1/validate", api_key=None, application_key=None)
    assert (answer.status, answer.content_type, answer.text) == (403, "application/json", API_KEY_REQUIRED)


def test_application_key_in_place_of_an_api_key(make_application_key):
    answer = send("GET", "/api/v1/validate", api_key=make_application_key().attributes.key)
    assert (answer.status, answer.text) == (403, UNKNOWN_API_KEY_BODY)
