"""`/api/v2/service_accounts/{id}/access_tokens`: as personal access tokens, but they may never end."""

from datetime import datetime, timedelta, timezone

import pytest

from support import (
    NOT_AUTHORISED,
    SAT_SECRET,
    TIME_TOKEN,
    TIME_TOKEN_MADE,
    UUID,
    is_of_the_newer_services,
    refused,
    resource,
    send,
    understood,
    unique,
    unknown_id,
)

SCOPES = ["dashboards_read", "monitors_read"]
KIND = "service_access_tokens"


@pytest.fixture
def account(make_service_account):
    """The id of a service account."""
    return make_service_account().id


@pytest.fixture
def path(account):
    return f"/api/v2/service_accounts/{account}/access_tokens"


@pytest.fixture
def make(service_accounts, account):
    """Makes a token of the service account, which goes away with it."""

    def make(name=None, **attributes):
        attributes = {"name": name or unique("token"), "scopes": SCOPES} | attributes
        body = resource(KIND, attributes)
        return understood(service_accounts.create_service_account_access_token(account, body)).data

    return make


def body(**attributes):
    return resource(KIND, {"name": unique("token"), "scopes": SCOPES} | attributes)


class TestCreate:
    def test_by_the_client(self, account, make):
        name = unique("token")
        created = make(name)
        assert UUID.fullmatch(created.id)
        assert (str(created.type), created.attributes.name) == (KIND, name)
        assert created.attributes.scopes == SCOPES
        assert SAT_SECRET.fullmatch(created.attributes.key)[1] == created.attributes.public_portion
        assert created.attributes.get("expires_at") is None
        assert created.relationships.owned_by.data.id == account

    def test_on_the_wire(self, path, account):
        end = datetime.now(timezone.utc).replace(microsecond=540000) + timedelta(days=30)
        answer = send("POST", path, body(expires_at=end.isoformat()))
        is_of_the_newer_services(answer, 201)
        assert answer.data["relationships"] == {"owned_by": {"data": {"id": account, "type": "service_account"}}}
        assert set(answer.attributes) == {"created_at", "expires_at", "key", "name", "public_portion", "scopes"}
        assert answer.attributes["expires_at"] == end.strftime("%Y-%m-%dT%H:%M:%S.54Z")
        assert TIME_TOKEN_MADE.fullmatch(answer.attributes["created_at"])

    def test_works_at_once(self, make):
        token = make().attributes.key
        alone = {"api_key": None, "application_key": None}
        assert send("GET", "/api/v2/validate_keys", **alone, token=token).status == 200
        assert send("GET", "/api/v2/validate_keys", api_key=None, application_key=token).status == 200

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            resource(KIND, {"scopes": SCOPES}),
            resource(KIND, {"name": "x"}),
            body(name=""),
            body(scopes=[]),
            body(scopes=["no_such_scope"]),
            body(expires_at="tomorrow"),
            body(expires_at=(datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()),
            resource("api_keys", {"name": "x", "scopes": SCOPES}),
        ],
    )
    def test_wrong_bodies(self, path, wrong):
        answer = send("POST", path, wrong)
        assert answer.status == 400
        assert answer.json["errors"] and all(isinstance(error, str) for error in answer.json["errors"])

    def test_unknown_scopes(self, service_accounts, account):
        with refused(400, "Invalid scopes: no_such_scope"):
            service_accounts.create_service_account_access_token(account, body(scopes=["no_such_scope"]))


class TestGet:
    def test_by_the_client(self, service_accounts, account, make):
        created = make()
        found = understood(service_accounts.get_service_account_access_token(account, created.id)).data
        assert (found.id, str(found.type)) == (created.id, KIND)
        assert found.attributes.name == created.attributes.name
        assert found.attributes.public_portion == created.attributes.public_portion
        assert found.attributes.last_used_at is None

    def test_on_the_wire(self, path, make):
        answer = send("GET", f"{path}/{make().id}")
        is_of_the_newer_services(answer, 200)
        assert set(answer.attributes) == {
            "created_at",
            "expires_at",
            "last_used_at",
            "name",
            "public_portion",
            "scopes",
        }
        assert answer.attributes["expires_at"] is None
        assert TIME_TOKEN.fullmatch(answer.attributes["created_at"])

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, path, id):
        answer = send("GET", f"{path}/{id}")
        assert (answer.status, list(answer.json)) == (404, ["errors"])


class TestList:
    def test_empty(self, path):
        answer = send("GET", path)
        is_of_the_newer_services(answer, 200)
        assert answer.json == {"data": [], "meta": {"page": {"total_filtered_count": 0}}}

    def test_by_the_client(self, service_accounts, account, make):
        made = {suffix: make(f"token {suffix}").id for suffix in ["b", "C", "a"]}
        listed = understood(service_accounts.list_service_account_access_tokens(account))
        assert [token.id for token in listed.data] == [made["a"], made["b"], made["C"]]
        assert listed.meta.page.total_filtered_count == 3
        assert all("key" not in token.attributes for token in listed.data)
        page = service_accounts.list_service_account_access_tokens(
            account, page_size=1, page_number=1, sort="-created_at"
        )
        assert [token.id for token in page.data] == [made["C"]]
        filtered = service_accounts.list_service_account_access_tokens(account, filter="token b")
        assert [token.id for token in filtered.data] == [made["b"]]


class TestUpdate:
    def test_by_the_client(self, service_accounts, account, make):
        created = make()
        body = resource(KIND, {"name": "renamed", "scopes": ["monitors_read"]}, id=created.id)
        updated = understood(service_accounts.update_service_account_access_token(account, created.id, body)).data
        assert (updated.attributes.name, updated.attributes.scopes) == ("renamed", ["monitors_read"])
        assert updated.attributes.modified_at is not None
        found = service_accounts.get_service_account_access_token(account, created.id).data
        assert found.attributes.name == "renamed"

    def test_another_id_in_the_body(self, path, make):
        assert send("PATCH", f"{path}/{make().id}", resource(KIND, {"name": "x"}, id=unknown_id())).status == 400


class TestRevoke:
    def test_is_the_end_however_often(self, service_accounts, path, account, make):
        created = make()
        for _ in range(2):
            assert service_accounts.revoke_service_account_access_token(account, created.id) is None
        assert send("GET", f"{path}/{created.id}").status == 404
        answer = send("GET", "/api/v2/validate_keys", api_key=None, application_key=None, token=created.attributes.key)
        assert (answer.status, answer.json) == (401, NOT_AUTHORISED)
        assert service_accounts.list_service_account_access_tokens(account).data == []


def test_shows_among_the_orgs_tokens(keys, account, make):
    created = make()
    (found,) = understood(keys.list_personal_access_tokens(filter_owned_by=[account])).data
    assert (found.id, str(found.type)) == (created.id, "personal_access_tokens")
    (found,) = send("GET", "/api/v2/personal_access_tokens", query={"filter[owner_uuid]": account}).data
    assert found["relationships"]["owned_by"]["data"] == {"type": "users", "id": account}
    assert found["attributes"]["expires_at"] is None


def test_of_no_service_account(make_user):
    for id in [unknown_id(), make_user().id]:
        assert send("POST", f"/api/v2/service_accounts/{id}/access_tokens", body()).status == 404
        assert send("GET", f"/api/v2/service_accounts/{id}/access_tokens").status == 404
