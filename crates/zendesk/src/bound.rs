//! Callers within an integration as extractors (fact sheet, 3.1 and 3.4, and its choices U1 to U3): whoever presents a
//! token that is bound to the integration which the path names. Each integration has its own share of the rate limit.

use axum::extract::{FromRequestParts, RawPathParams};
use claviger_engine::{AuthFailure, AuthReason, Caller, Permit, Right};
use claviger_http::{App, note_refusal, origin, presented, take_share_of, whence};
use claviger_model::OrgId;
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::error::{Error, Service, Told};
use crate::tenant::tenant;

/// How long every integration token is; others are refused in words of their own.
const TOKEN_CHARS: usize = 64;

/// A caller who has the right `R` within the integration of the path. What is looked at first is as with
/// [`crate::admin::Admin`]; that the token is another integration's is told before its scopes are looked at.
pub(crate) struct Bound<R: Right> {
    pub(crate) permit: Permit<R>,
    /// The name of the integration.
    pub(crate) integration: String,
}

impl<R: Right> FromRequestParts<App> for Bound<R> {
    type Rejection = Told<Service>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Told<Service>> {
        let org = tenant(parts, app)?;
        let caller = authenticate(parts, app, org)?;
        let named = integration_of(parts).await;
        let Some(integration) = caller.integration().filter(|bound| Some(*bound) == named.as_deref()) else {
            note_refusal(app, parts, AuthFailure::Token(AuthReason::WrongKind));
            let title = "Authorization failed due to integration mismatch";
            return Err(Error::new(StatusCode::UNAUTHORIZED, title).into());
        };
        let integration = integration.to_owned();
        if take_share_of(app, parts, org, Some(&integration)) {
            return Err(Error::limited().into());
        }
        Ok(Self { permit: caller.permit(origin(app, parts))?, integration })
    }
}

fn authenticate(parts: &Parts, app: &App, org: OrgId) -> Result<Caller, Error> {
    let refused = |failure| {
        note_refusal(app, parts, failure);
        Error::from(failure)
    };
    let Some(token) = presented(&parts.headers).bearer else {
        let failure = refused(AuthFailure::NothingPresented);
        let scheme = parts.headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().get(..6));
        return Err(match scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic ")) {
            true => Error::new(StatusCode::FORBIDDEN, "API token is not supported"),
            false => failure,
        });
    };
    if token.len() != TOKEN_CHARS && !token.is_empty() {
        note_refusal(app, parts, AuthFailure::Token(AuthReason::Unknown));
        return Err(Error::new(StatusCode::UNAUTHORIZED, "Token length is invalid"));
    }
    app.engine().authenticate_integration_token(org, token, &whence(app, parts)).map_err(refused)
}

async fn integration_of(parts: &mut Parts) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    params.iter().find(|(name, _)| *name == "integration").map(|(_, value)| value.to_owned())
}
