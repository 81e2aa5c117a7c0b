//! The Datadog dialect: Key Management, versions 1 and 2, as the vendor's own clients know it.
//!
//! A file holds one resource: its routes, its wire types, its mapping to the engine and its errors; the files are
//! laid out like the paths. What several resources share stands beside them: [`error`](Error), permits as
//! extractors, body schemas, list queries, times, and users as `included` objects.
//!
//! Sources: the page of the vendor's API reference (docs.datadoghq.com/api/latest) that each file names. "Recorded"
//! is what the vendor's services answered in the recordings that its clients are tested with: the repositories
//! datadog-api-client-python, datadog-api-client-go and terraform-provider-datadog of github.com/DataDog. Where both
//! are silent, the choice is ours.

mod describe;
mod error;
mod included;
mod leaks;
mod permitted;
mod query;
mod schema;
mod times;
mod v1;
mod v2;
mod vendor_json;
mod wire;

pub use error::Error;
pub use v2::validate::ValidateFront;

use claviger_catalog::Catalog;
use claviger_http::Route;

/// Every route of the dialect but those that the [`ValidateFront`] answers.
pub fn routes(catalog: &Catalog) -> Vec<Route> {
    [
        v1::api_keys::routes(),
        v1::application_keys::routes(),
        v1::org::routes(),
        v2::actions::connections::routes(catalog),
        v2::actions::app_key_registrations::routes(),
        v2::api_keys::routes(),
        v2::application_keys::routes(),
        v2::current_user::application_keys::routes(),
        v2::current_user::routes(),
        v2::permissions::routes(),
        v2::personal_access_tokens::routes(),
        v2::service_accounts::routes(),
        v2::service_accounts::application_keys::routes(),
        v2::service_accounts::access_tokens::routes(),
        v2::restriction_policy::routes(),
        v2::roles::routes(),
        v2::user_invitations::routes(),
        v2::users::routes(),
        v2::validate_keys::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
