//! `/api/v2/permissions` (reference: "Roles"): the fixed list of permissions.

mod ids;

use axum::extract::State;
use claviger_engine::rights::PeopleRead;
use claviger_http::openapi::{Named, Query};
use claviger_http::{App, Bucket, Route, RouteInfo, Who};
use claviger_model::{Permission, PermissionSet};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Error;
use crate::describe::of_roles;
use crate::permitted::Permitted;
use crate::query::ListQuery;
use crate::v2::users::READ;
use crate::vendor_json::VendorJson;
use crate::wire::{Reference, Relation};

pub(crate) use self::ids::{id, permission};

pub(crate) fn routes() -> Vec<Route> {
    let info = RouteInfo {
        method: Method::GET,
        path: "/api/v2/permissions",
        who: Who::User(READ),
        bucket: Bucket::PEOPLE,
        summary: "List permissions",
    };
    let include_scopes = Query {
        name: INCLUDE_SCOPES,
        description: "Also the names that the vendor knows as scopes only".to_owned(),
        schema: json!({ "type": "boolean", "default": false }),
    };
    let operation = of_roles("ListPermissions")
        .query(vec![include_scopes])
        .answers(StatusCode::OK, Named::of::<Permissions>("Permissions"));
    vec![Route::new(info, list).described(operation)]
}

const INCLUDE_SCOPES: &str = "include_scopes";

/// A list of permissions, never paged.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Permissions {
    data: Vec<PermissionObject>,
}

/// A permission.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PermissionObject {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    attributes: Attributes,
}

#[derive(Serialize, JsonSchema)]
struct Attributes {
    created: &'static str,
    description: String,
    display_name: String,
    display_type: &'static str,
    group_name: &'static str,
    name: &'static str,
    name_aliases: [String; 0],
    restricted: bool,
}

/// The list is part of the program; the vendor's oldest entry is of this moment.
const CREATED: &str = "2018-10-19T15:35:23.734317Z";

/// What every new role may, unless that is declined, and what no role that has it loses by an update. As recorded.
const RESTRICTED: [&str; 10] = [
    "dashboards_read",
    "monitors_read",
    "apm_read",
    "incident_read",
    "rum_apps_read",
    "notebooks_read",
    "slos_read",
    "ci_visibility_read",
    "cd_visibility_read",
    "appsec_vm_read",
];

/// The permissions that new roles have by default.
pub(crate) fn restricted() -> PermissionSet {
    RESTRICTED.into_iter().filter_map(Permission::parse).collect()
}

/// A relation to permissions.
pub(crate) fn related(set: &PermissionSet) -> Relation<Vec<Reference>> {
    Relation { data: set.iter().map(|permission| Reference::to("permissions", id(permission))).collect() }
}

impl Permissions {
    /// These, in listing order.
    pub(crate) fn of(set: &PermissionSet) -> Self {
        Self { data: set.iter().map(PermissionObject::of).collect() }
    }
}

impl PermissionObject {
    /// A permission with what is told of it.
    pub(crate) fn of(permission: Permission) -> Self {
        let name = permission.name();
        let group = permission.group();
        Self {
            kind: "permissions",
            id: id(permission).to_string(),
            attributes: Attributes {
                created: CREATED,
                description: format!("What `{name}` stands for"),
                display_name: display_name(name),
                display_type: display_type(name),
                group_name: if group.is_empty() { "Scopes" } else { group },
                name,
                name_aliases: [],
                restricted: RESTRICTED.contains(&name),
            },
        }
    }
}

/// `api_keys_read` as Api Keys Read.
fn display_name(name: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('_').filter(|part| !part.is_empty()).map(word).collect::<Vec<_>>().join(" ")
}

/// Recorded for those of appendix A; the others follow their names.
fn display_type(name: &str) -> &'static str {
    match name {
        "admin" | "standard" => "other",
        "logs_live_tail" | "connections_resolve" => "read",
        name if name.ends_with("_read") => "read",
        _ => "write",
    }
}

async fn list(
    State(_): State<App>,
    Permitted(_): Permitted<PeopleRead>,
    uri: Uri,
) -> Result<VendorJson<Permissions>, Error> {
    let mut query = ListQuery::of(&uri);
    let includes_scopes = query.flag(INCLUDE_SCOPES).unwrap_or(false);
    query.check()?;
    let is_listed = |permission: &Permission| includes_scopes || !permission.group().is_empty();
    Ok(VendorJson(Permissions::of(&Permission::all().filter(is_listed).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restricted_permissions_exist() {
        assert_eq!(restricted().iter().count(), RESTRICTED.len());
    }

    #[test]
    fn what_is_told_is_what_was_recorded() {
        let told = |name| PermissionObject::of(Permission::parse(name).unwrap());
        let connections = told("connections_resolve");
        assert_eq!(connections.id, "36e2a22e-248a-11ed-b405-da7ad0900002");
        assert_eq!(connections.attributes.group_name, "App Builder & Workflow Automation");
        assert_eq!(connections.attributes.display_type, "read");
        assert_eq!(told("admin").attributes.display_type, "other");
        assert_eq!(told("api_keys_delete").attributes.display_name, "Api Keys Delete");
        assert!(told("monitors_read").attributes.restricted && !told("api_keys_read").attributes.restricted);
    }
}
