"""`/api/v2/api_keys`: create, read, rename, revoke; where the secret shows and where not; what is refused."""

import re

import pytest
from datadog_api_client.v2.model.api_key_update_attributes import APIKeyUpdateAttributes
from datadog_api_client.v2.model.api_key_update_data import APIKeyUpdateData
from datadog_api_client.v2.model.api_key_update_request import APIKeyUpdateRequest
from datadog_api_client.v2.model.api_keys_type import APIKeysType
from datadog_api_client.v2.model.user import User

from support import (
    API_KEY_SECRET,
    EMAIL,
    ORG_ID,
    THE_USER,
    TIME_V2,
    UNKNOWN_API_KEY_BODY,
    USER_ID,
    UUID,
    follow,
    refused,
    send,
    understood,
    unique,
    unknown_id,
)

PATH = "/api/v2/api_keys"
WRITTEN = {"created_at", "key", "last4", "modified_at", "remote_config_read_enabled", "category", "name"}
READ = WRITTEN | {"date_last_used", "used_in_last_24_hours", "last_used_date"}
NEVER_USED = {
    "date_last_used": None,
    "used_in_last_24_hours": False,
    "last_used_date": {
        "timestamp": None,
        "description": "Timestamp of when this key was last used in the past ninety (90) days, null if no recent usage",
    },
}


def body(name, **attributes):
    return {"data": {"type": "api_keys", "attributes": {"name": name, **attributes}}}


def patch(id, **attributes):
    return {"data": {"type": "api_keys", "id": id, "attributes": attributes}}


def update(id, **attributes):
    data = APIKeyUpdateData(attributes=APIKeyUpdateAttributes(**attributes), id=id, type=APIKeysType.API_KEYS)
    return APIKeyUpdateRequest(data=data)


def check_relationships(data):
    assert set(data["relationships"]) == {"created_by", "modified_by", "leak_information"}
    assert follow(data, "created_by", "modified_by", "leak_information") == {
        "created_by": THE_USER,
        "modified_by": THE_USER,
        "leak_information": None,
    }


class TestCreate:
    def test_by_the_client(self, make_api_key):
        name = unique()
        created = make_api_key(name)
        attributes = created.attributes
        assert UUID.fullmatch(created.id)
        assert str(created.type) == "api_keys"
        assert API_KEY_SECRET.fullmatch(attributes.key)
        assert (attributes.name, attributes.last4) == (name, attributes.key[-4:])
        assert (attributes.remote_config_read_enabled, attributes.category) == (True, "default")
        assert created.relationships.created_by.data.id == USER_ID

    def test_on_the_wire(self, clean_up):
        answer = send("POST", PATH, body(unique()))
        clean_up(f"{PATH}/{answer.data['id']}")
        assert (answer.status, answer.content_type) == (201, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.data) == {"type", "id", "attributes", "relationships"}
        assert set(answer.attributes) == WRITTEN
        assert TIME_V2.fullmatch(answer.attributes["created_at"])
        assert answer.attributes["modified_at"] == answer.attributes["created_at"]
        check_relationships(answer.data)

    def test_without_remote_config(self, keys, make_api_key):
        created = make_api_key(remote_config_read_enabled=False)
        assert created.attributes.remote_config_read_enabled is False
        assert keys.get_api_key(created.id).data.attributes.remote_config_read_enabled is False

    def test_works_at_once(self, make_api_key):
        assert send("GET", PATH, api_key=make_api_key().attributes.key).status == 200

    def test_with_a_name_taken(self, make_api_key):
        name = unique()
        assert make_api_key(name).id != make_api_key(name).id

    @pytest.mark.parametrize("name", ["a", "Größe “£” 🔑", "[DO NOT DELETE] x", "a/b?c=d&e#f%20", "x" * 200])
    def test_names_are_kept_as_given(self, keys, make_api_key, name):
        created = make_api_key(name)
        assert created.attributes.name == name
        assert keys.get_api_key(created.id).data.attributes.name == name

    def test_over_the_limit_of_the_org(self, clean_up):
        for _ in range(201):
            answer = send("POST", PATH, body(unique()))
            if answer.status != 201:
                break
            clean_up(f"{PATH}/{answer.data['id']}")
        answer.has_failed_with(400)
        assert answer.json["errors"][0].startswith(
            "You have exceeded the maximum number of permitted API keys"
        )
        assert send("GET", PATH).json["meta"]["page"]["total_filtered_count"] == 200


class TestValidation:
    """Bodies that the client would not send."""

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"data": {"type": "api_keys", "attributes": {}}}, "'name' is a required property"),
            ({"data": {"type": "api_keys"}}, "'attributes' is a required property"),
            ({"data": {"attributes": {"name": "x"}}}, "'type' is a required property"),
            ({}, "'data' is a required property"),
            (body(None), "None is not of type 'string'"),
            (body(7), "7 is not of type 'string'"),
            (body("x", owner="me"), "Additional properties are not allowed ('owner' was unexpected)"),
        ],
    )
    def test_create_says_what_is_wrong(self, wrong, error):
        send("POST", PATH, wrong).has_failed_with(400, error)

    @pytest.mark.parametrize(
        "wrong",
        [
            body(""),
            body("   "),
            body("x", remote_config_read_enabled="yes"),
            body("x", category=7),
            {"data": {"type": "application_keys", "attributes": {"name": "x"}}},
            {"data": [body("x")["data"]]},
            [],
            "",
            "null",
            "{not JSON",
        ],
    )
    def test_create_refuses(self, wrong):
        send("POST", PATH, wrong).has_failed_with(400)

    def test_patch_says_what_is_wrong(self, make_api_key):
        id = make_api_key().id
        for wrong, error in [
            (patch(id), "'name' is a required property"),
            ({"data": {"type": "api_keys", "attributes": {"name": "x"}}}, "'id' is a required property"),
            ({"data": {"id": id, "attributes": {"name": "x"}}}, "'type' is a required property"),
            (patch(id, name=None), "None is not of type 'string'"),
            (patch(id, name="x", key="y"), "Additional properties are not allowed ('key' was unexpected)"),
        ]:
            send("PATCH", f"{PATH}/{id}", wrong).has_failed_with(400, error)

    def test_patch_refuses(self, keys, make_api_key):
        created = make_api_key()
        other_type = {"data": {"type": "users", "id": created.id, "attributes": {"name": "x"}}}
        for wrong in [patch(unknown_id(), name="x"), patch(created.id, name=""), other_type, "{not JSON", ""]:
            send("PATCH", f"{PATH}/{created.id}", wrong).has_failed_with(400)
        assert keys.get_api_key(created.id).data.attributes.name == created.attributes.name


class TestGet:
    def test_by_the_client(self, keys, make_api_key):
        created = make_api_key()
        found = understood(keys.get_api_key(created.id)).data
        assert (found.id, found.attributes.key) == (created.id, created.attributes.key)
        assert found.attributes.created_at == created.attributes.created_at
        assert found.attributes.date_last_used is None

    def test_on_the_wire(self, make_api_key):
        created = make_api_key()
        answer = send("GET", f"{PATH}/{created.id}")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.attributes) == READ
        assert {name: answer.attributes[name] for name in NEVER_USED} == NEVER_USED
        assert TIME_V2.fullmatch(answer.attributes["created_at"])
        check_relationships(answer.data)

    @pytest.mark.parametrize("include", ["created_by", "modified_by", "created_by,modified_by"])
    def test_include(self, keys, make_api_key, include):
        id = make_api_key().id
        (user,) = understood(keys.get_api_key(id, include=include)).included
        assert isinstance(user.get_oneof_instance(), User)
        assert (user.id, user.attributes.email) == (USER_ID, EMAIL)
        (user,) = send("GET", f"{PATH}/{id}", query={"include": include}).json["included"]
        assert user["relationships"] == {"org": {"data": {"type": "orgs", "id": ORG_ID}}}

    def test_bad_include(self, make_api_key):
        send("GET", f"{PATH}/{make_api_key().id}", query={"include": "everything"}).has_failed_with(400)

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "API key not found"):
            keys.get_api_key(id)
        send("GET", f"{PATH}/{id}").has_failed_with(404, "API key not found")

    def test_id_of_an_application_key(self, keys, make_application_key):
        with refused(404, "API key not found"):
            keys.get_api_key(make_application_key().id)


class TestUpdate:
    def test_rename(self, keys, make_api_key):
        created, name = make_api_key(), unique("renamed")
        updated = understood(keys.update_api_key(created.id, update(created.id, name=name))).data
        assert updated.attributes.name == name
        assert updated.attributes.key == created.attributes.key
        assert updated.attributes.created_at == created.attributes.created_at
        assert updated.attributes.modified_at > created.attributes.modified_at
        found = keys.get_api_key(created.id).data.attributes
        assert (found.name, found.modified_at) == (name, updated.attributes.modified_at)
        assert send("GET", PATH, api_key=created.attributes.key).status == 200

    def test_on_the_wire(self, make_api_key):
        created = make_api_key()
        answer = send("PATCH", f"{PATH}/{created.id}", patch(created.id, name=unique()))
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.attributes) == WRITTEN
        assert TIME_V2.fullmatch(answer.attributes["modified_at"])
        check_relationships(answer.data)

    def test_same_name_changes_nothing(self, keys, make_api_key):
        created = make_api_key()
        updated = keys.update_api_key(created.id, update(created.id, name=created.attributes.name)).data
        assert updated.attributes.modified_at == created.attributes.modified_at

    def test_remote_config_off_and_on(self, keys, make_api_key):
        created = make_api_key()
        name = created.attributes.name
        for is_enabled in [False, True]:
            change = update(created.id, name=name, remote_config_read_enabled=is_enabled)
            updated = keys.update_api_key(created.id, change).data.attributes
            assert (updated.name, updated.remote_config_read_enabled) == (name, is_enabled)
            assert keys.get_api_key(created.id).data.attributes.remote_config_read_enabled is is_enabled

    def test_what_is_absent_stays(self, keys, make_api_key):
        created = make_api_key(remote_config_read_enabled=False)
        updated = keys.update_api_key(created.id, update(created.id, name=unique())).data.attributes
        assert (updated.remote_config_read_enabled, updated.category) == (False, "default")

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "API key not found"):
            keys.update_api_key(id, update(id, name="x"))


class TestDelete:
    def test_revokes(self, keys, make_api_key):
        created = make_api_key()
        assert keys.delete_api_key(created.id) is None
        found = understood(keys.get_api_key(created.id)).data
        assert (found.id, found.attributes.status) == (created.id, "revoked")
        assert keys.list_api_keys(filter=created.attributes.name).data == []
        assert send("GET", PATH, api_key=created.attributes.key).text == UNKNOWN_API_KEY_BODY

    def test_on_the_wire(self, make_api_key):
        answer = send("DELETE", f"{PATH}/{make_api_key().id}")
        assert (answer.status, answer.text) == (204, "")
        assert answer.content_type is None or re.match("text/html", answer.content_type)

    def test_second_call(self, keys, make_api_key):
        id = make_api_key().id
        keys.delete_api_key(id)
        with refused(404, "API key not found"):
            keys.delete_api_key(id)

    def test_revoked_key_is_not_changed(self, keys, make_api_key):
        id = make_api_key().id
        keys.delete_api_key(id)
        with refused(404, "API key not found"):
            keys.update_api_key(id, update(id, name=unique()))

    def test_revoked_key_is_unknown_to_v1(self, keys, make_api_key):
        created = make_api_key()
        keys.delete_api_key(created.id)
        send("GET", f"/api/v1/api_key/{created.attributes.key}").has_failed_with(404, "API key not found")

    def test_status_is_of_revoked_keys_only(self, make_api_key):
        assert "status" not in send("GET", f"{PATH}/{make_api_key().id}").attributes

    def test_the_key_in_use(self, make_api_key):
        created = make_api_key()
        assert send("DELETE", f"{PATH}/{created.id}", api_key=created.attributes.key).status == 204
        assert send("GET", "/api/v1/validate", api_key=created.attributes.key).status == 403

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "API key not found"):
            keys.delete_api_key(id)

    def test_with_a_body_of_null(self, make_api_key):
        answer = send("DELETE", f"{PATH}/{make_api_key().id}", "null", headers={"Content-Type": "text/plain"})
        assert answer.status == 204
