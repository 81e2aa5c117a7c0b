//! Wire types that several resources share.

use claviger_model::{LeakId, UserId};
use schemars::JsonSchema;
use serde::Serialize;

/// `{"data": …}` around one thing, with what is included beside it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct One<T> {
    pub(crate) data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) included: Option<Vec<serde_json::Value>>,
}

/// A page of things.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Many<T, M> {
    pub(crate) data: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) included: Option<Vec<serde_json::Value>>,
    pub(crate) meta: M,
}

/// How many there are in all.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PageMeta {
    pub(crate) total_filtered_count: i64,
}

/// A relation to one thing, or to none.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Relation<T> {
    pub(crate) data: T,
}

/// A reference by type and id.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reference {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

impl Reference {
    /// A reference to one thing of a type.
    pub(crate) fn to(kind: &'static str, id: impl std::fmt::Display) -> Self {
        Self { kind, id: id.to_string() }
    }
}

/// A relation to nothing: no leak is known.
pub(crate) const NOTHING: Relation<Option<Reference>> = Relation { data: None };

/// A relation to what is known of a leak.
pub(crate) fn leaked_key(id: LeakId) -> Relation<Option<Reference>> {
    Relation { data: Some(Reference { kind: "leaked_keys", id: id.to_string() }) }
}

/// A relation to a user.
pub(crate) fn user(id: UserId) -> Relation<Reference> {
    Relation { data: Reference::to("users", id) }
}
