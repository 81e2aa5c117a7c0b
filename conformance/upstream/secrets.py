"""The identities that the rig knows: made from a seed, kept in a file, and turned into bodies that make connections.

An identity is one credential of a type: `good`, `limited` (real, but may do nothing), others that a type needs, and
`bad`, which looks right and which the rig does not know. Each says what the catalog's probe must find of it.
"""

import base64
import json
import random
import string
from pathlib import Path

from upstream.identities import ALPHANUMERIC, every
from upstream.seeded import Seeded


def make(seed):
    """Everything that the rig and its drivers must agree on."""
    seeded = Seeded(random.Random(f"claviger upstream {seed}"))
    return {
        "seed": seed,
        "identities": list(every(seeded)),
        # The server's own keys at AWS, with which it assumes roles.
        "principal": {
            "account_id": "210987654321",
            "access_key_id": "AKIA" + seeded.text(16, string.ascii_uppercase + "234567"),
            "secret_access_key": seeded.text(40, ALPHANUMERIC + "+/"),
        },
        # Signs the tokens that the rig gives as Entra does; here, so that a test can make expired ones.
        "signing_key": seeded.rsa_pem(),
    }


def read(path):
    return json.loads(Path(path).read_text())


def identity(secrets, type, variant="good"):
    """The identity of that type and variant."""
    return next(one for one in secrets["identities"] if (one["type"], one["variant"]) == (type, variant))


def create_request(one, name, integration=None):
    """Method, path and body that make the connection. Those of ZIS need the name of a ZIS integration.

    Of an OAuth connection this makes the client; `start_request` is the next step.
    """
    if one["face"] == "datadog":
        attributes = {"name": name, "integration": one["create"]}
        body = {"data": {"type": "action_connection", "attributes": attributes}}
        return "POST", "/api/v2/actions/connections", body
    root = "/api/services/zis"
    if one["type"] == "oauth":
        return "POST", f"{root}/connections/oauth/clients/{integration}", one["create"]
    path = f"{root}/integrations/{integration}/connections/{one['type']}"
    return "POST", path, one["create"] | {"name": name}


def start_request(one, name, integration):
    """Method, path and body that begin an OAuth connection, once its client is there."""
    return "POST", f"/api/services/zis/connections/oauth/start/{integration}", one["start"] | {"name": name}


def secret_values(secrets):
    """Every secret, with a label: `type.variant.field`. Settings such as hosts and user names are none."""
    found = {}
    for one in secrets["identities"]:
        for name in one["secret"]:
            found[f"{one['type']}.{one['variant']}.{name}"] = one["fields"][name]
    found["principal.secret_access_key"] = secrets["principal"]["secret_access_key"]
    return found


def basic(user, password):
    """The value of `Authorization` for that pair."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
