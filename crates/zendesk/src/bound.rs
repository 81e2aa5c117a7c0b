//! Callers within an integration as extractors: whoever presents a token that is bound to the integration which the
//! path names, and admins by their session, who are bound to none. Each integration has its own share of the rate
//! limit.

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use claviger_engine::{AuthFailure, AuthReason, Caller, Error as EngineError, Permit, Right, Thing};
use claviger_http::{App, note_refusal, origin, presented, session, take_share_of, whence};
use claviger_model::{OrgId, ZisName};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Method, StatusCode};

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
        if let Some(caller) = session(app, parts, Some(org)) {
            let caller = caller.inspect_err(|failure| note_refusal(app, parts, *failure))?;
            return Self::of_admin(parts, app, caller).await;
        }
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

impl<R: Right> Bound<R> {
    /// An admin, for whichever integration there is.
    async fn of_admin(parts: &mut Parts, app: &App, caller: Caller) -> Result<Self, Told<Service>> {
        let org = caller.org();
        let named = integration_of(parts).await.unwrap_or_default();
        // What is no name has no share of its own.
        let name = ZisName::parse(&named).ok();
        if take_share_of(app, parts, org, name.as_ref().map(ZisName::as_str)) {
            return Err(Error::limited().into());
        }
        let permit = caller.permit(origin(app, parts))?;
        let is_there = match &name {
            Some(name) => app.engine().has_zis_integration(&permit, name).await?,
            None => false,
        };
        match is_there {
            true => Ok(Self { permit, integration: named }),
            false => Err(unknown_integration(parts).into()),
        }
    }
}

/// How the paths of lists end. The last stands for OAuth clients, whose paths end with the integration.
const LISTS: [&str; 2] = ["/connections/all", "/oauth/clients/{integration}"];

/// What is told of an integration that there is not, to whoever is bound to none: what could be there only within it
/// is not there; lists and changes are asked of nothing. The vendor says that of creates and changes alone.
fn unknown_integration(parts: &Parts) -> Error {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let is_list = LISTS.iter().any(|end| path.ends_with(end));
    match parts.method == Method::DELETE || (parts.method == Method::GET && !is_list) {
        true => EngineError::Absent(Thing::Connection).into(),
        false => {
            Error::named(StatusCode::BAD_REQUEST, "InvalidIntegration", "Specified integration is not valid")
        }
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
