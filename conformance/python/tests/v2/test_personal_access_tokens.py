"""`/api/v2/personal_access_tokens`: create, read, list, change, revoke; how long one lasts; how one is presented."""

from datetime import datetime, timedelta, timezone

import pytest
from datadog_api_client.v2.api.key_management_api import KeyManagementApi

from support import (
    APPLICATION_KEY,
    NOT_AUTHORISED,
    NO_PERMISSION,
    PAT_SECRET,
    TIME_TOKEN,
    TIME_TOKEN_MADE,
    UNKNOWN_API_KEY,
    USER_ID,
    UUID,
    is_of_the_newer_services,
    refused,
    resource,
    send,
    understood,
    unique,
    unknown_id,
)

PATH = "/api/v2/personal_access_tokens"
KIND = "personal_access_tokens"
NOT_FOUND = "Personal access token not found"
READ = {"created_at", "expires_at", "last_used_at", "name", "public_portion", "scopes"}


def in_days(days, **more):
    return (datetime.now(timezone.utc) + timedelta(days=days, **more)).isoformat()


def body(**attributes):
    given = {"name": unique("token"), "scopes": ["dashboards_read"], "expires_at": in_days(30)} | attributes
    return resource(KIND, {name: value for name, value in given.items() if value is not ...})


@pytest.fixture
def make(keys, clean_up):
    """Makes a token of the first user."""

    def make(**attributes):
        created = understood(keys.create_personal_access_token(body(**attributes))).data
        clean_up(f"{PATH}/{created.id}")
        return created

    return make


class TestCreate:
    def test_by_the_client(self, make):
        name = unique("token")
        created = make(name=name, scopes=["monitors_read", "dashboards_read"])
        assert UUID.fullmatch(created.id)
        assert (str(created.type), created.attributes.name) == (KIND, name)
        assert created.attributes.scopes == ["monitors_read", "dashboards_read"]
        assert PAT_SECRET.fullmatch(created.attributes.key)[1] == created.attributes.public_portion
        assert created.relationships.owned_by.data.id == USER_ID

    def test_on_the_wire(self, clean_up):
        end = datetime.now(timezone.utc).replace(microsecond=540000) + timedelta(days=30)
        answer = send("POST", PATH, body(expires_at=end.isoformat()))
        is_of_the_newer_services(answer, 201)
        clean_up(f"{PATH}/{answer.data['id']}")
        assert list(answer.data) == ["id", "type", "attributes", "relationships"]
        assert list(answer.attributes) == ["created_at", "expires_at", "key", "name", "public_portion", "scopes"]
        assert answer.attributes["expires_at"] == end.strftime("%Y-%m-%dT%H:%M:%S.54Z")
        assert TIME_TOKEN_MADE.fullmatch(answer.attributes["created_at"])
        assert answer.data["relationships"] == {"owned_by": {"data": {"id": USER_ID, "type": "users"}}}

    def test_lasts_up_to_a_year(self, make):
        make(expires_at=in_days(365))
        make(expires_at=in_days(1, minutes=1))

    @pytest.mark.parametrize("end", [in_days(0, hours=23), in_days(366), in_days(-1), "tomorrow", None, ...])
    def test_ends_too_soon_too_late_or_never(self, end):
        answer = send("POST", PATH, body(expires_at=end))
        assert (answer.status, list(answer.json)) == (400, ["errors"])

    def test_with_a_zone(self, make):
        end = datetime.now(timezone(timedelta(hours=2))).replace(microsecond=0) + timedelta(days=30)
        assert make(expires_at=end.isoformat()).attributes.expires_at == end

    def test_unknown_scopes(self, keys):
        with refused(400, "Invalid scopes: no_such_scope"):
            keys.create_personal_access_token(body(scopes=["dashboards_read", "no_such_scope"]))

    @pytest.mark.parametrize(
        "wrong",
        [{}, body(name=...), body(name=""), body(scopes=...), body(scopes=[]), resource("api_keys", {}), "{not JSON"],
    )
    def test_wrong_bodies(self, wrong):
        answer = send("POST", PATH, wrong)
        assert (answer.status, list(answer.json)) == (400, ["errors"])
        assert all(isinstance(error, str) for error in answer.json["errors"])


class TestGet:
    def test_by_the_client(self, keys, make):
        created = make()
        found = understood(keys.get_personal_access_token(created.id)).data
        assert (found.id, str(found.type)) == (created.id, KIND)
        assert found.attributes.name == created.attributes.name
        assert found.attributes.expires_at == created.attributes.expires_at

    def test_on_the_wire(self, make):
        answer = send("GET", f"{PATH}/{make().id}")
        is_of_the_newer_services(answer, 200)
        assert set(answer.attributes) == READ
        assert answer.attributes["last_used_at"] is None
        assert TIME_TOKEN.fullmatch(answer.attributes["created_at"])

    @pytest.mark.parametrize("id", ["invalidId", unknown_id()])
    def test_unknown_or_malformed_id(self, keys, id):
        with refused(404, NOT_FOUND):
            keys.get_personal_access_token(id)


class TestList:
    def test_by_the_client(self, keys, make):
        prefix = unique("")
        made = {suffix: make(name=prefix + suffix).id for suffix in ["b", "C", "a"]}
        listed = understood(keys.list_personal_access_tokens(filter=prefix))
        assert [token.id for token in listed.data] == [made["a"], made["b"], made["C"]]
        assert {str(token.type) for token in listed.data} == {KIND}
        assert listed.meta.page.total_filtered_count == 3
        page = keys.list_personal_access_tokens(filter=prefix, page_size=2, page_number=1)
        assert [token.id for token in page.data] == [made["C"]]

    def test_on_the_wire(self, make):
        name = unique("token")
        make(name=name)
        answer = send("GET", PATH, query={"filter": name})
        is_of_the_newer_services(answer, 200)
        assert answer.json["meta"] == {"page": {"total_filtered_count": 1}}
        (item,) = answer.data
        assert set(item["attributes"]) == READ

    def test_orders(self, keys, make):
        prefix = unique("")
        later = make(name=prefix + "a", expires_at=in_days(60)).id
        sooner = make(name=prefix + "b", expires_at=in_days(10)).id
        for sort, order in [
            ("name", [later, sooner]),
            ("created_at", [later, sooner]),
            ("-created_at", [sooner, later]),
            ("expires_at", [sooner, later]),
            ("-expires_at", [later, sooner]),
        ]:
            listed = keys.list_personal_access_tokens(filter=prefix, sort=sort)
            assert [token.id for token in listed.data] == order, sort

    def test_by_owners(self, keys, make):
        created = make()
        name = created.attributes.name
        for owners, ids in [([USER_ID], [created.id]), ([unknown_id()], []), ([unknown_id(), USER_ID], [created.id])]:
            listed = keys.list_personal_access_tokens(filter=name, filter_owned_by=owners)
            assert [token.id for token in listed.data] == ids
            for owner_filter in ["filter[owned_by]", "filter[owner_uuid]"]:
                pairs = [("filter", name), *[(owner_filter, owner) for owner in owners]]
                assert [token["id"] for token in send("GET", PATH, query=pairs).data] == ids

    @pytest.mark.parametrize("query", [{"page[size]": "101"}, {"page[number]": "-1"}, {"sort": "nonsense"}])
    def test_bad_parameters(self, query):
        assert send("GET", PATH, query=query).status == 400


class TestUpdate:
    def test_by_the_client(self, keys, make):
        created, name = make(), unique("token")
        updated = understood(
            keys.update_personal_access_token(created.id, resource(KIND, {"name": f"{name}-updated"}, id=created.id))
        ).data
        assert updated.attributes.name == f"{name}-updated"
        assert updated.attributes.scopes == ["dashboards_read"]
        assert updated.attributes.modified_at is not None
        assert keys.get_personal_access_token(created.id).data.attributes.name == f"{name}-updated"

    def test_scopes_take_effect_at_once(self, keys, make):
        created = make(scopes=["api_keys_read"])
        token = {"api_key": None, "application_key": None, "token": created.attributes.key}
        assert send("GET", "/api/v2/api_keys", **token).status == 200
        keys.update_personal_access_token(
            created.id, resource(KIND, {"scopes": ["dashboards_read"]}, id=created.id)
        )
        answer = send("GET", "/api/v2/api_keys", **token)
        assert (answer.status, answer.json["errors"]) == (403, NO_PERMISSION)

    def test_on_the_wire(self, make):
        created = make()
        answer = send("PATCH", f"{PATH}/{created.id}", resource(KIND, {"name": unique("token")}, id=created.id))
        is_of_the_newer_services(answer, 200)
        assert set(answer.attributes) == READ | {"modified_at"}

    def test_wrong_bodies(self, keys, make):
        created = make()
        for wrong in [
            {},
            resource(KIND, {"name": "x"}),
            resource(KIND, {"name": "x"}, id=unknown_id()),
            resource("api_keys", {"name": "x"}, id=created.id),
            resource(KIND, {"name": ""}, id=created.id),
            resource(KIND, {"scopes": ["no_such_scope"]}, id=created.id),
        ]:
            assert send("PATCH", f"{PATH}/{created.id}", wrong).status == 400, wrong
        assert keys.get_personal_access_token(created.id).data.attributes.name == created.attributes.name

    def test_unknown_id(self, keys):
        id = unknown_id()
        with refused(404, NOT_FOUND):
            keys.update_personal_access_token(id, resource(KIND, {"name": "x"}, id=id))


class TestRevoke:
    def test_is_the_end_however_often(self, keys, make):
        created = make()
        for _ in range(2):
            assert keys.revoke_personal_access_token(created.id) is None
        with refused(404, NOT_FOUND):
            keys.get_personal_access_token(created.id)
        assert keys.list_personal_access_tokens(filter=created.attributes.name).data == []
        answer = send("GET", "/api/v2/validate_keys", api_key=None, application_key=None, token=created.attributes.key)
        assert (answer.status, answer.json) == (401, NOT_AUTHORISED)

    def test_on_the_wire(self, make):
        answer = send("DELETE", f"{PATH}/{make().id}")
        assert (answer.status, answer.content_type, answer.text) == (204, None, "")

    def test_what_never_was(self):
        assert send("DELETE", f"{PATH}/{unknown_id()}").status == 204


class TestPresenting:
    """A token speaks for its owner, alone, in either of two headers; a bad one is not rescued by keys beside it."""

    def test_by_the_client(self, client_with, make):
        token = make(scopes=["api_keys_read"]).attributes.key
        with client_with(api_key=None, application_key=None, token=token) as client:
            keys = KeyManagementApi(client)
            assert str(keys.validate_api_key().status) == "ok"
            assert understood(keys.list_api_keys()).data
            with refused(403, *NO_PERMISSION):
                keys.list_application_keys()

    @pytest.mark.parametrize("api_key", [None, UNKNOWN_API_KEY])
    def test_in_place_of_an_application_key(self, make, api_key):
        token = make(scopes=["api_keys_read"]).attributes.key
        assert send("GET", "/api/v2/api_keys", api_key=api_key, application_key=token).status == 200

    def test_is_no_api_key(self, make):
        assert send("GET", "/api/v1/validate", api_key=make().attributes.key).status == 403

    def test_bad_one_beside_good_keys(self, make):
        for token in ["ddpat_" + "0" * 22 + "_" + "0" * 36, "nonsense", APPLICATION_KEY]:
            answer = send("GET", "/api/v2/validate_keys", token=token)
            assert (answer.status, answer.json) == (401, NOT_AUTHORISED), token

    def test_makes_nothing_wider(self, make):
        token = make(scopes=["user_app_keys"]).attributes.key
        bearer = {"api_key": None, "application_key": None, "token": token}
        assert send("POST", PATH, body(scopes=["api_keys_read"]), **bearer).status == 403
        answer = send("POST", PATH, body(scopes=["user_app_keys"]), **bearer)
        assert answer.status == 201
        send("DELETE", f"{PATH}/{answer.data['id']}")
