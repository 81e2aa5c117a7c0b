"""`/api/v2/current_user/application_keys`: the caller's own keys, whose secrets show on create, get and patch."""

import re

import pytest
from datadog_api_client.v2.model.role import Role
from datadog_api_client.v2.model.user import User

from application_key_bodies import patch, update, wrong_patches
from support import (
    APPLICATION_KEY_SECRET,
    EMAIL,
    NOT_AUTHORISED,
    THE_USER,
    TIME_V2,
    USER_ID,
    UUID,
    follow,
    refused,
    send,
    understood,
    unique,
    unknown_id,
)

PATH = "/api/v2/current_user/application_keys"
WRITTEN = {"name", "created_at", "last4", "key", "scopes"}
READ = WRITTEN | {"last_used_at"}


def body(name, **attributes):
    return {"data": {"type": "application_keys", "attributes": {"name": name, **attributes}}}


def check_relationships(data):
    assert set(data["relationships"]) == {"owned_by", "leak_information"}
    assert follow(data, "owned_by", "leak_information") == {"owned_by": THE_USER, "leak_information": None}


class TestCreate:
    def test_by_the_client(self, make_application_key):
        name = unique()
        created = make_application_key(name)
        attributes = created.attributes
        assert UUID.fullmatch(created.id)
        assert str(created.type) == "application_keys"
        assert APPLICATION_KEY_SECRET.fullmatch(attributes.key)
        assert (attributes.name, attributes.last4) == (name, attributes.key[-4:])
        assert attributes.scopes is None
        assert created.relationships.owned_by.data.id == USER_ID

    def test_on_the_wire(self, clean_up):
        answer = send("POST", PATH, body(unique()))
        clean_up(f"{PATH}/{answer.data['id']}")
        assert (answer.status, answer.content_type) == (201, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.data) == {"type", "id", "attributes", "relationships"}
        assert set(answer.attributes) == WRITTEN
        assert TIME_V2.fullmatch(answer.attributes["created_at"])
        check_relationships(answer.data)

    def test_scopes_keep_their_order(self, make_application_key, keys):
        scopes = ["dashboards_write", "monitors_read", "dashboards_read", "dashboards_public_share"]
        created = make_application_key(scopes=scopes)
        assert created.attributes.scopes == scopes
        assert keys.get_current_user_application_key(created.id).data.attributes.scopes == scopes

    def test_scopes_given_twice_are_kept_once(self, make_application_key):
        created = make_application_key(scopes=["monitors_read", "dashboards_read", "monitors_read"])
        assert created.attributes.scopes == ["monitors_read", "dashboards_read"]

    @pytest.mark.parametrize("none", [None, []])
    def test_no_scopes(self, keys, make_application_key, none):
        created = make_application_key(scopes=none)
        assert created.attributes.scopes is None
        assert keys.get_current_user_application_key(created.id).data.attributes.scopes is None

    @pytest.mark.parametrize("scope", ["metrics_read", "timeseries_query", "user_self_profile_read", "admin"])
    def test_scope_only_names(self, make_application_key, scope):
        assert make_application_key(scopes=[scope]).attributes.scopes == [scope]

    @pytest.mark.parametrize("scope", ["no_such_scope", "", "Dashboards_Read", unknown_id()])
    def test_unknown_scope(self, scope):
        answer = send("POST", PATH, body(unique(), scopes=["dashboards_read", scope]))
        answer.has_failed_with(400)
        assert "Invalid scopes" in answer.json["errors"][0]

    def test_works_at_once(self, make_application_key):
        assert send("GET", PATH, application_key=make_application_key().attributes.key).status == 200

    def test_with_a_name_taken(self, make_application_key):
        name = unique()
        assert make_application_key(name).id != make_application_key(name).id


class TestValidation:
    """Bodies that the client would not send."""

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"data": {"type": "application_keys", "attributes": {}}}, "'name' is a required property"),
            ({"data": {"type": "application_keys"}}, "'attributes' is a required property"),
            ({"data": {"attributes": {"name": "x"}}}, "'type' is a required property"),
            ({}, "'data' is a required property"),
            (body(None), "None is not of type 'string'"),
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
            body("x", scopes="dashboards_read"),
            body("x", scopes=[7]),
            {"data": {"type": "api_keys", "attributes": {"name": "x"}}},
            [],
            "",
            "null",
            "{not JSON",
        ],
    )
    def test_create_refuses(self, wrong):
        send("POST", PATH, wrong).has_failed_with(400)

    def test_patch_refuses(self, keys, make_application_key):
        created = make_application_key()
        for wrong, error in wrong_patches(created.id):
            answer = send("PATCH", f"{PATH}/{created.id}", wrong)
            answer.has_failed_with(400, *[error] if error else [])
        assert keys.get_application_key(created.id).data.attributes.name == created.attributes.name


class TestGet:
    def test_by_the_client(self, keys, make_application_key):
        created = make_application_key()
        found = understood(keys.get_current_user_application_key(created.id))
        assert (found.data.id, found.data.attributes.key) == (created.id, created.attributes.key)
        assert found.data.attributes.last_used_at is None
        assert isinstance(found.included[0].get_oneof_instance(), User)
        assert found.included[0].id == USER_ID
        assert found.included[1:] and all(
            isinstance(role.get_oneof_instance(), Role) for role in found.included[1:]
        )

    def test_on_the_wire(self, make_application_key):
        answer = send("GET", f"{PATH}/{make_application_key().id}")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert set(answer.json) == {"data", "included"}
        assert set(answer.attributes) == READ
        assert TIME_V2.fullmatch(answer.attributes["created_at"])
        check_relationships(answer.data)

    def test_always_includes_the_owner_and_their_roles(self, make_application_key):
        included = send("GET", f"{PATH}/{make_application_key().id}").json["included"]
        user, *roles = included
        assert {"type": user["type"], "id": user["id"]} == THE_USER
        assert user["attributes"]["email"] == EMAIL
        assert set(user["attributes"]) == {
            "name",
            "handle",
            "created_at",
            "modified_at",
            "email",
            "icon",
            "title",
            "verified",
            "service_account",
            "disabled",
            "allowed_login_methods",
            "status",
        }
        assert list(user["relationships"]) == ["roles"]
        ids = [role["id"] for role in user["relationships"]["roles"]["data"]]
        assert sorted(ids) == sorted(role["id"] for role in roles)
        for role in roles:
            assert set(role) == {"type", "id", "attributes"}
            assert role["type"] == "roles"
            assert set(role["attributes"]) == {"name", "managed", "created_at", "modified_at"}

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "Application key not found"):
            keys.get_current_user_application_key(id)
        send("GET", f"{PATH}/{id}").has_failed_with(404, "Application key not found")


class TestUpdate:
    def test_rename(self, keys, make_application_key):
        created, name = make_application_key(scopes=["dashboards_read"]), unique("renamed")
        change = update(created.id, name=name)
        updated = understood(keys.update_current_user_application_key(created.id, change)).data
        assert (updated.attributes.name, updated.attributes.scopes) == (name, ["dashboards_read"])
        assert updated.attributes.key == created.attributes.key
        assert updated.attributes.created_at == created.attributes.created_at
        assert keys.get_current_user_application_key(created.id).data.attributes.name == name

    def test_on_the_wire(self, make_application_key):
        created = make_application_key()
        answer = send("PATCH", f"{PATH}/{created.id}", patch(created.id, name=unique()))
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.attributes) == WRITTEN
        check_relationships(answer.data)

    def test_scopes_keep_their_order_and_the_secret(self, keys, make_application_key):
        created, scopes = make_application_key(), ["monitors_read", "dashboards_read"]
        updated = keys.update_current_user_application_key(created.id, update(created.id, scopes=scopes)).data
        assert (updated.attributes.scopes, updated.attributes.key) == (scopes, created.attributes.key)

    @pytest.mark.parametrize("none", [None, []])
    def test_scopes_taken_away(self, keys, make_application_key, none):
        created = make_application_key(scopes=["dashboards_read"])
        updated = keys.update_current_user_application_key(created.id, update(created.id, scopes=none)).data
        assert updated.attributes.scopes is None

    def test_unknown_scope(self, keys, make_application_key):
        created = make_application_key(scopes=["dashboards_read"])
        answer = send("PATCH", f"{PATH}/{created.id}", patch(created.id, scopes=["no_such_scope"]))
        answer.has_failed_with(400)
        assert "Invalid scopes" in answer.json["errors"][0]
        found = keys.get_current_user_application_key(created.id).data
        assert found.attributes.scopes == ["dashboards_read"]

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "Application key not found"):
            keys.update_current_user_application_key(id, update(id, name="x"))


class TestDelete:
    def test_is_the_end(self, keys, make_application_key):
        created = make_application_key()
        assert keys.delete_current_user_application_key(created.id) is None
        for call in [
            keys.get_current_user_application_key,
            keys.get_application_key,
            keys.delete_current_user_application_key,
        ]:
            with refused(404, "Application key not found"):
                call(created.id)
        assert keys.list_current_user_application_keys(filter=created.attributes.name).data == []
        answer = send("GET", PATH, application_key=created.attributes.key)
        assert (answer.status, answer.json) == (401, NOT_AUTHORISED)

    def test_on_the_wire(self, make_application_key):
        answer = send("DELETE", f"{PATH}/{make_application_key().id}")
        assert (answer.status, answer.text) == (204, "")
        assert answer.content_type is None or re.match("text/html", answer.content_type)

    def test_with_a_body_of_null(self, make_application_key):
        answer = send(
            "DELETE", f"{PATH}/{make_application_key().id}", "null", headers={"Content-Type": "text/plain"}
        )
        assert answer.status == 204

    def test_the_key_in_use(self, make_application_key):
        created = make_application_key()
        secret = created.attributes.key
        assert send("DELETE", f"{PATH}/{created.id}", application_key=secret).status == 204
        assert send("GET", PATH, application_key=secret).status == 401

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "Application key not found"):
            keys.delete_current_user_application_key(id)
