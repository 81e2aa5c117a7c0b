"""`/api/v2/actions/connections`: one of each credential type, by the client's models and on the wire."""

import re
import uuid

import pytest
from datadog_api_client.exceptions import ApiException

from connections import BY_TYPE, EXAMPLES, PATH, body, emptied, updated, without_made
from support import USER_ID, UUID, is_of_the_newer_services, send, understood, unique

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{0,8}[1-9])? \+0000 UTC")
HTTP = BY_TYPE["HTTPTokenAuth"]["create"]


def shown(data):
    """What the client read as the `integration` value, written as JSON again."""
    return without_made(data.attributes.integration.to_dict())


def test_the_examples_are_of_every_type():
    assert len(BY_TYPE) == len(EXAMPLES) == 25
    assert len({example["create"]["type"] for example in EXAMPLES}) == 24


class TestEachType:
    @pytest.fixture(params=EXAMPLES, ids=list(BY_TYPE))
    def example(self, request):
        return request.param

    def test_by_the_client(self, actions, create, update, example):
        first = emptied(example["create"])
        created = create(example["create"], tags=["env:test"])
        assert UUID.fullmatch(created.id) and str(created.type) == "action_connection"
        assert shown(created) == first
        assert created.attributes.tags == ["env:test"]
        read = understood(actions.get_action_connection(created.id)).data
        assert (shown(read), read.attributes.tags) == (first, ["env:test"])

        renamed = update(created.id, name="Renamed")
        assert (renamed.attributes.name, shown(renamed)) == ("Renamed", first)
        second = emptied(updated(example["create"], example["update"]))
        changed = update(created.id, integration=example["update"], tags=["env:prod", "team:a"])
        assert (shown(changed), changed.attributes.name) == (second, "Renamed")
        read = understood(actions.get_action_connection(created.id)).data
        assert (shown(read), read.attributes.tags) == (second, ["env:prod", "team:a"])

        actions.delete_action_connection(created.id)
        for call in [actions.get_action_connection, actions.delete_action_connection]:
            with pytest.raises(ApiException) as caught:
                call(created.id)
            assert caught.value.status == 404

    def test_on_the_wire(self, example, clean_up):
        name = unique("connection")
        answer = send("POST", PATH, body(name=name, integration=example["create"], tags=["env:test"]))
        is_of_the_newer_services(answer, 201)
        path = f"{PATH}/{answer.data['id']}"
        clean_up(path)
        always = {"acting_user_can_resolve", "external_secrets_manager", "integration", "is_favorite", "name", "tags"}
        assert set(answer.attributes) == always and "relationships" not in answer.data
        assert without_made(answer.attributes["integration"]) == emptied(example["create"])
        changed = send("PATCH", path, body(integration=example["update"]))
        read = send("GET", path)
        for answer in (changed, read):
            is_of_the_newer_services(answer, 200)
            assert set(answer.attributes) == always | {"created_at", "last_updated"}
            integration = without_made(answer.attributes["integration"])
            assert integration == emptied(updated(example["create"], example["update"]))
            assert TIME.fullmatch(answer.attributes["created_at"]), answer.attributes
            assert TIME.fullmatch(answer.attributes["last_updated"]), answer.attributes
        gone = send("DELETE", path)
        assert (gone.status, gone.content_type, gone.text) == (204, None, "")


class TestAttributes:
    def test_who_made_it_and_who_may_use_it(self, create):
        """As recorded in 2026: who makes or changes it is not told what who reads it is."""
        path = f"{PATH}/{create(BY_TYPE['GitlabAPIKey']['create']).id}"
        read, changed = send("GET", path), send("PATCH", path, body(name="Renamed"))
        for answer, may_resolve in [(read, True), (changed, False)]:
            assert answer.attributes["acting_user_can_resolve"] is may_resolve
            assert answer.attributes["external_secrets_manager"] is None
            assert answer.attributes["is_favorite"] is False
            assert "tags" not in answer.attributes
            relation = {"created_by": {"data": {"id": USER_ID, "type": "created_by"}}}
            assert answer.data["relationships"] == relation
        assert changed.attributes["created_at"] == read.attributes["created_at"]
        assert changed.attributes["last_updated"] > read.attributes["last_updated"]

    def test_tags_are_replaced_as_a_whole(self, create, update):
        id = create(BY_TYPE["GitlabAPIKey"]["create"], tags=["env:test", "team:a"]).id
        assert update(id, tags=["b.c/d_e-f:g"]).attributes.tags == ["b.c/d_e-f:g"]
        assert update(id, name="Renamed").attributes.tags == ["b.c/d_e-f:g"]
        assert update(id, tags=[]).attributes.tags == []

    @pytest.mark.parametrize("tag", ["untagged", "a:b:c", ":b", "a:", "a b:c", "default:a", "é:a"])
    def test_tags_that_are_none(self, create, tag):
        integration = BY_TYPE["GitlabAPIKey"]["create"]
        path = f"{PATH}/{create(integration).id}"
        for method, target in [("POST", PATH), ("PATCH", path)]:
            answer = send(method, target, body(name="x", integration=integration, tags=["env:test", tag]))
            assert answer.status == 400 and "/data/attributes/tags/1 " in answer.json["errors"][0]["detail"]
        assert "tags" not in send("GET", path).attributes


class TestHttp:
    """Lists are merged by name; what is to go is said to be `deleted`."""

    @staticmethod
    def change(**credentials):
        return {"type": "HTTP", "credentials": {"type": "HTTPTokenAuth"} | credentials}

    def read(self, actions, id):
        return shown(understood(actions.get_action_connection(id)).data)["credentials"]

    def test_items_are_added_and_overwritten(self, actions, create, update):
        id = create(HTTP).id
        change = self.change(
            tokens=[{"name": "token3", "type": "SECRET", "value": "canary-third"}],
            headers=[{"name": "X-Third", "value": "{{ token3 }}"}, {"name": "header-name", "value": "other"}],
            url_parameters=[{"name": "page", "value": "2"}],
        )
        update(id, integration=change)
        found = self.read(actions, id)
        assert found == emptied(updated(HTTP, change)["credentials"])
        assert [token["name"] for token in found["tokens"]] == ["token1", "token2", "token3"]
        assert [parameter["name"] for parameter in found["url_parameters"]] == ["urlParamName", "page"]

    def test_items_are_deleted(self, actions, create, update):
        id = create(HTTP).id
        change = self.change(
            tokens=[{"name": "token2", "type": "SECRET", "value": "", "deleted": True}],
            headers=[{"name": "header-name", "deleted": True}, {"name": "nobody", "deleted": True}],
            url_parameters=[{"name": "urlParamName", "deleted": True}],
        )
        update(id, integration=change)
        found = self.read(actions, id)
        assert found["tokens"] == [{"name": "token1", "type": "SECRET", "value": ""}]
        assert not found.get("headers") and not found.get("url_parameters")
        assert found["body"] == HTTP["credentials"]["body"]

    def test_the_body_is_replaced(self, actions, create, update):
        id = create(HTTP).id
        update(id, integration=self.change(body={"content": "plain", "content_type": "text/plain"}))
        assert self.read(actions, id)["body"] == {"content": "plain", "content_type": "text/plain"}


class TestAws:
    @staticmethod
    def made(data):
        credentials = data.attributes.integration.credentials
        return credentials.external_id, credentials.principal_id

    def test_an_external_id_stays_until_a_new_one_is_asked_for(self, actions, create, update):
        example = BY_TYPE["AWSAssumeRole"]
        created = create(example["create"])
        external_id, principal_id = self.made(created)
        assert re.fullmatch(r"[0-9a-f]{32}", external_id) and re.fullmatch(r"\d{12}", principal_id)
        changed = update(created.id, integration=example["update"])
        assert self.made(changed) == (external_id, principal_id)
        anew = example["update"]["credentials"] | {"generate_new_external_id": True}
        changed = update(created.id, integration=example["update"] | {"credentials": anew})
        assert self.made(changed)[0] != external_id
        assert "generate_new_external_id" not in shown(changed)["credentials"]
        read = understood(actions.get_action_connection(created.id)).data
        assert self.made(read) == self.made(changed)

    def test_no_two_have_the_same_external_id(self, create):
        made = {self.made(create(BY_TYPE["AWSAssumeRole"]["create"]))[0] for _ in range(3)}
        assert len(made) == 3

    @pytest.mark.parametrize("member", ["external_id", "principal_id"])
    def test_what_the_server_makes_cannot_be_set(self, create, member):
        credentials = BY_TYPE["AWSAssumeRole"]["create"]["credentials"] | {member: uuid.uuid4().hex}
        path = f"{PATH}/{create(BY_TYPE['AWSAssumeRole']['create']).id}"
        for method, target in [("POST", PATH), ("PATCH", path)]:
            answer = send(method, target, body(name="x", integration={"type": "AWS", "credentials": credentials}))
            assert answer.status == 400
            assert f"/integration/credentials/{member} " in answer.json["errors"][0]["detail"]
