"""`POST /api/v2/service_accounts`; afterwards a service account is read, changed and disabled as a user."""

import pytest

from support import ORG_ID, refused, resource, send, understood, unique_email, unknown_id

PATH = "/api/v2/service_accounts"


def body(email="robot@example.com", **attributes):
    return resource("users", {"email": email, "service_account": True} | attributes)


class TestCreate:
    def test_with_a_role(self, make_role, make_service_account):
        role, email = make_role().id, unique_email()
        created = make_service_account(email=email, name="Test API Client", roles=[role])
        attributes = created.attributes
        assert (attributes.email, attributes.name) == (email.lower(), "Test API Client")
        assert (attributes.disabled, attributes.service_account) == (False, True)
        assert (attributes.handle, attributes.verified, attributes.status) == (created.id, True, "Active")
        assert [one.id for one in created.relationships.roles.data] == [role]
        assert created.relationships.org.data.id == ORG_ID

    def test_on_the_wire(self, make_role, clean_up, permission_ids):
        role = make_role(permissions=[permission_ids["api_keys_read"]]).id
        with_role = body()
        with_role["data"]["relationships"] = {"roles": {"data": [{"type": "roles", "id": role}]}}
        answer = send("POST", PATH, with_role)
        assert (answer.status, answer.content_type) == (201, "application/json")
        clean_up(f"/api/v2/users/{answer.data['id']}")
        included = [(item["type"], item["id"]) for item in answer.json["included"]]
        assert ("roles", role) in included
        assert ("permissions", permission_ids["api_keys_read"]) in included

    def test_several_with_one_email(self, make_service_account):
        email = unique_email()
        assert make_service_account(email=email).id != make_service_account(email=email).id

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            resource("users", {"service_account": True}),
            resource("users", {"email": "robot@example.com"}),
            body(service_account=False),
            body(email="nobody"),
            resource("roles", {"email": "robot@example.com", "service_account": True}),
            resource(
                "users", {"email": "robot@example.com", "service_account": True}, roles=[("roles", unknown_id())]
            ),
            "{not JSON",
        ],
    )
    def test_wrong_bodies(self, wrong):
        send("POST", PATH, wrong).has_failed_with(400)


def test_is_read_changed_and_disabled_as_a_user(users, make_service_account):
    id = make_service_account(name="Robot").id
    assert understood(users.get_user(id)).data.attributes.service_account is True
    renamed = understood(users.update_user(id, resource("users", {"name": "Machine"}, id=id))).data.attributes
    assert (renamed.name, renamed.handle) == ("Machine", id)
    users.disable_user(id)
    assert users.get_user(id).data.attributes.status == "Disabled"
    with refused(404, f"{id} not found"):
        users.disable_user(id)
