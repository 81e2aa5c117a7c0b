"""`/api/v1/api_key`: flat bodies, the secret as the path, 200 for every success, and v1's own error texts."""

import pytest
from datadog_api_client.v1.model.api_key import ApiKey

from support import (
    API_KEY_SECRET,
    EMAIL,
    NAME_MISSING_V1,
    TIME_V1,
    UNKNOWN_API_KEY,
    UNKNOWN_API_KEY_BODY,
    refused,
    send,
    understood,
    unique,
)

NOT_FOUND = '{"errors": ["API key not found"]}'


@pytest.fixture
def make(keys_v1, clean_up):
    """Makes an API key through v1."""

    def make(name=None):
        created = understood(keys_v1.create_api_key(ApiKey(name=name or unique()))).api_key
        clean_up(f"/api/v1/api_key/{created.key}")
        return created

    return make


def test_create(make):
    name = unique()
    created = make(name)
    assert (created.name, created.created_by) == (name, EMAIL)
    assert API_KEY_SECRET.fullmatch(created.key)
    assert TIME_V1.fullmatch(created.created)


def test_create_on_the_wire(clean_up):
    name = unique()
    answer = send("POST", "/api/v1/api_key", {"name": name})
    assert (answer.status, answer.content_type) == (200, "application/json")
    made = answer.json["api_key"]
    clean_up(f"/api/v1/api_key/{made['key']}")
    assert answer.json == {
        "api_key": {"created_by": EMAIL, "name": name, "key": made["key"], "created": made["created"]}
    }


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_missing_name(method, make):
    path = "/api/v1/api_key" if method == "POST" else f"/api/v1/api_key/{make().key}"
    answer = send(method, path, {})
    assert (answer.status, answer.content_type, answer.text) == (400, "application/json", NAME_MISSING_V1)


def test_missing_name_refused_to_the_client(keys_v1):
    with refused(400, "Required parameter 'name' is missing"):
        keys_v1.create_api_key(ApiKey())


@pytest.mark.parametrize("body", ["", "{not JSON", "[]", '"text"'])
def test_body_that_is_no_object(body):
    send("POST", "/api/v1/api_key", body).has_failed_with(400)


@pytest.mark.parametrize("name", ["", "  ", None, 7])
def test_name_that_is_none(name):
    send("POST", "/api/v1/api_key", {"name": name}).has_failed_with(400)


def test_get(keys_v1, make):
    created = make()
    assert understood(keys_v1.get_api_key(created.key)).api_key == created


def test_get_what_v2_made(keys_v1, make_api_key):
    created = make_api_key()
    found = keys_v1.get_api_key(created.attributes.key).api_key
    assert found.name == created.attributes.name
    assert found.created == created.attributes.created_at.strftime("%Y-%m-%d %H:%M:%S")


def test_list_shows_secrets_by_name(keys_v1, make):
    prefix = unique("")
    made = [make(prefix + suffix) for suffix in ["b", "C", "a"]]
    listed = understood(keys_v1.list_api_keys()).api_keys
    ours = [key for key in listed if key.name.startswith(prefix)]
    assert ours == [made[2], made[0], made[1]]


def test_update_changes_the_name_alone(keys_v1, make):
    created, name = make(), unique("renamed")
    updated = understood(keys_v1.update_api_key(created.key, ApiKey(name=name))).api_key
    assert updated.name == name
    assert (updated.key, updated.created, updated.created_by) == (
        created.key,
        created.created,
        created.created_by,
    )
    assert keys_v1.get_api_key(created.key).api_key == updated


def test_update_looks_at_the_body_before_the_key():
    answer = send("PUT", f"/api/v1/api_key/{UNKNOWN_API_KEY}", {})
    assert (answer.status, answer.text) == (400, NAME_MISSING_V1)


def test_delete_answers_what_it_deleted(keys_v1, make):
    created = make()
    assert understood(keys_v1.delete_api_key(created.key)).api_key == created
    with refused(404, "API key not found"):
        keys_v1.get_api_key(created.key)
    with refused(404, "API key not found"):
        keys_v1.update_api_key(created.key, ApiKey(name=unique()))
    with refused(404, "API key not found"):
        keys_v1.delete_api_key(created.key)
    assert created.key not in [key.key for key in keys_v1.list_api_keys().api_keys]
    assert send("GET", "/api/v1/validate", api_key=created.key).text == UNKNOWN_API_KEY_BODY


def test_delete_the_key_in_use(make):
    created = make()
    answer = send("DELETE", f"/api/v1/api_key/{created.key}", api_key=created.key)
    assert (answer.status, answer.json["api_key"]["key"]) == (200, created.key)
    assert send("GET", "/api/v1/validate", api_key=created.key).text == UNKNOWN_API_KEY_BODY


@pytest.mark.parametrize("key", [UNKNOWN_API_KEY, "invalidId", "A" * 300])
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)])
def test_unknown_or_malformed_key(method, body, key):
    answer = send(method, f"/api/v1/api_key/{key}", body)
    assert (answer.status, answer.content_type, answer.text) == (404, "application/json", NOT_FOUND)


def test_an_id_of_v2_is_no_key_of_v1(make_api_key):
    answer = send("GET", f"/api/v1/api_key/{make_api_key().id}")
    assert (answer.status, answer.text) == (404, NOT_FOUND)
