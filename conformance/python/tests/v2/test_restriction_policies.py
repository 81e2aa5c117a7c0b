"""`/api/v2/restriction_policy` by the client: who may do what with a connection."""

import pytest
from datadog_api_client.v2.api.restriction_policies_api import RestrictionPoliciesApi
from datadog_api_client.v2.model.restriction_policy import RestrictionPolicy
from datadog_api_client.v2.model.restriction_policy_attributes import RestrictionPolicyAttributes
from datadog_api_client.v2.model.restriction_policy_binding import RestrictionPolicyBinding
from datadog_api_client.v2.model.restriction_policy_type import RestrictionPolicyType
from datadog_api_client.v2.model.restriction_policy_update_request import RestrictionPolicyUpdateRequest

from support import ORG_ID, USER_ID, refused, resource, send, understood, unique, unknown_id

PATH = "/api/v2/restriction_policy"
CONNECTIONS = "/api/v2/actions/connections"
ME, EVERYBODY = f"user:{USER_ID}", f"org:{ORG_ID}"
SELF_LOCKOUT = "This would take away access of your own"


@pytest.fixture
def policies(client):
    return RestrictionPoliciesApi(client)


@pytest.fixture
def connection(clean_up):
    """The id of a connection, as policies name it."""
    integration = {"type": "Gitlab", "credentials": {"type": "GitlabAPIKey", "api_token": "glpat-conformance"}}
    body = resource("action_connection", {"name": unique("connection"), "integration": integration})
    made = send("POST", CONNECTIONS, body)
    assert made.status == 201, made.text
    clean_up(f"{CONNECTIONS}/{made.data['id']}")
    return f"connection:{made.data['id']}"


def policy(id, *bindings):
    """The client's request for a policy; each binding is a relation and principals."""
    bindings = [
        RestrictionPolicyBinding(relation=relation, principals=list(principals)) for relation, *principals in bindings
    ]
    attributes = RestrictionPolicyAttributes(bindings=bindings)
    data = RestrictionPolicy(id=id, type=RestrictionPolicyType.RESTRICTION_POLICY, attributes=attributes)
    return RestrictionPolicyUpdateRequest(data=data)


def told(answer):
    understood(answer)
    assert answer.data.type == RestrictionPolicyType.RESTRICTION_POLICY
    return answer.data.id, [(one.relation, *one.principals) for one in answer.data.attributes.bindings]


def test_from_set_to_deleted(policies, connection, make_role):
    role = f"role:{make_role().id}"
    assert told(policies.get_restriction_policy(connection)) == (connection, [])
    given = policy(connection, ("viewer", EVERYBODY, role), ("editor", ME), ("resolver", role))
    expected = [("editor", ME), ("resolver", role), ("viewer", EVERYBODY, role)]
    assert told(policies.update_restriction_policy(connection, given)) == (connection, expected)
    assert told(policies.get_restriction_policy(connection)) == (connection, expected)
    # All of it is replaced.
    policies.update_restriction_policy(connection, policy(connection, ("editor", EVERYBODY)))
    assert told(policies.get_restriction_policy(connection)) == (connection, [("editor", EVERYBODY)])
    for _ in range(2):
        assert policies.delete_restriction_policy(connection) is None
    assert told(policies.get_restriction_policy(connection)) == (connection, [])


def test_is_enforced_at_once(policies, connection, make_service_account, service_accounts, make_role, permission_ids):
    names = ["connections_read", "connections_write"]
    role = make_role(permissions=[permission_ids[name] for name in names]).id
    account = make_service_account(roles=[role]).id
    body = resource("service_access_tokens", {"name": unique(), "scopes": names})
    token = send("POST", f"/api/v2/service_accounts/{account}/access_tokens", body).attributes["key"]
    path = f"{CONNECTIONS}/{connection.removeprefix('connection:')}"

    def statuses():
        renamed = resource("action_connection", {"name": unique("connection")})
        as_token = {"api_key": None, "application_key": None, "token": token}
        return [send("GET", path, **as_token).status, send("PATCH", path, renamed, **as_token).status]

    assert statuses() == [200, 200]
    for relation, expected in [("viewer", [200, 403]), ("resolver", [200, 403]), ("editor", [200, 200])]:
        for principal in [f"user:{account}", f"role:{role}", EVERYBODY]:
            bindings = ("editor", ME), (relation, principal)
            policies.update_restriction_policy(connection, policy(connection, *bindings))
            assert statuses() == expected, (relation, principal)
    policies.update_restriction_policy(connection, policy(connection, ("editor", ME)))
    assert statuses() == [403, 403]
    policies.delete_restriction_policy(connection)
    assert statuses() == [200, 200]


def test_self_lockout(policies, connection, make_role):
    without_me = policy(connection, ("editor", f"role:{make_role().id}"))
    with refused(400, SELF_LOCKOUT):
        policies.update_restriction_policy(connection, without_me)
    with refused(400, SELF_LOCKOUT):
        policies.update_restriction_policy(connection, without_me, allow_self_lockout=False)
    policies.update_restriction_policy(connection, without_me, allow_self_lockout=True)
    path = f"{CONNECTIONS}/{connection.removeprefix('connection:')}"
    assert send("GET", path).status == 403
    # Whoever manages everybody's access comes back.
    policies.delete_restriction_policy(connection)
    assert send("GET", path).status == 200


def test_faults_are_named(policies, connection):
    nobody = unknown_id()
    with refused(400, f"'role:{nobody}' does not exist in the organization"):
        policies.update_restriction_policy(connection, policy(connection, ("editor", ME, f"role:{nobody}")))
    team = f"team:{nobody}"
    with refused(400, f"Invalid principal: '{team}' is a team, and there are none; use 'role', 'user' or 'org'"):
        policies.update_restriction_policy(connection, policy(connection, ("editor", ME, team)))
    with refused(400, "'owner' is not one of ['viewer', 'resolver', 'editor']"):
        policies.update_restriction_policy(connection, policy(connection, ("owner", ME)))
    assert told(policies.get_restriction_policy(connection)) == (connection, [])


def test_resources(policies):
    with refused(400, "Invalid resource: 'malformed' is not in a valid format"):
        policies.get_restriction_policy("malformed")
    with refused(400, "Restriction policies are not supported for the 'dashboard' resource type"):
        policies.get_restriction_policy("dashboard:test-get")
    # The client's description knows no such status: the body stays text.
    absent = send("GET", f"{PATH}/connection:{unknown_id()}")
    absent.has_failed_with(404, "Connection not found")
