//! `/api/v2/actions`: connections and what may manage them. These services tell of errors in words of their own.

pub(crate) mod app_key_registrations;
pub(crate) mod connections;
mod error;

use axum::extract::FromRequestParts;
use claviger_engine::{Permit, Right};
use claviger_http::{App, origin};
use http::request::Parts;

use self::error::ActionError;
use crate::permitted::caller;

/// As [`crate::permitted::Permitted`], whose refusals for want of a right are these services'.
pub(crate) struct ActionPermitted<R: Right>(pub(crate) Permit<R>);

impl<R: Right> FromRequestParts<App> for ActionPermitted<R> {
    type Rejection = ActionError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ActionError> {
        Ok(Self(caller(parts, app)?.permit(origin(app, parts))?))
    }
}
