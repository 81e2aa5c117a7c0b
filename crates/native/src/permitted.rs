//! Permits as extractors: a handler's signature says which right it needs.

use axum::extract::FromRequestParts;
use claviger_engine::{AuthFailure, AuthReason, Permit, Proof, Right};
use claviger_http::{App, note_refusal, origin, presented, proof, session, take_share, whence};
use claviger_model::CredentialKind;
use http::request::Parts;

use crate::Error;

/// A caller who has the right `R`: an API key with an application key, a token alone, an application key alone as a
/// bearer token, or the session of an admin where none of these is presented. Credentials are checked first, then the org's rate limit, then the right.
pub(crate) struct Permitted<R: Right>(pub(crate) Permit<R>);

impl<R: Right> FromRequestParts<App> for Permitted<R> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let engine = app.engine();
        let presented = presented(&parts.headers);
        let caller = match (session(app, parts, None), presented.bearer) {
            (Some(caller), _) => caller,
            (None, Some(token)) => engine.authenticate_any(token, &whence(app, parts)),
            (None, None) => engine.authenticate(presented, &whence(app, parts)),
        };
        let caller = caller.inspect_err(|failure| note_refusal(app, parts, *failure))?;
        // It says whose customer a request is from, and that is nobody who manages the org.
        if caller.kind() == CredentialKind::NativeKey {
            let failure = AuthFailure::Token(AuthReason::WrongKind);
            note_refusal(app, parts, failure);
            return Err(failure.into());
        }
        if take_share(app, parts, caller.org()) {
            return Err(Error::limited());
        }
        Ok(Self(caller.permit(origin(app, parts))?))
    }
}

/// The same for what takes a while, and must end with what the caller proved itself by.
pub(crate) struct Proven<R: Right>(pub(crate) Permit<R>, pub(crate) Proof);

impl<R: Right> FromRequestParts<App> for Proven<R> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let Permitted(permit) = Permitted::from_request_parts(parts, app).await?;
        Ok(Self(permit, proof(app, parts)))
    }
}
