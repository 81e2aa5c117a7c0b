"""`GET /api/v2/permissions`: all of them, unpaged, under the vendor's ids."""

from support import UUID, is_of_the_newer_services, send, understood

RESTRICTED = {
    "dashboards_read",
    "monitors_read",
    "apm_read",
    "incident_read",
    "rum_apps_read",
    "notebooks_read",
    "slos_read",
    "ci_visibility_read",
    "cd_visibility_read",
    "appsec_vm_read",
}
KNOWN = {
    "admin": "984a2bd4-d3b4-11e8-a1ff-a7f660d43029",
    "user_access_manage": "9de604d8-e707-11ea-aa2d-93f1a783b3a3",
    "user_app_keys": "46a301da-ec5c-11ea-aa9f-73bedeab67ee",
    "api_keys_read": "372896c4-f923-11ea-adbc-4fecd107156d",
    "service_account_write": "a42e94b2-1476-11eb-bd08-efda28c04248",
    "connections_resolve": "36e2a22e-248a-11ed-b405-da7ad0900002",
}


def test_by_the_client(roles):
    listed = understood(roles.list_permissions()).data
    assert len(listed) == 345
    assert {one.attributes.name for one in listed if one.attributes.restricted} == RESTRICTED
    assert {one.attributes.name: one.id for one in listed}.items() >= KNOWN.items()


def test_on_the_wire():
    answer = send("GET", "/api/v2/permissions")
    is_of_the_newer_services(answer, 200)
    names = [permission["attributes"]["name"] for permission in answer.data]
    assert len(set(names)) == len(names)
    for permission in answer.data:
        assert (permission["type"], bool(UUID.fullmatch(permission["id"]))) == ("permissions", True)
        assert set(permission["attributes"]) == {
            "created",
            "description",
            "display_name",
            "display_type",
            "group_name",
            "name",
            "name_aliases",
            "restricted",
        }
        assert permission["attributes"]["display_type"] in ("read", "write", "other")
