"""`/api/v2/users`: create, read, list, change, disable; what belongs to a user; what is refused."""

import hashlib

import pytest

from support import (
    NOT_AUTHORISED,
    ORG_ID,
    TIME_V2,
    USER_ID,
    UUID,
    refused,
    resource,
    send,
    understood,
    unique,
    unique_email,
    unknown_id,
)

PATH = "/api/v2/users"
ATTRIBUTES = {
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
ADDED_LATER = {"mfa_enabled", "uuid", "last_login_time"}


class TestCreate:
    def test_by_the_client(self, make_user):
        email = unique_email()
        created = make_user(email=email, name="Datadog API Client Python")
        attributes = created.attributes
        assert UUID.fullmatch(created.id)
        assert (attributes.email, attributes.handle) == (email.lower(), email.lower())
        assert (attributes.name, attributes.title) == ("Datadog API Client Python", None)
        assert (attributes.disabled, attributes.service_account) == (False, False)
        assert (attributes.verified, attributes.status) == (False, "Pending")
        assert created.relationships.roles.data == []
        assert created.relationships.org.data.id == ORG_ID

    def test_on_the_wire(self, clean_up):
        email = unique_email()
        answer = send("POST", PATH, resource("users", {"email": email, "title": "Tester"}))
        clean_up(f"{PATH}/{answer.data['id']}")
        assert (answer.status, answer.content_type) == (201, "application/json")
        assert set(answer.json) == {"data"}
        assert ATTRIBUTES <= set(answer.attributes) <= ATTRIBUTES | ADDED_LATER
        assert (answer.attributes["name"], answer.attributes["title"]) == (None, "Tester")
        assert answer.attributes["allowed_login_methods"] == []
        assert TIME_V2.fullmatch(answer.attributes["created_at"])
        assert answer.attributes["modified_at"] == answer.attributes["created_at"]
        digest = hashlib.md5(email.lower().encode()).hexdigest()
        assert answer.attributes["icon"] == f"https://secure.gravatar.com/avatar/{digest}?s=48&d=retro"

    def test_with_roles(self, users, make_role, make_user, permission_ids):
        role = make_role(permissions=[permission_ids["api_keys_read"]])
        created = make_user(roles=[role.id])
        assert [one.id for one in created.relationships.roles.data] == [role.id]
        included = understood(users.get_user(created.id)).included
        assert role.id in [item.get_oneof_instance().id for item in included]
        permissions = [item["id"] for item in send("GET", f"{PATH}/{created.id}").json["included"]]
        assert permission_ids["api_keys_read"] in permissions

    def test_with_an_email_taken(self, users, make_user):
        email = make_user().attributes.email
        for taken in [email, email.upper()]:
            with refused(409, f"User {email} already exists"):
                users.create_user(resource("users", {"email": taken}))
        answer = send("POST", PATH, resource("users", {"email": email}))
        assert answer.text == f"""{{"errors": ["User {email} already exists"]}}"""

    def test_with_the_email_of_somebody_disabled(self, users, make_user):
        created = make_user()
        users.disable_user(created.id)
        with refused(409, f"User {created.attributes.email} already exists"):
            users.create_user(resource("users", {"email": created.attributes.email}))

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"data": {"type": "users"}},
            resource("users", {}),
            resource("users", {"email": None}),
            resource("users", {"email": "nobody"}),
            resource("roles", {"email": "somebody@example.com"}),
            resource("users", {"email": "somebody@example.com"}, roles=[("roles", unknown_id())]),
            resource("users", {"email": "somebody@example.com"}, roles=[("users", USER_ID)]),
            "{not JSON",
            "",
        ],
    )
    def test_wrong_bodies(self, wrong):
        send("POST", PATH, wrong).has_failed_with(400)


class TestGet:
    def test_by_the_client(self, users, make_user):
        created = make_user()
        found = understood(users.get_user(created.id)).data
        assert (found.id, found.attributes.email) == (created.id, created.attributes.email)

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, users, id):
        with refused(404, "user not found"):
            users.get_user(id)

    def test_permissions(self, users, make_role, make_user, permission_ids):
        assert understood(users.list_user_permissions(make_user().id)).data == []
        one = make_role(permissions=[permission_ids["api_keys_read"]], default_permissions_opt_out=True)
        both = [permission_ids["api_keys_read"], permission_ids["api_keys_write"]]
        other = make_role(permissions=both, default_permissions_opt_out=True)
        listed = understood(users.list_user_permissions(make_user(roles=[one.id, other.id]).id)).data
        assert {permission.attributes.name for permission in listed} == {"api_keys_read", "api_keys_write"}
        assert len(listed) == 2

    def test_permissions_of_nobody(self, users):
        with refused(404, "user not found"):
            users.list_user_permissions(unknown_id())


class TestList:
    def test_filter_by_email(self, users, make_user):
        created = make_user()
        listed = understood(users.list_users(filter=created.attributes.email))
        assert [user.id for user in listed.data] == [created.id]
        assert listed.meta.page.total_filtered_count == 1
        assert listed.meta.page.total_count >= 2

    def test_filter_by_part_of_a_name_in_pages(self, users, make_user):
        prefix = unique("")
        made = {suffix: make_user(name=prefix + suffix).id for suffix in ["b", "C", "a"]}
        listed = understood(users.list_users(filter=prefix))
        assert [user.id for user in listed.data] == [made["a"], made["b"], made["C"]]
        page = understood(users.list_users(filter=prefix, page_size=2, page_number=1))
        assert [user.id for user in page.data] == [made["C"]]
        assert page.meta.page.total_filtered_count == 3

    def test_filter_by_status(self, users, make_user):
        name = unique("")
        pending, disabled = make_user(name=name + "p"), make_user(name=name + "d")
        users.disable_user(disabled.id)
        for status, ids in [
            ("Pending", [pending.id]),
            ("Disabled", [disabled.id]),
            ("Active", []),
            ("Pending,Disabled", [disabled.id, pending.id]),
        ]:
            listed = understood(users.list_users(filter=name, filter_status=status)).data
            assert [user.id for user in listed] == ids

    def test_meta_on_the_wire(self):
        answer = send("GET", PATH)
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert answer.json["meta"]["page"].keys() >= {"total_count", "total_filtered_count", "max_page_size"}
        assert answer.json["meta"]["page"]["max_page_size"] == 1000

    @pytest.mark.parametrize("query", [{"page[size]": "1001"}, {"page[number]": "-1"}, {"filter[status]": "Gone"}])
    def test_bad_parameters(self, query):
        send("GET", PATH, query=query).has_failed_with(400)


class TestUpdate:
    def test_name_and_disabled(self, users, make_user):
        created = make_user(title="Tester")
        body = resource("users", {"name": "updated", "disabled": True}, id=created.id)
        updated = understood(users.update_user(created.id, body)).data.attributes
        assert (updated.email, updated.title) == (created.attributes.email, "Tester")
        assert (updated.name, updated.disabled, updated.status) == ("updated", True, "Disabled")
        body = resource("users", {"disabled": False}, id=created.id)
        again = understood(users.update_user(created.id, body)).data.attributes
        assert (again.name, again.disabled) == ("updated", False)

    def test_another_id_in_the_body(self, users, make_user):
        id = make_user().id
        body = resource("users", {"name": "updated"}, id="00000000-mismatch-body-id-ffffffffffff")
        with refused(422, "UUID's in the URL and request body do not match"):
            users.update_user(id, body)

    def test_unknown_id(self, users):
        id = "00000000-dead-beef-dead-ffffffffffff"
        with refused(404, f"{id} not found"):
            users.update_user(id, resource("users", {"name": "updated", "disabled": True}, id=id))

    def test_wrong_bodies(self, users, make_user):
        created = make_user()
        for wrong in [{}, resource("users", {"name": 7}, id=created.id), resource("roles", {}, id=created.id)]:
            send("PATCH", f"{PATH}/{created.id}", wrong).has_failed_with(400)
        assert users.get_user(created.id).data.attributes.name is None


class TestDisable:
    def test_by_the_client(self, users, make_user):
        id = make_user().id
        assert users.disable_user(id) is None
        found = understood(users.get_user(id)).data.attributes
        assert (found.disabled, found.status) == (True, "Disabled")
        with refused(404, f"{id} not found"):
            users.disable_user(id)

    def test_unknown_id(self, users):
        id = unknown_id()
        with refused(404, f"{id} not found"):
            users.disable_user(id)

    def test_ends_a_service_accounts_keys_for_good(self, users, service_accounts, make_service_account):
        account = make_service_account().id
        body = resource("application_keys", {"name": unique()})
        key = service_accounts.create_service_account_application_key(account, body).data.attributes.key
        assert send("GET", "/api/v2/validate_keys", application_key=key).status == 200
        users.disable_user(account)
        for _ in range(2):
            answer = send("GET", "/api/v2/validate_keys", application_key=key)
            assert (answer.status, answer.json) == (401, NOT_AUTHORISED)
            users.update_user(account, resource("users", {"disabled": False}, id=account))
