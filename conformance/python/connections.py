"""Connections for tests: the examples that every client's suite shares, and what answers show of them."""

import copy
import json
from pathlib import Path

EXAMPLES = json.loads((Path(__file__).parent.parent / "connections.json").read_text())
BY_TYPE = {example["credentials"]: example for example in EXAMPLES}
PATH = "/api/v2/actions/connections"
# Every secret of the examples begins so, and so does every other that tests of connections give away.
CANARY = "canary-"
# Lists of HTTP connections, whose items are merged by name.
LISTS = ["tokens", "headers", "url_parameters"]


def secrets():
    """Every secret of the examples."""
    found = []
    for example in EXAMPLES:
        for form in ("create", "update"):
            for pointer in example["secrets"]:
                value = example[form]
                for step in pointer.split("/")[1:]:
                    value = value[int(step) if isinstance(value, list) else step]
                assert value.startswith(CANARY)
                found.append(value)
    return found


def emptied(value):
    """What answers show of an `integration` value: its secrets are there, but empty."""
    if isinstance(value, dict):
        return {name: emptied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [emptied(item) for item in value]
    return "" if isinstance(value, str) and value.startswith(CANARY) else value


def updated(before, change):
    """An `integration` value after a change: what the change does not name stays."""
    after = copy.deepcopy(before)
    for name, value in change.items():
        if name == "credentials":
            after[name] = updated(before[name], value)
        elif name in LISTS:
            items = {item["name"]: item for item in after.get(name, [])}
            for item in value:
                if item.get("deleted"):
                    items.pop(item["name"], None)
                else:
                    items[item["name"]] = item
            after[name] = list(items.values())
        else:
            after[name] = value
    return after


def without_made(integration):
    """An `integration` value without what the server adds to those of AWS."""
    made = ("external_id", "principal_id")
    credentials = {name: value for name, value in integration["credentials"].items() if name not in made}
    return integration | {"credentials": credentials}


def body(**attributes):
    """The body of a create or an update."""
    return {"data": {"type": "action_connection", "attributes": attributes}}
