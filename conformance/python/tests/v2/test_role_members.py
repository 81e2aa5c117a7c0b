"""`/api/v2/roles/{id}/users` and `/api/v2/roles/{id}/permissions`: every change answers what there is now."""

import pytest

from support import is_of_the_newer_services, refused, resource, send, to, understood, unique, unknown_id

PATH = "/api/v2/roles"
UNKNOWN = "00000000-dead-beef-dead-ffffffffffff"


def ids(listed):
    return [one.id for one in listed.data]


class TestUsers:
    def test_add_list_and_remove(self, roles, make_role, make_user):
        role, user = make_role().id, make_user().id
        added = understood(roles.add_user_to_role(role, to("users", user)))
        assert ids(added) == [user]
        assert role in [one.id for one in added.data[0].relationships.roles.data]
        assert added.meta.page.total_count == 1
        listed = understood(roles.list_role_users(role))
        assert (ids(listed), listed.meta.page.total_count) == ([user], 1)
        assert roles.get_role(role).data.attributes.user_count == 1
        removed = understood(roles.remove_user_from_role(role, to("users", user)))
        assert (removed.data, removed.meta.page.total_count) == ([], 0)

    def test_pages_by_name(self, roles, make_role, make_user):
        role, prefix = make_role().id, unique("")
        made = {suffix: make_user(name=prefix + suffix, roles=[role]).id for suffix in ["b", "C", "a"]}
        assert ids(roles.list_role_users(role)) == [made["a"], made["b"], made["C"]]
        page = understood(roles.list_role_users(role, page_size=2, page_number=1))
        assert (ids(page), page.meta.page.total_count) == ([made["C"]], 3)

    def test_unknown_ids(self, make_role, make_user):
        role, user = make_role().id, make_user().id
        for method in ["POST", "DELETE"]:
            assert send(method, f"{PATH}/{UNKNOWN}/users", to("users", user)).status == 404
            assert send(method, f"{PATH}/{role}/users", to("users", unknown_id())).status == 404
        assert send("GET", f"{PATH}/{UNKNOWN}/users").status == 404

    @pytest.mark.parametrize("wrong", [{}, to("roles", UNKNOWN), {"data": {"type": "users"}}, "{not JSON"])
    def test_wrong_bodies(self, make_role, wrong):
        send("POST", f"{PATH}/{make_role().id}/users", wrong).has_failed_with(400)

    def test_takes_effect_at_once(
        self, roles, service_accounts, make_role, make_service_account, permission_ids
    ):
        account = make_service_account().id
        body = resource("application_keys", {"name": unique()})
        key = service_accounts.create_service_account_application_key(account, body).data.attributes.key

        def status():
            return send("GET", "/api/v2/api_keys", application_key=key).status

        role = make_role().id
        assert status() == 403
        roles.add_user_to_role(role, to("users", account))
        assert status() == 403
        permission = to("permissions", permission_ids["api_keys_read"])
        roles.add_permission_to_role(role, permission)
        assert status() == 200
        roles.remove_permission_from_role(role, permission)
        assert status() == 403
        roles.add_permission_to_role(role, permission)
        roles.remove_user_from_role(role, to("users", account))
        assert status() == 403


class TestPermissions:
    def test_grant_list_and_revoke(self, roles, make_role, permission_ids):
        role, permission = make_role().id, to("permissions", permission_ids["admin"])
        granted = understood(roles.add_permission_to_role(role, permission))
        assert str(granted.data[0].type) == "permissions"
        assert permission_ids["admin"] in ids(granted)
        assert sorted(ids(understood(roles.list_role_permissions(role)))) == sorted(ids(granted))
        revoked = understood(roles.remove_permission_from_role(role, permission))
        assert str(revoked.data[0].type) == "permissions"
        assert set(ids(granted)) - set(ids(revoked)) == {permission_ids["admin"]}

    def test_on_the_wire(self, make_role, permission_ids):
        path = f"{PATH}/{make_role().id}/permissions"
        for method in ["POST", "DELETE"]:
            is_of_the_newer_services(send(method, path, to("permissions", permission_ids["admin"])), 200)
        is_of_the_newer_services(send("GET", path), 200)

    def test_unknown_permission(self, make_role):
        path = f"{PATH}/{make_role().id}/permissions"
        for kind in ["permissions", "bad_permission_type"]:
            send("DELETE", path, to(kind, "11111111-dead-beef-dead-ffffffffffff")).has_failed_with(400)
        send("POST", path, to("permissions", unknown_id())).has_failed_with(400)

    def test_unknown_role(self, roles, permission_ids):
        permission = to("permissions", permission_ids["admin"])
        with refused(404, f"{UNKNOWN} not found"):
            roles.remove_permission_from_role(UNKNOWN, permission)
        with refused(404, f"{UNKNOWN} not found"):
            roles.add_permission_to_role(UNKNOWN, permission)
        assert send("GET", f"{PATH}/{UNKNOWN}/permissions").status == 404
