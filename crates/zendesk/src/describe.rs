//! What the routes of this dialect have in common in the API's description.

use claviger_http::openapi::{Named, Operation};
use serde_json::json;

/// An operation of the registry.
pub(crate) fn of_registry(id: &'static str) -> Operation {
    let text = json!({ "type": "string" });
    let fault = json!({
        "type": "object",
        "properties": { "code": text, "detail": text, "status": text },
        "required": ["code", "detail", "status"],
    });
    let errors = json!({
        "type": "object",
        "properties": { "errors": { "type": "array", "items": fault }, "message": text },
        "required": ["errors", "message"],
    });
    Operation::new(id, "Zendesk: ZIS Registry", Named::new("ZisRegistryErrors", errors))
}

/// An operation of tokens.
pub(crate) fn of_tokens(id: &'static str) -> Operation {
    let text = json!({ "type": "string" });
    let errors = json!({
        "type": "object",
        "properties": { "error": text, "description": text, "details": { "type": "object" } },
        "required": ["error"],
    });
    Operation::new(id, "Zendesk: OAuth Tokens", Named::new("ZendeskError", errors))
}

/// An operation of connections.
pub(crate) fn of_connections(id: &'static str) -> Operation {
    of_service(id, "Zendesk: ZIS Connections")
}

/// An operation of OAuth clients and OAuth connections.
pub(crate) fn of_oauth(id: &'static str) -> Operation {
    of_service(id, "Zendesk: ZIS OAuth")
}

fn of_service(id: &'static str, tag: &'static str) -> Operation {
    let text = json!({ "type": "string" });
    let fault = json!({
        "type": "object",
        "properties": { "code": text, "title": text },
        "required": ["code", "title"],
    });
    let errors = json!({
        "type": "object",
        "properties": { "errors": { "type": "array", "items": fault } },
        "required": ["errors"],
    });
    Operation::new(id, tag, Named::new("ZisErrors", errors))
}
