"""The API's description, as the running server gives it, is a valid OpenAPI 3.1 document."""

from openapi_spec_validator import OpenAPIV31SpecValidator

from support import send


def test_the_description_is_valid():
    answer = send("GET", "/openapi.json", api_key=None, application_key=None)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.json["openapi"] == "3.1.0"
    faults = [f"{list(fault.path)}: {fault.message}" for fault in OpenAPIV31SpecValidator(answer.json).iter_errors()]
    assert faults == []
