//! Claviger's own API: what no vendor's API has.
//!
//! Verification for gateways is answered before any router ([`VerifyFront`]); the rest are routes like any other.
//! Errors are objects with a stable code: `{"errors": [{"code": …, "detail": …, "field": …}]}`.

mod actions;
mod connections;
mod credential_permissions;
mod error;
mod fields;
mod guards;
mod health;
mod info;
mod integrations;
mod keys;
mod leaks;
mod options;
mod org;
mod orgs;
mod permissions;
mod permitted;
mod reading;
mod role_permissions;
mod session;
mod users;
mod vendor_keys;
mod verify;
mod webhooks;
mod zis_integrations;

pub use error::Error;
pub use options::{GithubKeys, GithubKeysError, Options};
pub use session::{SessionOptions, Tenancy};
pub use verify::VerifyFront;

use std::sync::Arc;

use claviger_broker::Broker;
use claviger_catalog::Catalog;
use claviger_http::Route;

/// Every route of the native API but those that the [`VerifyFront`] answers. Admins may call them by their sessions too, but
/// for those that call third parties in somebody's name. Connections are tested through the broker.
pub fn routes(options: &Options, catalog: &Catalog, tenancy: &Tenancy, broker: &Arc<Broker>) -> Vec<Route> {
    [
        connections::routes(catalog, broker),
        health::routes(),
        integrations::routes(),
        vendor_keys::routes(),
        leaks::routes(options),
        org::routes(),
        orgs::routes(),
        permissions::routes(),
        role_permissions::routes(),
        credential_permissions::routes(),
        keys::routes(),
        session::routes(options, tenancy),
        users::routes(),
        webhooks::routes(options),
        zis_integrations::routes(),
    ]
    .into_iter()
    .flatten()
    .map(|route| route.taking_sessions(options.sessions.cookie))
    .chain(actions::routes(broker))
    .collect()
}
