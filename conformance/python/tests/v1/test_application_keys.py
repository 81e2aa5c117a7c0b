"""`/api/v1/application_key`: the secret is `hash`, names are taken once per owner, and deleting shows the end."""

import pytest
from datadog_api_client.v1.model.application_key import ApplicationKey

from support import (
    APPLICATION_KEY_SECRET,
    EMAIL,
    NAME_MISSING_V1,
    NOT_AUTHORISED,
    UNKNOWN_APPLICATION_KEY,
    refused,
    send,
    understood,
    unique,
)

NOT_FOUND = '{"errors": ["Application key not found"]}'


@pytest.fixture
def make(keys_v1, clean_up):
    """Makes an application key through v1."""

    def make(name=None):
        created = understood(
            keys_v1.create_application_key(ApplicationKey(name=name or unique()))
        ).application_key
        clean_up(f"/api/v1/application_key/{created.hash}")
        return created

    return make


def test_create(make):
    name = unique()
    created = make(name)
    assert (created.name, created.owner) == (name, EMAIL)
    assert APPLICATION_KEY_SECRET.fullmatch(created.hash)


def test_create_on_the_wire(clean_up):
    name = unique()
    answer = send("POST", "/api/v1/application_key", {"name": name})
    assert (answer.status, answer.content_type) == (200, "application/json")
    made = answer.json["application_key"]
    clean_up(f"/api/v1/application_key/{made['hash']}")
    assert type(made["org_id"]) is int
    assert answer.json == {
        "application_key": {
            "owner": EMAIL,
            "org_id": made["org_id"],
            "hash": made["hash"],
            "name": name,
            "revoked": False,
        }
    }


def test_create_makes_a_key_without_scopes_of_the_caller(keys, make):
    created = make()
    assert send("GET", "/api/v2/api_keys", application_key=created.hash).status == 200
    (listed,) = keys.list_current_user_application_keys(filter=created.name).data
    assert (listed.attributes.scopes, listed.attributes.last4) == (None, created.hash[-4:])


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_missing_name(method, make):
    path = "/api/v1/application_key" if method == "POST" else f"/api/v1/application_key/{make().hash}"
    answer = send(method, path, {})
    assert (answer.status, answer.content_type, answer.text) == (400, "application/json", NAME_MISSING_V1)


@pytest.mark.parametrize("name", ["", "  ", None, 7])
def test_name_that_is_none(name):
    send("POST", "/api/v1/application_key", {"name": name}).has_failed_with(400)


def test_create_with_a_name_taken(keys_v1, make):
    name = make().name
    with refused(409, f"An application key with the name {name} already exists"):
        keys_v1.create_application_key(ApplicationKey(name=name))
    answer = send("POST", "/api/v1/application_key", {"name": name})
    assert answer.text == '{"errors": ["An application key with the name %s already exists"]}' % name
    assert answer.content_type == "application/json"


def test_rename_to_a_name_taken(keys_v1, make):
    taken, other = make(), make()
    with refused(409, f"An application key with the name {taken.name} already exists"):
        keys_v1.update_application_key(other.hash, ApplicationKey(name=taken.name))
    assert keys_v1.get_application_key(other.hash).application_key == other


def test_a_name_is_free_again_after_delete(keys_v1, make):
    created = make()
    keys_v1.delete_application_key(created.hash)
    assert make(created.name).hash != created.hash


def test_get(keys_v1, make):
    created = make()
    assert understood(keys_v1.get_application_key(created.hash)).application_key == created


def test_get_what_v2_made(keys_v1, make_application_key):
    created = make_application_key()
    assert keys_v1.get_application_key(created.attributes.key).application_key.name == created.attributes.name


def test_list_shows_secrets_by_name(keys_v1, make):
    prefix = unique("")
    made = [make(prefix + suffix) for suffix in ["b", "C", "a"]]
    listed = understood(keys_v1.list_application_keys()).application_keys
    ours = [key for key in listed if key.name.startswith(prefix)]
    assert ours == [made[2], made[0], made[1]]


def test_update_changes_the_name_alone(keys_v1, make):
    created, name = make(), unique("renamed")
    updated = understood(
        keys_v1.update_application_key(created.hash, ApplicationKey(name=name))
    ).application_key
    assert (updated.name, updated.hash, updated.owner) == (name, created.hash, created.owner)
    assert keys_v1.get_application_key(created.hash).application_key == updated


def test_delete_answers_the_key_as_revoked(make):
    created = make()
    answer = send("DELETE", f"/api/v1/application_key/{created.hash}")
    assert (answer.status, answer.content_type) == (200, "application/json")
    gone = answer.json["application_key"]
    assert (gone["hash"], gone["name"], gone["owner"], gone["revoked"]) == (
        created.hash,
        created.name,
        EMAIL,
        True,
    )
    answer = send("GET", "/api/v1/application_key", application_key=created.hash)
    assert (answer.status, answer.json) == (401, NOT_AUTHORISED)


def test_deleted_key_is_gone(keys_v1, make):
    created = make()
    assert understood(keys_v1.delete_application_key(created.hash)).application_key.hash == created.hash
    for call in [
        lambda: keys_v1.get_application_key(created.hash),
        lambda: keys_v1.update_application_key(created.hash, ApplicationKey(name=unique())),
        lambda: keys_v1.delete_application_key(created.hash),
    ]:
        with refused(404, "Application key not found"):
            call()
    assert created.hash not in [key.hash for key in keys_v1.list_application_keys().application_keys]


@pytest.mark.parametrize("key", [UNKNOWN_APPLICATION_KEY, "invalidId", "A" * 300])
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)])
def test_unknown_or_malformed_key(method, body, key):
    answer = send(method, f"/api/v1/application_key/{key}", body)
    assert (answer.status, answer.content_type, answer.text) == (404, "application/json", NOT_FOUND)
