//! `/claviger/v1/org`: the settings of the caller's org.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use claviger_engine::rights::OrgManagement;
use claviger_engine::{FieldError, OrgPatch};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::{KEY_PREFIX_CHARS_MAX, KeyPrefix, LeakPolicy, Name, Org, Permission, excerpt};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::guards::shown_time;
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::{Error, error};

const PATH: &str = "/claviger/v1/org";

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, summary| for_users(method, PATH, &[Permission::ORG_MANAGEMENT], summary);
    vec![
        Route::new(info(Method::GET, "Get the org's settings"), get).described(operation("GetOrg")),
        Route::new(info(Method::PATCH, "Change the org's settings"), update)
            .described(operation("UpdateOrg").body(Named::new("OrgPatch", patch_schema()))),
    ]
}

fn operation(id: &'static str) -> Operation {
    Operation::new(id, "Claviger: org", error::described())
        .takes_bearer()
        .answers(StatusCode::OK, Named::of::<Settings>("Org"))
}

#[derive(Serialize, JsonSchema)]
struct Settings {
    id: String,
    /// The number that version 1 of the vendor's API shows.
    number: i64,
    name: String,
    one_time_read: bool,
    api_keys_max: u32,
    application_keys_per_user_max: u32,
    native_keys_max: u32,
    connections_max: u32,
    native_key_prefix: String,
    /// What becomes of a credential whose secret leaked: `revoke` or `mark`.
    leaks: &'static str,
    created_at: String,
    modified_at: String,
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
) -> Result<Json<Settings>, Error> {
    Ok(Json(wire(&app.engine().org(permit.org()).await?)))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let patch = patch(&body?.0)?;
    let changed = app.engine().update_org(&permit, &patch).await?;
    Ok(positioned(changed.position, Json(wire(&changed.value))))
}

/// The most keys of a kind that a limit may allow.
const LIMIT_MAX: u64 = 10_000_000;

/// What [`patch`] takes.
fn patch_schema() -> Value {
    let limit = json!({ "type": "integer", "minimum": 0, "maximum": LIMIT_MAX });
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "one_time_read": { "type": "boolean" },
            "api_keys_max": limit,
            "application_keys_per_user_max": limit,
            "native_keys_max": limit,
            "connections_max": limit,
            "native_key_prefix": { "type": "string", "maxLength": KEY_PREFIX_CHARS_MAX },
            "leaks": { "type": "string", "enum": [LeakPolicy::Revoke.as_str(), LeakPolicy::Mark.as_str()] },
        },
        "additionalProperties": false,
    })
}

fn patch(body: &Value) -> Result<OrgPatch, Error> {
    let Some(object) = body.as_object() else {
        return Err(Error::invalid(vec![fault("", "the body must be an object")]));
    };
    let (mut patch, mut faults) = (OrgPatch::default(), Vec::new());
    let limit = |value: &Value| {
        value.as_u64().filter(|limit| *limit <= LIMIT_MAX).and_then(|limit| limit.try_into().ok())
    };
    let bad_limit = format!("must be a number from 0 to {LIMIT_MAX}");
    for (field, value) in object {
        match (field.as_str(), value) {
            ("name", Value::String(name)) => match Name::parse(name.as_str()) {
                Ok(name) => patch.name = Some(name),
                Err(error) => faults.push(fault(field, &error.to_string())),
            },
            ("name", _) => faults.push(fault(field, "must be a string")),
            ("one_time_read", Value::Bool(flag)) => patch.one_time_read = Some(*flag),
            ("one_time_read", _) => faults.push(fault(field, "must be true or false")),
            ("api_keys_max", value) => match limit(value) {
                Some(limit) => patch.api_keys_max = Some(limit),
                None => faults.push(fault(field, &bad_limit)),
            },
            ("application_keys_per_user_max", value) => match limit(value) {
                Some(limit) => patch.application_keys_per_user_max = Some(limit),
                None => faults.push(fault(field, &bad_limit)),
            },
            ("native_keys_max", value) => match limit(value) {
                Some(limit) => patch.native_keys_max = Some(limit),
                None => faults.push(fault(field, &bad_limit)),
            },
            ("connections_max", value) => match limit(value) {
                Some(limit) => patch.connections_max = Some(limit),
                None => faults.push(fault(field, &bad_limit)),
            },
            ("native_key_prefix", Value::String(text)) => match KeyPrefix::parse(text) {
                Ok(prefix) => patch.native_key_prefix = Some(prefix),
                Err(error) => faults.push(fault(field, &error.to_string())),
            },
            ("native_key_prefix", _) => faults.push(fault(field, "must be a string")),
            ("leaks", Value::String(policy)) => match policy.parse::<LeakPolicy>() {
                Ok(policy) => patch.leaks = Some(policy),
                Err(error) => faults.push(fault(field, &error.to_string())),
            },
            ("leaks", _) => faults.push(fault(field, "must be a string")),
            _ => faults.push(fault(field, "is not a setting that can be changed")),
        }
    }
    if faults.is_empty() { Ok(patch) } else { Err(Error::invalid(faults)) }
}

fn fault(field: &str, reason: &str) -> FieldError {
    FieldError { field: excerpt(field), reason: reason.to_owned() }
}

fn wire(org: &Org) -> Settings {
    Settings {
        id: org.id.to_string(),
        number: org.number,
        name: org.name.clone(),
        one_time_read: org.settings.one_time_read,
        api_keys_max: org.settings.api_keys_max,
        application_keys_per_user_max: org.settings.application_keys_per_user_max,
        native_keys_max: org.settings.native_keys_max,
        connections_max: org.settings.connections_max,
        native_key_prefix: org.settings.native_key_prefix.to_string(),
        leaks: org.settings.leaks.as_str(),
        created_at: shown_time(org.created_at),
        modified_at: shown_time(org.modified_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_is_what_is_taken() {
        let schema = patch_schema();
        for (name, property) in schema["properties"].as_object().unwrap() {
            let (good, bad) = match property["type"].as_str().unwrap() {
                "string" if property["enum"].is_array() => {
                    (property["enum"].as_array().unwrap().clone(), vec![json!(1), json!("n")])
                }
                "string" => (vec![json!("n")], vec![json!(1)]),
                "boolean" => (vec![json!(true)], vec![json!("true")]),
                _ => (
                    vec![property["minimum"].clone(), property["maximum"].clone()],
                    vec![json!(-1), json!(LIMIT_MAX + 1), json!("1")],
                ),
            };
            assert!(good.iter().all(|value| patch(&json!({ name: value })).is_ok()), "{name}");
            assert!(bad.iter().all(|value| patch(&json!({ name: value })).is_err()), "{name}");
        }
        assert!(patch(&json!({ "other": 1 })).is_err());
        assert!(patch(&json!([])).is_err());
    }
}
