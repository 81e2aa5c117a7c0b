"""`/api/v2/service_accounts/{id}/application_keys`: as a user's own keys, but the secret shows on create alone."""

import pytest

from application_key_bodies import patch, update, wrong_patches
from support import (
    APPLICATION_KEY_SECRET,
    NOT_AUTHORISED,
    USER_ID,
    refused,
    resource,
    send,
    understood,
    unique,
    unknown_id,
)

SCOPES = ["dashboards_read", "dashboards_write", "dashboards_public_share"]
NOT_FOUND = "Application key not found"


@pytest.fixture
def account(make_service_account):
    """The id of a service account."""
    return make_service_account().id


@pytest.fixture
def path(account):
    return f"/api/v2/service_accounts/{account}/application_keys"


@pytest.fixture
def make(service_accounts, account):
    """Makes a key of the service account, which goes away with it."""

    def make(name=None, **attributes):
        body = resource("application_keys", {"name": name or unique()} | attributes)
        return understood(service_accounts.create_service_account_application_key(account, body)).data

    return make


class TestCreate:
    def test_by_the_client(self, account, make):
        name = unique()
        created = make(name)
        assert (str(created.type), created.attributes.name) == ("application_keys", name)
        assert APPLICATION_KEY_SECRET.fullmatch(created.attributes.key)
        assert created.attributes.last4 == created.attributes.key[-4:]
        assert created.attributes.scopes is None
        assert created.relationships.owned_by.data.id == account

    def test_with_scopes(self, account, make):
        created = make(scopes=SCOPES)
        assert created.attributes.scopes == SCOPES
        assert created.relationships.owned_by.data.id == account

    def test_on_the_wire(self, path, account):
        answer = send("POST", path, resource("application_keys", {"name": unique()}))
        assert (answer.status, answer.content_type) == (201, "application/json")
        assert set(answer.json) == {"data"}
        assert set(answer.attributes) == {"name", "created_at", "last4", "key", "scopes"}
        assert answer.data["relationships"] == {
            "owned_by": {"data": {"type": "users", "id": account}},
            "leak_information": {"data": None},
        }

    def test_unknown_scopes(self, service_accounts, account):
        body = resource("application_keys", {"name": unique(), "scopes": ["no_such_scope"]})
        with refused(400, "Invalid scopes: no_such_scope"):
            service_accounts.create_service_account_application_key(account, body)

    def test_wrong_bodies(self, path):
        send("POST", path, resource("application_keys", {})).has_failed_with(400, "'name' is a required property")
        send("POST", path, resource("application_keys", {"name": " "})).has_failed_with(400)
        send("POST", path, resource("api_keys", {"name": "x"})).has_failed_with(400)


class TestGet:
    def test_by_the_client(self, service_accounts, account, make):
        created = make(scopes=SCOPES)
        found = understood(service_accounts.get_service_account_application_key(account, created.id)).data
        assert (found.id, str(found.type)) == (created.id, "application_keys")
        assert (found.attributes.name, found.attributes.scopes) == (created.attributes.name, SCOPES)

    def test_on_the_wire(self, path, make):
        answer = send("GET", f"{path}/{make().id}")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert {"name", "created_at", "last4", "scopes"} <= set(answer.attributes)
        assert "key" not in answer.attributes
        assert answer.data["relationships"] == {"leak_information": {"data": None}}
        assert "included" not in answer.json

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, service_accounts, account, id):
        with refused(404, NOT_FOUND):
            service_accounts.get_service_account_application_key(account, id)

    def test_somebody_elses(self, service_accounts, account, make_application_key):
        with refused(404, NOT_FOUND):
            service_accounts.get_service_account_application_key(account, make_application_key().id)


class TestList:
    def test_empty(self, service_accounts, account):
        listed = understood(service_accounts.list_service_account_application_keys(account))
        assert (listed.data, listed.meta.max_allowed_per_user) == ([], 1000)
        assert listed.meta.page.total_filtered_count == 0

    def test_by_the_client(self, service_accounts, account, make):
        made = {suffix: make(f"key {suffix}").id for suffix in ["b", "C", "a"]}
        listed = understood(service_accounts.list_service_account_application_keys(account))
        assert [key.id for key in listed.data] == [made["a"], made["b"], made["C"]]
        page = service_accounts.list_service_account_application_keys(
            account, page_size=1, page_number=1, sort="-created_at"
        )
        assert [key.id for key in page.data] == [made["C"]]
        filtered = service_accounts.list_service_account_application_keys(account, filter="key b")
        assert [key.id for key in filtered.data] == [made["b"]]

    def test_shows_no_secret(self, path, make):
        make()
        (item,) = send("GET", path).data
        assert "key" not in item["attributes"]
        assert item["relationships"] == {"leak_information": {"data": None}}


class TestUpdate:
    def test_by_the_client(self, service_accounts, account, make):
        created = make(scopes=["dashboards_read"])
        name = f"{created.attributes.name}-updated"
        updated = understood(
            service_accounts.update_service_account_application_key(account, created.id, update(created.id, name=name))
        ).data
        assert (updated.id, str(updated.type)) == (created.id, "application_keys")
        assert (updated.attributes.name, updated.attributes.scopes) == (name, ["dashboards_read"])

    def test_on_the_wire(self, path, make):
        created = make()
        answer = send("PATCH", f"{path}/{created.id}", patch(created.id, scopes=["dashboards_read"]))
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert set(answer.attributes) == {"name", "created_at", "last4", "scopes"}
        assert answer.attributes["scopes"] == ["dashboards_read"]
        assert answer.data["relationships"] == {"leak_information": {"data": None}}

    def test_wrong_bodies(self, service_accounts, path, account, make):
        created = make()
        for wrong, error in wrong_patches(created.id):
            send("PATCH", f"{path}/{created.id}", wrong).has_failed_with(400, *[error] if error else [])
        found = service_accounts.get_service_account_application_key(account, created.id).data
        assert found.attributes.name == created.attributes.name

    def test_unknown_id(self, service_accounts, account):
        id = unknown_id()
        with refused(404, NOT_FOUND):
            service_accounts.update_service_account_application_key(account, id, update(id, name="x"))


class TestDelete:
    def test_is_the_end(self, service_accounts, account, make):
        created = make()
        secret = created.attributes.key
        assert send("GET", "/api/v2/validate_keys", application_key=secret).status == 200
        assert service_accounts.delete_service_account_application_key(account, created.id) is None
        for call in [
            service_accounts.get_service_account_application_key,
            service_accounts.delete_service_account_application_key,
        ]:
            with refused(404, NOT_FOUND):
                call(account, created.id)
        answer = send("GET", "/api/v2/validate_keys", application_key=secret)
        assert (answer.status, answer.json) == (401, NOT_AUTHORISED)


def test_of_no_service_account(service_accounts, make_user):
    for id in [unknown_id(), make_user().id, USER_ID]:
        body = resource("application_keys", {"name": unique()})
        assert send("POST", f"/api/v2/service_accounts/{id}/application_keys", body).status == 404
        assert send("GET", f"/api/v2/service_accounts/{id}/application_keys").status == 404
