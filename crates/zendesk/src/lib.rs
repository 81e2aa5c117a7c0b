//! The Zendesk dialect: ZIS integrations, their connections and the tokens that are bound to them, as the vendor's clients know them.
//!
//! A file holds one resource: its routes, its wire types and its mapping to the engine. What they share stands beside
//! them: which org a request is for ([`Options`]), how errors are told, and who may call.
//!
//! Sources: the page of the vendor's API reference (developer.zendesk.com/api-reference, "Integration Services") that
//! each file names, the guides "Understanding connections" and "Fixing common ZIS errors" beside it, and, for what
//! its services answer without saying so, what clients of others were written to understand. Where all of them are
//! silent, the choice is ours.

mod admin;
mod bound;
mod connections;
mod describe;
mod error;
mod oauth;
mod oauth_tokens;
mod registry;
mod tenant;

pub use error::misfit;
pub use tenant::{BaseDomainError, Options, PublicUrlError};

use claviger_http::{Route, SessionCookie};
use claviger_oauth::OAuth;

/// Whether a path is this dialect's.
pub fn is_ours(path: &str) -> bool {
    path.starts_with("/api/services/zis/") || path.starts_with("/api/v2/oauth/")
}

/// Every route of the dialect. Admins may call them by their sessions too, from this cookie; but for those that tell of the
/// very token that is presented, and where authorization servers send browsers back to.
pub fn routes(options: &Options, oauth: &OAuth, cookie: SessionCookie) -> Vec<Route> {
    let routes = [registry::routes(), oauth_tokens::routes(), connections::routes(), oauth::routes(oauth)];
    let routes = routes.into_iter().flatten().map(|route| route.with(options.clone()));
    let takes_none = |path: &str| oauth_tokens::CURRENT.contains(&path) || path == oauth::CALLBACK;
    routes
        .map(|route| match takes_none(route.info.path) {
            true => route,
            false => route.taking_sessions(cookie),
        })
        .collect()
}
