"""An org keeps at least one API key: v1 and v2 refuse to delete the last one.

Only where the org has a single one: these tests delete nobody's keys to get there.
"""

import re

import pytest

from support import API_KEY, send

LAST_ONE = re.compile(r"Org \d+ has 0 api keys\. Orgs must have at least 1 and at most \d+ keys\.")


@pytest.fixture
def only_key():
    """The id of the org's only API key."""
    listed = send("GET", "/api/v2/api_keys").json
    if listed["meta"]["page"]["total_filtered_count"] != 1:
        pytest.skip("the org has more than one API key")
    return listed["data"][0]["id"]


def check_refused(answer):
    answer.has_failed_with(400)
    assert len(answer.json["errors"]) == 1 and LAST_ONE.fullmatch(answer.json["errors"][0])
    assert send("GET", "/api/v1/validate").status == 200


def test_through_v1(only_key):
    check_refused(send("DELETE", f"/api/v1/api_key/{API_KEY}"))


def test_through_v2(only_key):
    check_refused(send("DELETE", f"/api/v2/api_keys/{only_key}"))
