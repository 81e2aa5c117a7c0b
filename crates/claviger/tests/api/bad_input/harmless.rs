//! Which changes of a body are none that matter, by route.

use claviger_http::RouteInfo;
use http::Method;

use super::mutations::{Mutation, MutationKind};

/// Whether a route takes a body that was changed so.
pub(super) fn is_harmless(route: &RouteInfo, Mutation { place, kind, .. }: &Mutation) -> bool {
    let kind = *kind;
    let is_v1 = route.path.starts_with("/api/v1/");
    let is_org = route.path.starts_with("/claviger/");
    // Of keys and permissions.
    let is_native =
        ["keys", "permissions", "roles", "credentials", "api_keys", "application_keys", "tokens", "users"]
            .iter()
            .any(|what| route.path.starts_with(&format!("/claviger/v1/{what}")));
    // Newer services pass over what they do not know.
    let is_token = route.path.contains("/personal_access_tokens") || route.path.contains("/access_tokens");
    let is_service_token = is_token && route.path.contains("/service_accounts/");
    let is_user = route.path.starts_with("/api/v2/users") || route.path == "/api/v2/service_accounts";
    let is_change = route.method == Method::PATCH;
    match (kind, place.as_str()) {
        _ if route.path.starts_with("/api/v2/actions/connections") => {
            is_harmless_to_connections(is_change, kind, place)
        }
        _ if route.path.starts_with("/claviger/v1/connections") => {
            is_harmless_to_native_connections(is_change, kind, place)
        }
        _ if route.path == "/claviger/v1/actions/http" => is_harmless_to_actions(kind, place),
        _ if is_native => is_harmless_natively(route, kind, place),
        // What may be left out of people and roles.
        (MutationKind::Removed, "/data/attributes/email" | "/data/attributes/disabled") => {
            is_user && is_change
        }
        (
            MutationKind::Removed | MutationKind::Nulled,
            "/data/attributes/name" | "/data/attributes/title",
        ) if is_user => true,
        (MutationKind::Removed, "/data/attributes/name") if route.path.starts_with("/api/v2/roles") => {
            is_change
        }
        (
            MutationKind::Removed,
            "/data/attributes/default_permissions_opt_out"
            | "/data/attributes/receives_permissions_from"
            | "/data/relationships"
            | "/data/relationships/roles"
            | "/data/relationships/permissions"
            | "/data/relationships/permissions/data",
        ) => true,
        // Version 1 ignores what it does not know; members that only reads show may be sent back.
        (MutationKind::Added, _) => is_v1 || is_token,
        // Nothing is said of it, or that it has no end, where it may have none.
        (MutationKind::Removed, "/data/attributes/expires_at") => {
            is_service_token || route.method == Method::PATCH
        }
        (MutationKind::Nulled, "/data/attributes/expires_at") => {
            is_service_token && route.method == Method::POST
        }
        // A token always has scopes.
        (MutationKind::Removed, "/data/attributes/scopes") if is_token => route.method == Method::PATCH,
        (MutationKind::Nulled, "/data/attributes/scopes") if is_token => false,
        // A leak may have been found anywhere; a webhook must go somewhere.
        (MutationKind::Removed, "/url") if is_org => is_change || route.path.ends_with("/leaks"),
        (MutationKind::Removed, place) if is_org => {
            is_change || ["/admin_email", "/source", "/events", "/enabled"].contains(&place)
        }
        (MutationKind::Removed, "/data/attributes/name") => {
            route.method == Method::PATCH && (is_token || route.path.contains("application_keys"))
        }
        (
            MutationKind::Removed,
            "/data/attributes/category"
            | "/data/attributes/remote_config_read_enabled"
            | "/data/attributes/scopes",
        ) => true,
        (MutationKind::Nulled, "/data/attributes/scopes") => true,
        _ => false,
    }
}

/// Likewise of connections: what an update does not name is kept, and no tags are as good as null.
fn is_harmless_to_connections(is_change: bool, kind: MutationKind, place: &str) -> bool {
    let is_attribute = |name: &str| place == format!("/data/attributes/{name}");
    match kind {
        MutationKind::Removed => {
            let kept = ["name", "integration"].into_iter().any(is_attribute)
                || place == "/data/attributes/integration/credentials/api_token";
            is_attribute("tags") || is_change && kept
        }
        MutationKind::Nulled => is_attribute("tags"),
        // Beside what is known, the vendor's clients send what other versions know.
        MutationKind::Added => ["", "/data"].contains(&place),
        MutationKind::Retyped => false,
    }
}

/// Likewise of connections natively: nothing is passed over, and only an end may be null.
fn is_harmless_to_native_connections(is_change: bool, kind: MutationKind, place: &str) -> bool {
    const KEPT: [&str; 4] =
        ["/name", "/integration", "/integration/credentials/account_id", "/integration/credentials/role"];
    match kind {
        MutationKind::Removed => {
            ["/tags", "/hosts", "/expires_at"].contains(&place) || is_change && KEPT.contains(&place)
        }
        MutationKind::Nulled => place == "/expires_at",
        MutationKind::Added | MutationKind::Retyped => false,
    }
}

/// Likewise of an action: what goes out as its body is the caller's own matter.
fn is_harmless_to_actions(kind: MutationKind, place: &str) -> bool {
    place.starts_with("/requestBody")
        || kind == MutationKind::Removed && ["/headers", "/query"].contains(&place)
}

/// Likewise of a route about native keys and own permissions.
fn is_harmless_natively(route: &RouteInfo, kind: MutationKind, place: &str) -> bool {
    const MAY_BE_NULL: [&str; 7] =
        ["/prefix", "/external_id", "/metadata", "/allow_list", "/request_limit", "/expires_at", "/scopes"];
    match (kind, place) {
        // A personal token always has an end.
        (MutationKind::Nulled, "/expires_at") if route.path.contains("/tokens/") => false,
        // What stands in it is the org's own matter.
        (_, place) if place.starts_with("/metadata/") => true,
        (MutationKind::Added, place) => place == "/metadata",
        (MutationKind::Nulled, place) => MAY_BE_NULL.contains(&place),
        (MutationKind::Retyped, _) => false,
        (MutationKind::Removed, "/name") => route.method != Method::POST,
        (MutationKind::Removed, "/permissions") => route.method != Method::PUT,
        (MutationKind::Removed, place) => !place.starts_with("/request_limit/"),
    }
}
