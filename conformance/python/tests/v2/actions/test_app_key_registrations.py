"""`/api/v2/actions/app_key_registrations`: register, look, list, and take away again."""

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.action_connection_api import ActionConnectionApi

from support import APPLICATION_KEY_ID, is_of_the_newer_services, send, understood, unknown_id

PATH = "/api/v2/actions/app_key_registrations"
NOT_FOUND = {"errors": [{"detail": "app key not found"}]}
MALFORMED = {
    "errors": [
        {
            "status": "400",
            "title": "Invalid Parameter",
            "detail": 'invalid parameter "appKeyId" in "path"; expected type "uuid"',
        }
    ]
}


@pytest.fixture
def actions(client):
    return ActionConnectionApi(client)


@pytest.fixture
def registered(actions, clean_up):
    """Registers an id that no key has."""
    id = unknown_id()
    actions.register_app_key(id)
    clean_up(f"{PATH}/{id}")
    return id


def listed(actions):
    ids, page = [], 0
    while True:
        answer = understood(actions.list_app_key_registrations(page_size=100, page_number=page))
        ids += [str(item.id) for item in answer.data]
        if len(answer.data) < 100:
            assert (answer.meta.total, answer.meta.total_filtered) == (len(ids), len(ids))
            return ids
        page += 1


def test_by_the_client(actions, make_application_key, clean_up):
    id = str(make_application_key().id)
    clean_up(f"{PATH}/{id}")
    for _ in range(2):
        made = understood(actions.register_app_key(id)).data
        assert (str(made.id), str(made.type)) == (id, "app_key_registration")
    assert str(understood(actions.get_app_key_registration(id)).data.id) == id
    assert id in listed(actions)
    actions.unregister_app_key(id)
    assert id not in listed(actions)
    for call in [actions.get_app_key_registration, actions.unregister_app_key]:
        with pytest.raises(ApiException) as caught:
            call(id)
        assert (caught.value.status, caught.value.body) == (404, NOT_FOUND)


def test_the_first_key_is_registered(actions):
    assert APPLICATION_KEY_ID in listed(actions)


def test_on_the_wire(registered):
    wanted = {"data": {"id": registered, "type": "app_key_registration"}}
    for method, status in [("PUT", 201), ("GET", 200)]:
        answer = send(method, f"{PATH}/{registered}")
        is_of_the_newer_services(answer, status)
        assert answer.json == wanted
    answer = send("DELETE", f"{PATH}/{registered}")
    assert (answer.status, answer.content_type, answer.text) == (204, None, "")


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_an_id_that_is_none(method):
    answer = send(method, f"{PATH}/not_valid_app_key_id")
    assert (answer.status, answer.content_type) == (400, "application/vnd.api+json")
    assert answer.json == MALFORMED


def test_a_page_at_a_time(registered):
    answer = send("GET", PATH, query={"page[size]": 1, "page[number]": 1})
    is_of_the_newer_services(answer, 200)
    assert len(answer.data) == 1 and answer.json["meta"]["total"] >= 2


def test_a_dead_key_is_registered_no_more(actions, make_application_key):
    id = str(make_application_key().id)
    actions.register_app_key(id)
    assert send("DELETE", f"/api/v2/application_keys/{id}").status == 204
    assert send("GET", f"{PATH}/{id}").status == 404


def test_scopes_that_do_not_reach(make_application_key):
    key = make_application_key(scopes=["dashboards_read"]).attributes.key
    one = f"{PATH}/{unknown_id()}"
    for method, path in [("GET", PATH), ("PUT", one), ("GET", one), ("DELETE", one)]:
        answer = send(method, path, application_key=key)
        assert (answer.status, answer.content_type) == (403, "application/vnd.api+json")
        assert answer.json["errors"][0]["title"] == "Forbidden"
