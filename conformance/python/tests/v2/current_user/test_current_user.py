"""`GET /api/v2/current_user`: the caller, with their roles, these roles' permissions, and the org."""

from datadog_api_client.v2.api.users_api import UsersApi

from support import EMAIL, ORG_ID, THE_USER, USER_ID, resource, send, understood, unique

PATH = "/api/v2/current_user"


def test_by_the_client(users):
    answer = understood(users.get_current_user())
    assert (answer.data.id, answer.data.attributes.email) == (USER_ID, EMAIL)
    assert answer.data.relationships.org.data.id == ORG_ID
    assert {str(item.get_oneof_instance().type) for item in answer.included} == {"roles", "permissions", "orgs"}


def test_on_the_wire():
    answer = send("GET", PATH)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert {"type": answer.data["type"], "id": answer.data["id"]} == THE_USER
    assert set(answer.data["relationships"]) == {"roles", "org", "team_roles"}
    assert answer.data["relationships"]["team_roles"] == {"data": []}
    (org,) = [item for item in answer.json["included"] if item["type"] == "orgs"]
    assert org["id"] == ORG_ID
    assert org["attributes"].keys() >= {
        "public_id",
        "name",
        "description",
        "sharing",
        "url",
        "disabled",
        "created_at",
        "modified_at",
    }


def test_is_whoever_calls(client_with, service_accounts, make_service_account):
    account = make_service_account(name="Robot").id
    body = resource("application_keys", {"name": unique()})
    key = service_accounts.create_service_account_application_key(account, body).data.attributes.key
    with client_with(application_key=key) as client:
        found = understood(UsersApi(client).get_current_user()).data
    assert (found.id, found.attributes.service_account, found.attributes.name) == (account, True, "Robot")
