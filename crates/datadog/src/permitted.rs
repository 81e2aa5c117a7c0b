//! Permits as extractors: a handler's signature says which right it needs.

use axum::extract::FromRequestParts;
use claviger_engine::{Caller, Permit, Right};
use claviger_http::{App, note_refusal, origin, presented, take_share, whence};
use http::StatusCode;
use http::request::Parts;

use crate::Error;

/// A caller who has the right `R`. Credentials are checked first, then the org's rate limit, then the right, and
/// only then anything of the request itself.
pub(crate) struct Permitted<R: Right>(pub(crate) Permit<R>);

impl<R: Right> FromRequestParts<App> for Permitted<R> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Ok(Self(caller(parts, app)?.permit(origin(app, parts))?))
    }
}

/// Who calls, once the credentials and the org's rate limit have been checked; the right has not.
pub(crate) fn caller(parts: &Parts, app: &App) -> Result<Caller, Error> {
    let caller = app
        .engine()
        .authenticate(presented(&parts.headers), &whence(app, parts))
        .inspect_err(|failure| note_refusal(app, parts, *failure))?;
    match take_share(app, parts, caller.org()) {
        true => Err(Error::text(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded")),
        false => Ok(caller),
    }
}
