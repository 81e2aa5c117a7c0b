//! The Zendesk dialect: ZIS integrations, their connections and the tokens that are bound to them, as the vendor's clients know them.
//!
//! A file holds one resource: its routes, its wire types and its mapping to the engine. What they share stands beside
//! them: which org a request is for ([`Options`]), how errors are told, and who may call. Sources are the sections of
//! the fact sheet that each file names; where nothing is known, its recommended choices are taken.

mod admin;
mod bound;
mod connections;
mod describe;
mod error;
mod oauth_tokens;
mod registry;
mod tenant;

pub use error::misfit;
pub use tenant::{BaseDomainError, Options};

use claviger_http::{Route, SessionCookie};

/// Whether a path is this dialect's.
pub fn is_ours(path: &str) -> bool {
    path.starts_with("/api/services/zis/") || path.starts_with("/api/v2/oauth/")
}

/// Every route of the dialect. Admins may call them by their sessions too, from this cookie; but for those that tell of the
/// very token that is presented.
pub fn routes(options: &Options, cookie: SessionCookie) -> Vec<Route> {
    let routes = [registry::routes(), oauth_tokens::routes(), connections::routes()].into_iter().flatten();
    let routes = routes.map(|route| route.with(options.clone()));
    routes
        .map(|route| match oauth_tokens::CURRENT.contains(&route.info.path) {
            true => route,
            false => route.taking_sessions(cookie),
        })
        .collect()
}
