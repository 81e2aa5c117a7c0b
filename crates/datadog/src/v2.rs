//! Version 2: `{"data": …}` in the manner of JSON:API, and ids that are UUIDs.

mod access_tokens;
pub(crate) mod actions;
pub(crate) mod api_keys;
pub(crate) mod application_keys;
pub(crate) mod current_user;
pub(crate) mod permissions;
pub(crate) mod personal_access_tokens;
pub(crate) mod restriction_policy;
pub(crate) mod roles;
pub(crate) mod service_accounts;
pub(crate) mod user_invitations;
pub(crate) mod users;
pub(crate) mod validate;
pub(crate) mod validate_keys;

use claviger_http::{BodyError, Json as Body};
use claviger_model::Name;
use serde_json::Value;

use crate::Error;
use crate::schema::{Fit, Kind, faults};

/// A body that fits its schema, else every fault of it.
fn fitting(body: Result<Body, BodyError>, schema: Kind) -> Result<Value, Error> {
    let Body(body) = body?;
    let faults = faults(&body, schema);
    if faults.is_empty() { Ok(body) } else { Err(Error::invalid(faults)) }
}

/// The name among the attributes, if there is one.
fn name(body: &Value) -> Result<Option<Name>, Error> {
    let name = Fit::attributes(body).text("name").map(Name::parse).transpose();
    name.map_err(|error| Error::invalid(vec![format!("'name' {error}")]))
}

/// Refuses a body that names another thing than the path.
fn check_id(body: &Value, path: &str) -> Result<(), Error> {
    match Fit::data(body).text("id") {
        Some(id) if !id.eq_ignore_ascii_case(path) => Err(Error::invalid(vec![
            "The id in the request body does not match the id in the URL".to_owned(),
        ])),
        _ => Ok(()),
    }
}
