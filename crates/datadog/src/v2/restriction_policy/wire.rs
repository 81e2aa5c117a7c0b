//! Restriction policies as they are shown.

use claviger_model::{ConnectionId, Relation, Restriction};
use schemars::JsonSchema;
use serde::Serialize;

/// A policy.
#[derive(Serialize, JsonSchema)]
pub(super) struct PolicyObject {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    attributes: Attributes,
}

#[derive(Serialize, JsonSchema)]
struct Attributes {
    bindings: Vec<Binding>,
}

#[derive(Serialize, JsonSchema)]
struct Binding {
    relation: &'static str,
    principals: Vec<String>,
}

impl PolicyObject {
    /// The policy of a connection, the closest relation first. One that has none has no bindings.
    pub(super) fn of(id: ConnectionId, restriction: Option<&Restriction>) -> Self {
        let binding = |relation: Relation| {
            let given = restriction?.iter().filter(|(given, _)| *given == relation);
            let principals: Vec<_> = given.map(|(_, principal)| principal.to_string()).collect();
            (!principals.is_empty()).then(|| Binding { relation: relation.as_str(), principals })
        };
        let bindings = Relation::ALL.into_iter().rev().filter_map(binding).collect();
        Self {
            kind: "restriction_policy",
            id: format!("connection:{id}"),
            attributes: Attributes { bindings },
        }
    }
}
