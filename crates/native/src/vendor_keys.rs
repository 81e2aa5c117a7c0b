//! Keys of the vendor's kinds, with what the vendor has no words for: guards and rotation.
//!
//! `/claviger/v1/api_keys`, `/claviger/v1/application_keys` and `/claviger/v1/tokens`. Everything else about them is
//! the vendor dialect's matter, which leaves the guards as they are.

mod api_keys;
pub(crate) mod body;
mod owned;
pub(crate) mod shown;

use claviger_http::Route;
use claviger_http::openapi::{Named, Operation};
use http::StatusCode;

use crate::error;
use shown::Key;

pub(crate) fn routes() -> Vec<Route> {
    [api_keys::routes(), owned::routes()].into_iter().flatten().collect()
}

/// One that answers with a key and its guards, until something else is said.
fn operation(id: &'static str) -> Operation {
    Operation::new(id, "Claviger: guards and rotation", error::described())
        .takes_bearer()
        .answers(StatusCode::OK, Named::of::<Key>("GuardedKey"))
}
