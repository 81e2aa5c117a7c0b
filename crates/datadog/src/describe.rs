//! What the routes of this dialect have in common in the API's description.

use claviger_http::openapi::{Named, Operation};
use serde_json::json;

/// The tag of the routes of keys.
const TAG: &str = "Datadog: Key Management";
/// The tag of the routes of users, roles and orgs.
const PEOPLE: &str = "Datadog: Users and Roles";
/// The tag of the routes of connections and of what may manage them.
const ACTIONS: &str = "Datadog: Action Connections";

/// The tag of the routes of restrictions.
const RESTRICTIONS: &str = "Datadog: Restriction Policies";

/// An operation, by the vendor's name for it.
pub(crate) fn operation(id: &'static str) -> Operation {
    tagged(id, TAG)
}

/// One of users, roles and orgs.
pub(crate) fn of_people(id: &'static str) -> Operation {
    tagged(id, PEOPLE)
}

/// One of roles and permissions, whose answers have JSON:API's content type.
pub(crate) fn of_roles(id: &'static str) -> Operation {
    of_people(id).in_vendor_json()
}

/// One of tokens, which answer as JSON:API.
pub(crate) fn of_tokens(id: &'static str) -> Operation {
    operation(id).in_vendor_json()
}

/// One of connections and what may manage them, which answer as JSON:API and tell of errors by objects, but of bad
/// credentials, limits and troubles of the server by texts, as all services do.
pub(crate) fn of_actions(id: &'static str) -> Operation {
    let text = json!({ "type": "string" });
    let object = json!({
        "type": "object",
        "properties": { "status": text, "title": text, "detail": text },
        "required": ["detail"],
    });
    let errors = json!({
        "type": "object",
        "properties": { "errors": { "type": "array", "items": { "anyOf": [object, text] } } },
        "required": ["errors"],
    });
    let errors = Named::new("DatadogActionErrors", errors);
    Operation::new(id, ACTIONS, errors).takes_bearer().in_vendor_json().errors_in_either()
}

/// One of restrictions.
pub(crate) fn of_restrictions(id: &'static str) -> Operation {
    tagged(id, RESTRICTIONS)
}

/// A user may call each with a token alone; only routes of users are described as such.
fn tagged(id: &'static str, tag: &'static str) -> Operation {
    let errors = json!({
        "type": "object",
        "properties": { "errors": { "type": "array", "items": { "type": "string" } } },
        "required": ["errors"],
    });
    Operation::new(id, tag, Named::new("DatadogErrors", errors)).takes_bearer()
}

/// One of version 2's validation, whose errors are objects.
pub(crate) fn validation(id: &'static str) -> Operation {
    let text = json!({ "type": "string" });
    let errors = json!({
        "type": "object",
        "properties": { "errors": { "type": "array", "items": {
            "type": "object",
            "properties": { "status": text, "title": text, "detail": text },
            "required": ["status", "title", "detail"],
        } } },
        "required": ["errors"],
    });
    Operation::new(id, TAG, Named::new("DatadogErrorObjects", errors))
}
