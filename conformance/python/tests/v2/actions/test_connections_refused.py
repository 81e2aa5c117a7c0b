"""`/api/v2/actions/connections`: what is refused, in the recorded words, and who may not."""

import json
import os
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.action_connection_api import ActionConnectionApi

from connections import BY_TYPE, PATH, body
from support import resource, send, understood, unique, unknown_id

GITLAB = BY_TYPE["GitlabAPIKey"]["create"]
AWS = BY_TYPE["AWSAssumeRole"]["create"]
NO_PERMISSION = {"status": "403", "title": "Forbidden", "detail": "Failed permission authorization checks"}
BAD_ACCOUNT = AWS | {"credentials": AWS["credentials"] | {"account_id": "1"}}


def recorded(name):
    """The detail of the error that ends a recorded scenario."""
    folder = os.path.join(os.path.dirname(__file__), "../../../../recorded")
    with open(os.path.join(folder, f"v2-action_connection-{name}-response.json")) as file:
        return json.load(file)["exchanges"][-1]["response"]["body"]["errors"][0]["detail"]


@contextmanager
def refused(status, detail):
    """Asserts that the client's call within fails with this detail alone."""
    with pytest.raises(ApiException) as caught:
        yield
    wanted = {"errors": [{"title": "Generic Error", "detail": detail}]}
    assert (caught.value.status, caught.value.body) == (status, wanted)


def detail(answer, status):
    assert (answer.status, answer.content_type) == (status, "application/vnd.api+json"), answer.text
    (error,) = answer.json["errors"]
    return error["detail"]


class TestRecorded:
    def test_an_account_id_that_is_none(self, create, update):
        with refused(400, recorded("create-a-new-action-connection-returns-bad-request")):
            create(BAD_ACCOUNT)
        wanted = recorded("update-an-existing-action-connection-returns-bad-request")
        id = create(AWS).id
        # The form is looked at before the connection.
        for id in (id, unknown_id()):
            with refused(400, wanted):
                update(id, integration=BAD_ACCOUNT, name="Renamed")

    def test_an_id_that_nothing_has(self, actions, update):
        for call, name in [
            (actions.get_action_connection, "get-an-existing-action-connection-returns-not-found"),
            (lambda id: update(id, integration=AWS), "update-an-existing-action-connection-returns-not-found"),
            (
                actions.delete_action_connection,
                "delete-an-existing-action-connection-returns-successfully-deleted-action-connection",
            ),
        ]:
            with refused(404, recorded(name)):
                call(unknown_id())

    def test_an_id_that_is_none(self, actions, update):
        update_it = lambda id: update(id, name="Renamed")  # noqa: E731
        for call in [actions.get_action_connection, actions.delete_action_connection, update_it]:
            with refused(400, "error connectionId not a valid UUID"):
                call("invalidId")


class TestRepointing:
    """Who never saw the secrets cannot aim them elsewhere."""

    @pytest.mark.parametrize(
        "credentials, place, missing",
        [
            ("HTTPTokenAuth", "base_url", ["credentials/tokens must bring token1 anew", "must bring token2 anew"]),
            ("DatadogAPIKey", "credentials/datacenter", ["credentials/api_key", "credentials/app_key"]),
            ("AzureTenant", "credentials/tenant_id", ["credentials/client_secret"]),
            ("FreshserviceAPIKey", "credentials/domain", ["credentials/api_key"]),
            ("OktaAPIToken", "credentials/domain", ["credentials/api_token"]),
            ("ServiceNowBasicAuth", "credentials/instance", ["credentials/password"]),
        ],
    )
    def test_without_the_secrets(self, create, credentials, place, missing):
        example = BY_TYPE[credentials]
        path = f"{PATH}/{create(example['create']).id}"
        before = send("GET", path).data
        change = {"type": example["create"]["type"], "credentials": {"type": credentials}}
        if place == "base_url":
            change["base_url"] = example["update"]["base_url"]
        else:
            member = place.split("/")[1]
            change["credentials"][member] = example["update"]["credentials"][member]
        told = detail(send("PATCH", path, body(integration=change)), 400)
        assert all(one in told for one in missing), told
        assert send("GET", path).data == before
        # With the secrets it goes.
        assert send("PATCH", path, body(integration=example["update"])).status == 200

    @pytest.mark.parametrize(
        "fields, place",
        [
            ({"url_parameters": [{"name": "urlParamName", "value": "{{ token2 }}"}]}, "url_parameters/urlParamName"),
            ({"headers": [{"name": "User-Agent", "value": "{{ token2 }} test"}]}, "headers/User-Agent"),
            ({"headers": [{"name": "header-name", "value": "{{ token2 }}"}]}, "headers/header-name"),
            ({"body": {"content": "{{ token2 }}", "content_type": "text/plain"}}, "body"),
        ],
    )
    def test_within_the_same_host(self, create, fields, place):
        path = f"{PATH}/{create(BY_TYPE['HTTPTokenAuth']['create']).id}"
        before = send("GET", path).data
        change = {"type": "HTTP", "credentials": {"type": "HTTPTokenAuth"} | fields}
        told = detail(send("PATCH", path, body(integration=change)), 400)
        assert f"must bring token2 anew, since it would be sent otherwise: in {place}" in told
        assert "1 error occurred" in told
        assert send("GET", path).data == before
        # With the token it goes.
        change["credentials"]["tokens"] = [{"name": "token2", "type": "SECRET", "value": "canary-anew"}]
        assert send("PATCH", path, body(integration=change)).status == 200


class TestFaults:
    def test_every_one_is_named_and_no_value_is(self, create):
        wrong = {"type": "Gitlab", "credentials": {"type": "GitlabAPIKey", "api_token": 17, "other": "canary-other"}}
        attributes = {"name": "", "integration": wrong, "tags": ["canary-tag"], "canary": "canary-value"}
        places = ["name", "tags/0", "canary", "integration/credentials/api_token", "integration/credentials/other"]
        for method, path in [("POST", PATH), ("PATCH", f"{PATH}/{create(GITLAB).id}")]:
            told = detail(send(method, path, body(**attributes)), 400)
            assert "5 errors occurred" in told
            assert all(f"/data/attributes/{place} " in told for place in places), told

    @pytest.mark.parametrize(
        "integration, place",
        [
            ({"type": "Nothing", "credentials": {"type": "GitlabAPIKey"}}, "type"),
            ({"type": "Gitlab", "credentials": {"type": "NotionAPIKey", "api_token": "canary-a"}}, "credentials/type"),
            ({"type": "Gitlab", "credentials": {"type": "GitlabAPIKey"}}, "credentials/api_token"),
            ({"type": "Gitlab"}, "credentials"),
            ("canary-text", ""),
        ],
    )
    def test_integrations_that_are_none(self, integration, place):
        told = detail(send("POST", PATH, body(name="x", integration=integration)), 400)
        assert f"/data/attributes/integration/{place}".rstrip("/") + " " in told

    def test_a_type_cannot_change(self, create):
        path = f"{PATH}/{create(GITLAB).id}"
        change = body(integration=BY_TYPE["NotionAPIKey"]["create"])
        assert "cannot be changed" in detail(send("PATCH", path, change), 400)


class TestWho:
    @pytest.fixture
    def ids(self, create):
        """A connection for each call that needs one."""
        return [create(GITLAB).id for _ in range(3)]

    @staticmethod
    def calls(api, ids):
        request = body(name=unique(), integration=GITLAB)
        return [
            ("read", lambda: api.get_action_connection(ids[0])),
            ("write", lambda: api.create_action_connection(request)),
            ("write", lambda: api.update_action_connection(ids[1], body(name="Renamed"))),
            ("write", lambda: api.delete_action_connection(ids[2])),
        ]

    @staticmethod
    def refused(call):
        with pytest.raises(ApiException) as caught:
            call()
        assert caught.value.status == 403
        (error,) = caught.value.body["errors"]
        return error

    def test_a_key_that_is_not_registered(self, client_with, make_application_key, actions, ids, clean_up):
        key = make_application_key()
        with client_with(application_key=key.attributes.key) as other:
            calls = self.calls(ActionConnectionApi(other), ids)
            for _, call in calls:
                assert "not registered" in self.refused(call)["detail"]
            actions.register_app_key(key.id)
            clean_up(f"/api/v2/actions/app_key_registrations/{key.id}")
            for _, call in calls:
                made = call()
                if made is not None and str(made.data.id) not in ids:
                    clean_up(f"{PATH}/{made.data.id}")

    @pytest.mark.parametrize("scope", ["connections_read", "connections_write", "connection_write"])
    def test_a_token_with_the_scope_by_name(self, client_with, clean_up, ids, scope):
        with client_with(api_key=None, application_key=None, token=self.token(clean_up, [scope])) as other:
            for right, call in self.calls(ActionConnectionApi(other), ids):
                if right in scope:
                    made = call()
                    if made is not None and str(made.data.id) not in ids:
                        clean_up(f"{PATH}/{made.data.id}")
                else:
                    assert self.refused(call) == NO_PERMISSION

    def test_a_token_without_it(self, client_with, clean_up, ids):
        with client_with(api_key=None, application_key=None, token=self.token(clean_up, ["dashboards_read"])) as other:
            for _, call in self.calls(ActionConnectionApi(other), ids):
                assert self.refused(call) == NO_PERMISSION

    @staticmethod
    def token(clean_up, scopes):
        end = datetime.now(timezone.utc) + timedelta(days=30)
        attributes = {"name": unique("token"), "scopes": scopes, "expires_at": end.isoformat()}
        made = send("POST", "/api/v2/personal_access_tokens", resource("personal_access_tokens", attributes))
        assert made.status == 201, made.text
        clean_up(f"/api/v2/personal_access_tokens/{made.data['id']}")
        return made.attributes["key"]
