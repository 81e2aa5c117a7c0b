"""`/api/v2/roles`: create, read, list, change, delete, clone; the default permissions; what is refused."""

import pytest

from support import (
    TIME_Z,
    UUID,
    is_of_the_newer_services,
    refused,
    resource,
    send,
    understood,
    unique,
    unknown_id,
)

PATH = "/api/v2/roles"
UNKNOWN = "00000000-dead-beef-dead-ffffffffffff"
MANAGED = {"Datadog Admin Role", "Datadog Standard Role", "Datadog Read Only Role"}
WRITTEN = {"name", "managed", "created_at", "modified_at"}


@pytest.fixture
def defaults(roles):
    """The ids of the permissions that every new role gets."""
    return {one.id for one in roles.list_permissions().data if one.attributes.restricted}


def permissions_of(data):
    return {permission.id for permission in data.relationships.permissions.data}


class TestCreate:
    def test_by_the_client(self, make_role, defaults):
        name = unique("role")
        created = make_role(name)
        assert UUID.fullmatch(created.id)
        assert (str(created.type), created.attributes.name) == ("roles", name)
        assert permissions_of(created) == defaults

    def test_on_the_wire(self, clean_up):
        answer = send("POST", PATH, resource("roles", {"name": unique("role")}))
        is_of_the_newer_services(answer, 200)
        clean_up(f"{PATH}/{answer.data['id']}")
        assert set(answer.attributes) >= WRITTEN
        assert answer.attributes["managed"] is False
        assert TIME_Z.fullmatch(answer.attributes["created_at"])

    def test_with_permissions(self, make_role, defaults, permission_ids):
        extra = permission_ids["api_keys_read"]
        assert permissions_of(make_role(permissions=[extra])) == defaults | {extra}
        bare = make_role(permissions=[extra], default_permissions_opt_out=True)
        assert permissions_of(bare) == {extra}

    def test_with_a_name_taken(self, roles, make_role):
        with refused(409, "A role with the same name already exists"):
            roles.create_role(resource("roles", {"name": make_role().attributes.name}))

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            resource("roles", {}),
            resource("roles", {"name": None}),
            resource("roles", {"name": "   "}),
            resource("users", {"name": "x"}),
            resource("roles", {"name": "x"}, permissions=[("permissions", unknown_id())]),
            resource("roles", {"name": "x"}, permissions=[("roles", unknown_id())]),
            "{not JSON",
        ],
    )
    def test_wrong_bodies(self, wrong):
        send("POST", PATH, wrong).has_failed_with(400)


class TestGet:
    def test_by_the_client(self, roles, make_role):
        created = make_role()
        found = understood(roles.get_role(created.id)).data
        assert (found.id, found.attributes.name) == (created.id, created.attributes.name)
        assert found.attributes.user_count == 0
        assert permissions_of(found) == permissions_of(created)

    def test_on_the_wire(self, make_role):
        answer = send("GET", f"{PATH}/{make_role().id}")
        is_of_the_newer_services(answer, 200)
        assert set(answer.attributes) >= WRITTEN | {"user_count", "created_by_handle", "modified_by_handle"}

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, id):
        answer = send("GET", f"{PATH}/{id}")
        assert answer.status == 404
        assert answer.json == {"errors": [{"title": "Generic Error", "detail": "could not find the uuid."}]}


class TestList:
    def test_filter(self, roles, make_role):
        created = make_role()
        listed = understood(roles.list_roles(filter=created.attributes.name))
        assert [role.id for role in listed.data] == [created.id]
        assert listed.data[0].attributes.name == created.attributes.name
        assert listed.meta.page.total_filtered_count == 1
        assert listed.meta.page.total_count >= 4

    def test_pages(self, roles, make_role):
        prefix = unique("")
        made = {suffix: make_role(prefix + suffix).id for suffix in ["b", "C", "a"]}
        assert [role.id for role in roles.list_roles(filter=prefix).data] == [made["a"], made["b"], made["C"]]
        page = understood(roles.list_roles(filter=prefix, page_size=2, page_number=1))
        assert [role.id for role in page.data] == [made["C"]]

    def test_managed(self):
        listed = send("GET", PATH, query={"filter": "Datadog "}).data
        assert {role["attributes"]["name"] for role in listed if role["attributes"]["managed"]} == MANAGED
        assert all("user_count" in role["attributes"] and role["relationships"]["permissions"] for role in listed)

    @pytest.mark.parametrize("query", [{"page[size]": "101"}, {"page[number]": "x"}, {"sort": "nonsense"}])
    def test_bad_parameters(self, query):
        send("GET", PATH, query=query).has_failed_with(400)


class TestUpdate:
    def test_name(self, roles, make_role):
        created = make_role()
        name = f"{created.attributes.name}-updated"
        updated = understood(roles.update_role(created.id, resource("roles", {"name": name}, id=created.id))).data
        assert updated.attributes.name == name
        assert roles.get_role(created.id).data.attributes.name == name

    def test_permissions_are_replaced_and_defaults_added_again(self, roles, make_role, defaults, permission_ids):
        created = make_role(permissions=[permission_ids["api_keys_read"]])
        to = permission_ids["api_keys_write"]
        body = resource(
            "roles", {"name": created.attributes.name}, id=created.id, permissions=[("permissions", to)]
        )
        understood(roles.update_role(created.id, body))
        assert permissions_of(roles.get_role(created.id).data) == defaults | {to}

    def test_unknown_permission(self, roles, make_role):
        created = make_role()
        name = f"{created.attributes.name}-updated"
        links = {"permissions": [("permissions", "11111111-dead-beef-dead-ffffffffffff")]}
        with refused(400, "Invalid input "):
            roles.update_role(created.id, resource("roles", {"name": name}, id=created.id, **links))
        assert roles.get_role(created.id).data.attributes.name == created.attributes.name

    def test_another_id_in_the_body(self, roles, make_role):
        with refused(422, "The id attribute in the request body does not match the role_id in the URL"):
            roles.update_role(make_role().id, resource("roles", {"name": unique("role")}, id=UNKNOWN))

    def test_unknown_id(self, roles):
        with refused(404, f"{UNKNOWN} not found"):
            roles.update_role(UNKNOWN, resource("roles", {"name": "updated"}, id=UNKNOWN))

    def test_what_is_managed_stays(self):
        (admin,) = send("GET", PATH, query={"filter": "Datadog Admin Role"}).data
        answer = send("PATCH", f"{PATH}/{admin['id']}", resource("roles", {"name": "Boss"}, id=admin["id"]))
        assert answer.status in (400, 403)
        assert send("GET", f"{PATH}/{admin['id']}").attributes["name"] == "Datadog Admin Role"
        assert send("DELETE", f"{PATH}/{admin['id']}").status in (400, 403)


class TestDelete:
    def test_is_the_end(self, roles, make_role):
        id = make_role().id
        assert roles.delete_role(id) is None
        assert send("GET", f"{PATH}/{id}").status == 404
        with refused(404, f"{id} not found"):
            roles.delete_role(id)

    def test_takes_it_from_its_users(self, roles, users, make_role, make_user):
        role = make_role()
        user = make_user(roles=[role.id])
        roles.delete_role(role.id)
        assert users.get_user(user.id).data.relationships.roles.data == []


class TestClone:
    def test_has_the_same_permissions(self, roles, make_role, clean_up, permission_ids):
        created = make_role(permissions=[permission_ids["api_keys_read"]], default_permissions_opt_out=True)
        name = unique("clone")
        clone = understood(roles.clone_role(created.id, resource("roles", {"name": name}))).data
        clean_up(f"{PATH}/{clone.id}")
        assert clone.attributes.name == name
        assert clone.id != created.id
        assert permissions_of(roles.get_role(clone.id).data) == {permission_ids["api_keys_read"]}

    def test_with_a_name_taken(self, roles, make_role):
        created = make_role()
        with refused(409, "A role with the same name already exists"):
            roles.clone_role(created.id, resource("roles", {"name": created.attributes.name}))

    def test_with_a_blank_name(self, roles, make_role):
        with refused(400, "Role names cannot be only whitespace"):
            roles.clone_role(make_role().id, resource("roles", {"name": "    "}))

    def test_of_no_role(self):
        assert send("POST", f"{PATH}/{unknown_id()}/clone", resource("roles", {"name": "x"})).status == 404
