//! Claviger's own API: what no vendor's API has.
//!
//! Verification for gateways is answered before any router ([`VerifyFront`]); the rest are routes like any other.
//! Errors are objects with a stable code: `{"errors": [{"code": …, "detail": …, "field": …}]}`.

mod error;
mod fields;
mod health;
mod leaks;
mod options;
mod org;
mod orgs;
mod permitted;
mod verify;
mod webhooks;

pub use error::Error;
pub use options::{GithubKeys, GithubKeysError, Options};
pub use verify::VerifyFront;

use claviger_http::Route;

/// Every route of the native API but those that the [`VerifyFront`] answers.
pub fn routes(options: &Options) -> Vec<Route> {
    let all =
        [health::routes(), leaks::routes(options), org::routes(), orgs::routes(), webhooks::routes(options)];
    all.into_iter().flatten().collect()
}
