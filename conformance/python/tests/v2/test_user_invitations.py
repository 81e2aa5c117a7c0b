"""`/api/v2/user_invitations`: bodies and answers are lists."""

from datetime import timedelta

import pytest

from support import TIME_V2, UUID, send, understood, unknown_id

PATH = "/api/v2/user_invitations"


def invitation(*ids):
    def one(id):
        return {"type": "user_invitations", "relationships": {"user": {"data": {"type": "users", "id": id}}}}

    return {"data": [one(id) for id in ids]}


def test_send_and_get(users, make_user):
    user = make_user()
    (sent,) = understood(users.send_invitations(invitation(user.id))).data
    assert UUID.fullmatch(sent.id)
    assert sent.attributes.uuid == sent.id
    assert sent.attributes.invite_type == "basic_invite"
    assert sent.attributes.expires_at - sent.attributes.created_at == timedelta(days=2)
    assert sent.relationships.user.data.id == user.id
    found = understood(users.get_invitation(sent.id)).data
    assert (found.id, found.attributes) == (sent.id, sent.attributes)


def test_on_the_wire(make_user):
    answer = send("POST", PATH, invitation(make_user().id, make_user().id))
    assert (answer.status, answer.content_type) == (201, "application/json")
    assert len(answer.data) == 2
    attributes = answer.data[0]["attributes"]
    assert attributes["login_method"] is None
    assert TIME_V2.fullmatch(attributes["created_at"]) and TIME_V2.fullmatch(attributes["expires_at"])


@pytest.mark.parametrize("id", ["invalidId", unknown_id()])
def test_get_unknown_or_malformed_id(id):
    send("GET", f"{PATH}/{id}").has_failed_with(404)


@pytest.mark.parametrize("wrong", [{}, {"data": []}, {"data": [{"type": "user_invitations"}]}, "{not JSON"])
def test_wrong_bodies(wrong):
    send("POST", PATH, wrong).has_failed_with(400)


def test_nobody_is_invited_when_one_is_unknown(make_user):
    answer = send("POST", PATH, invitation(make_user().id, unknown_id()))
    assert answer.status in (400, 404)
