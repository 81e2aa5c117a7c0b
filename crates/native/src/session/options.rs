//! What the operator decides for sessions, and which org a host names.

use std::sync::Arc;

use claviger_http::{App, Rate, SessionCookie};
use claviger_model::OrgId;
use http::request::Parts;

/// How sessions begin.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// The cookie.
    pub cookie: SessionCookie,
    /// How often one address may try to sign in, as whomever.
    pub attempts_from_address: Rate,
    /// How often anybody may try to sign in as one account, be it there or not.
    pub attempts_at_account: Rate,
}

impl Default for SessionOptions {
    /// In clear; more attempts than people make, and fewer than guessing takes.
    fn default() -> Self {
        Self {
            cookie: SessionCookie::IN_CLEAR,
            attempts_from_address: Rate { limit: 20, period_seconds: 60 },
            attempts_at_account: Rate { limit: 10, period_seconds: 300 },
        }
    }
}

type ByHost = dyn Fn(&Parts, &App) -> Option<OrgId> + Send + Sync;

/// Which org a request's host names, as the operator has decided for all that is told apart by hosts.
#[derive(Clone)]
pub struct Tenancy {
    pub(super) tells_orgs_apart: bool,
    pub(super) by_host: Arc<ByHost>,
}

impl Tenancy {
    /// Hosts that name an org each, or one org that is meant where nothing else is said.
    pub fn new(
        tells_orgs_apart: bool,
        by_host: impl Fn(&Parts, &App) -> Option<OrgId> + Send + Sync + 'static,
    ) -> Self {
        Self { tells_orgs_apart, by_host: Arc::new(by_host) }
    }
}
