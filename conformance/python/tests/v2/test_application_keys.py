"""`/api/v2/application_keys`: everybody's keys in the org, whose secrets never show here."""

import re

import pytest
from datadog_api_client.v2.model.user import User

from application_key_bodies import patch, update, wrong_patches
from support import (
    EMAIL,
    NOT_AUTHORISED,
    ORG_ID,
    THE_USER,
    TIME_V2,
    USER_ID,
    follow,
    refused,
    send,
    understood,
    unique,
    unknown_id,
)

PATH = "/api/v2/application_keys"
WRITTEN = {"name", "created_at", "last4", "scopes"}
READ = WRITTEN | {"last_used_at"}


def check_relationships(data):
    assert set(data["relationships"]) == {"owned_by", "leak_information"}
    assert follow(data, "owned_by", "leak_information") == {"owned_by": THE_USER, "leak_information": None}


class TestGet:
    def test_by_the_client(self, keys, make_application_key):
        created = make_application_key(scopes=["dashboards_read"])
        found = understood(keys.get_application_key(created.id)).data
        assert (found.id, str(found.type)) == (created.id, "application_keys")
        assert found.attributes.name == created.attributes.name
        assert found.attributes.scopes == ["dashboards_read"]
        assert found.attributes.last4 == created.attributes.key[-4:]
        assert found.attributes.last_used_at is None
        assert "key" not in found.attributes
        assert found.relationships.owned_by.data.id == USER_ID

    def test_on_the_wire(self, make_application_key):
        answer = send("GET", f"{PATH}/{make_application_key().id}")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.attributes) == READ
        assert TIME_V2.fullmatch(answer.attributes["created_at"])
        assert (answer.attributes["scopes"], answer.attributes["last_used_at"]) == (None, None)
        check_relationships(answer.data)

    def test_include(self, keys, make_application_key):
        id = make_application_key().id
        (user,) = understood(keys.get_application_key(id, include="owned_by")).included
        assert isinstance(user.get_oneof_instance(), User)
        assert (user.id, user.attributes.email) == (USER_ID, EMAIL)
        (user,) = send("GET", f"{PATH}/{id}", query={"include": "owned_by"}).json["included"]
        assert user["relationships"] == {"org": {"data": {"type": "orgs", "id": ORG_ID}}}

    def test_bad_include(self, make_application_key):
        send("GET", f"{PATH}/{make_application_key().id}", query={"include": "created_by"}).has_failed_with(
            400
        )

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "Application key not found"):
            keys.get_application_key(id)
        send("GET", f"{PATH}/{id}").has_failed_with(404, "Application key not found")

    def test_id_of_an_api_key(self, keys, make_api_key):
        with refused(404, "Application key not found"):
            keys.get_application_key(make_api_key().id)


class TestUpdate:
    def test_rename(self, keys, make_application_key):
        created, name = make_application_key(scopes=["dashboards_read"]), unique("renamed")
        updated = understood(keys.update_application_key(created.id, update(created.id, name=name))).data
        assert (updated.attributes.name, updated.attributes.scopes) == (name, ["dashboards_read"])
        assert keys.get_application_key(created.id).data.attributes.name == name

    def test_scopes(self, keys, make_application_key):
        created = make_application_key()
        scopes = ["monitors_read", "dashboards_read"]
        updated = keys.update_application_key(created.id, update(created.id, scopes=scopes)).data
        assert (updated.attributes.name, updated.attributes.scopes) == (created.attributes.name, scopes)
        send("GET", PATH, application_key=created.attributes.key).has_failed_with(
            403, "Forbidden", "Failed permission authorization checks"
        )

    @pytest.mark.parametrize("none", [None, []])
    def test_scopes_taken_away(self, keys, make_application_key, none):
        created = make_application_key(scopes=["dashboards_read"])
        updated = keys.update_application_key(created.id, update(created.id, scopes=none)).data
        assert updated.attributes.scopes is None
        assert send("GET", PATH, application_key=created.attributes.key).status == 200

    def test_on_the_wire(self, make_application_key):
        created = make_application_key()
        answer = send("PATCH", f"{PATH}/{created.id}", patch(created.id, name=unique()))
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.attributes) == WRITTEN
        check_relationships(answer.data)

    def test_keeps_the_secret(self, keys, make_application_key):
        created = make_application_key()
        keys.update_application_key(created.id, update(created.id, name=unique()))
        assert keys.get_current_user_application_key(created.id).data.attributes.key == created.attributes.key
        assert send("GET", PATH, application_key=created.attributes.key).status == 200

    def test_unknown_scope(self, make_application_key):
        id = make_application_key().id
        answer = send("PATCH", f"{PATH}/{id}", patch(id, scopes=["dashboards_read", "no_such_scope"]))
        answer.has_failed_with(400)
        assert "Invalid scopes" in answer.json["errors"][0]

    def test_wrong_bodies(self, keys, make_application_key):
        created = make_application_key()
        for wrong, error in wrong_patches(created.id):
            answer = send("PATCH", f"{PATH}/{created.id}", wrong)
            answer.has_failed_with(400, *[error] if error else [])
        assert keys.get_application_key(created.id).data.attributes.name == created.attributes.name

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "Application key not found"):
            keys.update_application_key(id, update(id, name="x"))


class TestDelete:
    def test_is_the_end(self, keys, make_application_key):
        created = make_application_key()
        assert keys.delete_application_key(created.id) is None
        for call in [
            keys.get_application_key,
            keys.get_current_user_application_key,
            keys.delete_application_key,
        ]:
            with refused(404, "Application key not found"):
                call(created.id)
        assert keys.list_application_keys(filter=created.attributes.name).data == []
        answer = send("GET", PATH, application_key=created.attributes.key)
        assert (answer.status, answer.json) == (401, NOT_AUTHORISED)

    def test_deleted_key_is_not_changed(self, keys, make_application_key):
        id = make_application_key().id
        keys.delete_application_key(id)
        with refused(404, "Application key not found"):
            keys.update_application_key(id, update(id, name=unique()))

    def test_on_the_wire(self, make_application_key):
        answer = send("DELETE", f"{PATH}/{make_application_key().id}")
        assert (answer.status, answer.text) == (204, "")
        assert answer.content_type is None or re.match("text/html", answer.content_type)

    def test_with_a_body_of_null(self, make_application_key):
        answer = send(
            "DELETE", f"{PATH}/{make_application_key().id}", "null", headers={"Content-Type": "text/plain"}
        )
        assert answer.status == 204

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, "Application key not found"):
            keys.delete_application_key(id)


def test_create_is_for_the_current_user_only():
    answer = send("POST", PATH, {"data": {"type": "application_keys", "attributes": {"name": "x"}}})
    assert answer.status in (404, 405)


def test_list_by_owner(keys, make_application_key):
    created = make_application_key()
    name = created.attributes.name
    assert [key.id for key in keys.list_application_keys(filter=name, filter_owned_by=USER_ID).data] == [
        created.id
    ]
    assert keys.list_application_keys(filter=name, filter_owned_by=unknown_id()).data == []
