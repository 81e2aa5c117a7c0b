//! Claviger's own API: what no vendor's API has.
//!
//! Verification for gateways is answered before any router ([`VerifyFront`]); the rest are routes like any other.
//! Errors are objects with a stable code: `{"errors": [{"code": …, "detail": …, "field": …}]}`.

mod error;
mod fields;
mod guards;
mod health;
mod keys;
mod org;
mod orgs;
mod permitted;
mod verify;

pub use error::Error;
pub use verify::VerifyFront;

use claviger_http::Route;

/// Every route of the native API but those that the [`VerifyFront`] answers.
pub fn routes() -> Vec<Route> {
    [health::routes(), keys::routes(), org::routes(), orgs::routes()].into_iter().flatten().collect()
}
