//! Roles on the wire.

use claviger_engine::ListedRole;
use claviger_model::Role;
use schemars::JsonSchema;
use serde::Serialize;

use crate::times;
use crate::v2::permissions;
use crate::wire::{Reference, Relation};

/// A role with what it allows.
#[derive(Serialize, JsonSchema)]
pub(super) struct RoleObject {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    attributes: Attributes,
    relationships: Relationships,
}

#[derive(Serialize, JsonSchema)]
struct Attributes {
    name: String,
    managed: bool,
    created_at: String,
    modified_at: String,
    /// Answers to changes do not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_handle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_by_handle: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Relationships {
    permissions: Relation<Vec<Reference>>,
}

impl RoleObject {
    /// As changes answer with it.
    pub(super) fn of(role: &Role) -> Self {
        Self {
            kind: "roles",
            id: role.id.to_string(),
            attributes: Attributes {
                name: role.name.clone(),
                managed: role.managed.is_some(),
                created_at: times::vendor_json(role.created_at),
                modified_at: times::vendor_json(role.modified_at),
                user_count: None,
                created_by_handle: None,
                modified_by_handle: None,
            },
            relationships: Relationships { permissions: permissions::related(&role.permissions) },
        }
    }

    /// As reads answer with it.
    pub(super) fn counted(listed: ListedRole) -> Self {
        let mut object = Self::of(&listed.role);
        object.attributes.user_count = Some(listed.user_count);
        object.attributes.created_by_handle = listed.created_by;
        object.attributes.modified_by_handle = listed.modified_by;
        object
    }
}
