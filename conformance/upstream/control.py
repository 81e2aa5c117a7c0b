"""What tests tell the rig: `rig.test`, on either listener. No server under test has business here."""

import json

from upstream.wire import as_json

HOST = "rig.test"


def control(request, state):
    """The answer to an order."""
    try:
        given = json.loads(request.body.kept or b"{}")
    except ValueError:
        return as_json(400, {"error": "the body is no JSON"})
    order = ORDERS.get((request.method, request.path))
    if not order:
        return as_json(404, {"error": "no such order", "orders": [" ".join(known) for known in ORDERS]})
    try:
        return as_json(200, order(state, **given))
    except TypeError as error:
        return as_json(400, {"error": str(error)})


def ready(_state):
    """Whether the rig answers."""
    return {"ready": True}


def trust(state, account_id, role, external_id, principal_id):
    """A customer writes into a role's trust policy which account may assume it, with which external id."""
    arn = f"arn:aws:iam::{account_id}:role/{role}"
    state.trust[arn] = {"external_id": external_id, "principal_id": principal_id}
    return {"arn": arn}


def forget(state):
    """Every token that was exchanged so far is refused from now on."""
    state.forget_tokens()
    return {}


def lifetime(state, seconds):
    """Tokens live so long from now on, whatever is asked for; None is as the services do."""
    state.lifetime = seconds
    return {}


ORDERS = {
    ("GET", "/ready"): ready,
    ("POST", "/trust"): trust,
    ("POST", "/forget"): forget,
    ("POST", "/lifetime"): lifetime,
}
