//! Bodies of connections: what they are understood to say is the catalog's matter, how they come and what is told of
//! their faults is this dialect's, and ours: the vendor's documents say only that it is 400.

use claviger_catalog::{Faults, SecretJson, ZisType};
use claviger_engine::{FieldError, NewZisConnection, ZisConnectionPatch};
use claviger_http::{BodyError, Json as Body};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::error::Error;

/// The body of a request, where it says that it is JSON or does not say what it is.
pub(crate) fn json(headers: &HeaderMap, body: Result<Body, BodyError>) -> Result<SecretJson, Error> {
    let said = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
    let essence = said.as_deref().map(|said| said.split(';').next().unwrap_or_default().trim());
    if essence.is_some_and(|essence| essence != "application/json" && !essence.ends_with("+json")) {
        return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"));
    }
    Ok(SecretJson::new(body?.0))
}

/// The same of one that must be an object.
pub(crate) fn object(
    headers: &HeaderMap,
    body: Result<Body, BodyError>,
) -> Result<Map<String, Value>, Error> {
    match json(headers, body)?.take() {
        Value::Object(members) => Ok(members),
        _ => Err(Error::invalid(vec![FieldError {
            field: "body".to_owned(),
            reason: "must be an object".to_owned(),
        }])),
    }
}

/// What is to be made of a body.
pub(crate) fn new_connection(of: ZisType, body: SecretJson) -> Result<NewZisConnection, Error> {
    let new = of.read_new(body).map_err(named)?;
    Ok(NewZisConnection { name: new.name, of, settings: new.settings, secret: new.secret })
}

/// What is to be changed by a body.
pub(crate) fn patch(of: ZisType, body: SecretJson) -> Result<ZisConnectionPatch, Error> {
    let patch = of.read_patch(body).map_err(named)?;
    Ok(ZisConnectionPatch {
        name: patch.name,
        allowed_domain: patch.allowed_domain.map(|domain| domain.to_string()),
        header: patch.header,
        username: patch.username,
        secret: patch.secret,
    })
}

/// Every bad member by its name.
fn named(faults: Faults) -> Error {
    let field = |pointer: &str| match pointer.strip_prefix('/') {
        Some(member) => member.to_owned(),
        None => "body".to_owned(),
    };
    let fault = |fault: &claviger_catalog::Fault| FieldError {
        field: field(&fault.pointer),
        reason: fault.reason.clone(),
    };
    Error::invalid(faults.iter().map(fault).collect())
}

fn schema(of: ZisType) -> Map<String, Value> {
    let names = ["name", "allowed_domain", of.secret()].into_iter().chain(of.clear_member());
    names.map(|name| (name.to_owned(), json!({ "type": "string" }))).collect()
}

pub(crate) fn new_schema(of: ZisType) -> Value {
    let members = schema(of);
    let required: Vec<_> = members.keys().cloned().collect();
    json!({ "type": "object", "properties": members, "required": required })
}

pub(crate) fn patch_schema(of: ZisType) -> Value {
    json!({ "type": "object", "properties": schema(of) })
}
