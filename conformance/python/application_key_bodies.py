"""Bodies of application keys, for the two families of endpoints that take them."""

from datadog_api_client.v2.model.application_key_update_attributes import ApplicationKeyUpdateAttributes
from datadog_api_client.v2.model.application_key_update_data import ApplicationKeyUpdateData
from datadog_api_client.v2.model.application_key_update_request import ApplicationKeyUpdateRequest
from datadog_api_client.v2.model.application_keys_type import ApplicationKeysType

from support import unknown_id


def update(id, **attributes):
    """The client's body of a PATCH."""
    attributes = ApplicationKeyUpdateAttributes(**attributes)
    data = ApplicationKeyUpdateData(attributes=attributes, id=id, type=ApplicationKeysType.APPLICATION_KEYS)
    return ApplicationKeyUpdateRequest(data=data)


def patch(id, **attributes):
    """The same for plain HTTP."""
    return {"data": {"type": "application_keys", "id": id, "attributes": attributes}}


def wrong_patches(id):
    """Bodies that PATCH must refuse, each with the error where it is known."""
    return [
        ({"data": {"type": "application_keys", "attributes": {"name": "x"}}}, "'id' is a required property"),
        ({"data": {"id": id, "attributes": {"name": "x"}}}, "'type' is a required property"),
        ({}, "'data' is a required property"),
        (patch(id, name=None), "None is not of type 'string'"),
        (patch(id, key="x"), "Additional properties are not allowed ('key' was unexpected)"),
        (patch(id, name=""), None),
        (patch(id, name="  "), None),
        (patch(id, scopes="dashboards_read"), None),
        (patch(unknown_id(), name="x"), None),
        ({"data": {"type": "api_keys", "id": id, "attributes": {"name": "x"}}}, None),
        ("{not JSON", None),
        ("", None),
    ]
