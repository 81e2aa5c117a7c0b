"""Calls of `calls.py` as HTTP actions: asked for in JSON, and answered in JSON.

The answer is read back into what the third party would have answered, so that it is judged as every other.
"""

import base64
import json

PATH = "/claviger/v1/actions/http"
MIB = 1024 * 1024


class Answer:
    """What a third party answered, as an action tells it."""

    def __init__(self, told):
        self.status_code = told["status"]
        self.headers = {pair["key"]: pair["value"] for pair in told["headers"]}
        self.content = _content(told)
        self.text = self.content.decode("latin-1")


def every(made):
    """The same calls as actions, but for those by which an unmodified client is played: actions have none."""
    others = [call for call in made if not call["is_as_client"]]
    return [call | {"name": f"{call['name']}, as an action", "is_action": True} for call in others]


def body(call, connection):
    """The body of the action that is a call."""
    headers = [{"key": key, "value": value} for key, value in call["headers"].items()]
    asked = {"method": call["method"], "headers": headers}
    if connection.startswith("zis:"):
        _, asked["integration"], asked["connectionName"] = connection.split(":")
    else:
        asked["connection"] = connection
    if call["host"]:
        asked["url"] = f"https://{call['host']}/{call['path']}"
    else:
        path, mark, query = call["path"].partition("?")
        # Half of a query may stand in the path, and half beside it: it arrives as one.
        first, _, rest = query.partition("&")
        asked["path"] = f"/{path}{mark}{first}"
        if rest and "%" not in rest:
            pairs = [pair.partition("=") for pair in rest.split("&")]
            asked["query"] = [{"key": key, "value": value} for key, _, value in pairs]
        elif rest:
            asked["path"] += f"&{rest}"
    if call["body"] is not None:
        is_json = call["headers"].get("Content-Type") == "application/json"
        asked["requestBody"] = json.loads(call["body"]) if is_json else call["body"]
    return asked


def read(answer):
    """An action's answer as its third party's; a refusal as it is."""
    if answer.headers.get("Claviger-Error") or answer.status_code != 200:
        return answer
    assert len(answer.content) < 8 * MIB, "an answer is bounded"
    told = answer.json()
    assert 0 < told["timing"]["firstByteMs"] <= told["timing"]["totalMs"], told["timing"]
    return Answer(told)


def _content(told):
    kinds = {
        "json": lambda body: json.dumps(body).encode(),
        "text": str.encode,
        "base64": base64.b64decode,
        "none": lambda _: b"",
    }
    return kinds[told["bodyType"]](told["body"])
