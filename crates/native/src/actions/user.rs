//! Who uses connections: as at the broker's door, and by credentials in their usual places alone.

use axum::extract::FromRequestParts;
use claviger_engine::rights::ConnectionsResolve;
use claviger_engine::{Permit, Proof};
use claviger_http::{App, note_refusal, origin, presented, take_share, whence};
use http::request::Parts;

use super::refused::Refused;
use crate::Error;

/// An API key with an application key, a personal or service access token, or an integration token, with the right to use
/// connections; and what it was proved by, to ask again later.
pub(super) struct User {
    pub(super) permit: Permit<ConnectionsResolve>,
    pub(super) proof: Proof,
}

impl FromRequestParts<App> for User {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let presented = presented(&parts.headers);
        let authenticated = app.engine().authenticate_for_use(presented, &whence(app, parts));
        let (caller, proof) = authenticated.inspect_err(|failure| note_refusal(app, parts, *failure))?;
        if take_share(app, parts, caller.org()) {
            return Err(Error::limited().into());
        }
        Ok(Self { permit: caller.permit(origin(app, parts))?, proof })
    }
}
