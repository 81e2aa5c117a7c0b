//! Admins as extractors: a personal access token as the vendor's API token, beside its owner's address, a token
//! alone, or the session of an admin who has signed in. The permit says that they may; the vendor's word for that is
//! being an admin.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_engine::{AuthFailure, Caller, Permit, Right};
use claviger_http::{App, note_refusal, origin, presented, session, take_share, whence};
use claviger_model::OrgId;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::error::{Error, Face, Told};
use crate::tenant::tenant;

/// A caller who has the right `R`, for a service with the face `F`. The host is looked at first, then the credentials,
/// the org's rate limit, the right, and only then anything of the request itself. Credentials come before the limit,
/// so that nobody without any can use up an org's share.
pub(crate) struct Admin<R: Right, F>(pub(crate) Permit<R>, pub(crate) PhantomData<F>);

impl<R: Right, F: Face> FromRequestParts<App> for Admin<R, F> {
    type Rejection = Told<F>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Told<F>> {
        let org = tenant(parts, app)?;
        let caller =
            authenticate(parts, app, org).await.inspect_err(|failure| note_refusal(app, parts, *failure))?;
        if take_share(app, parts, org) {
            return Err(Error::limited().into());
        }
        Ok(Self(caller.permit(origin(app, parts))?, PhantomData))
    }
}

async fn authenticate(parts: &Parts, app: &App, org: OrgId) -> Result<Caller, AuthFailure> {
    if let Some(caller) = session(app, parts, Some(org)) {
        return caller;
    }
    let (engine, from) = (app.engine(), whence(app, parts));
    if let Some(token) = presented(&parts.headers).bearer {
        return engine.authenticate_token_of(org, token, &from);
    }
    let basic = parts.headers.get(AUTHORIZATION).and_then(|value| basic(value.as_bytes()));
    let Some(basic) = basic else { return Err(AuthFailure::NothingPresented) };
    let Some((email, token)) = split(&basic) else { return Err(AuthFailure::NothingPresented) };
    engine.authenticate_personal(org, email, token.as_bytes(), &from).await
}

/// What stands in an `Authorization` header of the scheme Basic, whose case does not matter.
fn basic(value: &[u8]) -> Option<String> {
    let (scheme, rest) = value.split_at_checked(6)?;
    let decoded = scheme.eq_ignore_ascii_case(b"basic ").then(|| STANDARD.decode(rest.trim_ascii()))?;
    String::from_utf8(decoded.ok()?).ok()
}

/// `{email}/token:{api_token}`. Passwords are not taken.
fn split(basic: &str) -> Option<(&str, &str)> {
    basic.rsplit_once("/token:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_an_address_and_a_token() {
        let header = |scheme: &str, text: &str| format!("{scheme} {}", STANDARD.encode(text));
        let read = |value: String| {
            let text = basic(value.as_bytes())?;
            split(&text).map(|(email, token)| (email.to_owned(), token.to_owned()))
        };
        let expected = Some(("ada@example.com".to_owned(), "ddpat_x".to_owned()));
        assert_eq!(read(header("Basic", "ada@example.com/token:ddpat_x")), expected);
        assert_eq!(read(header("bAsIc", "ada@example.com/token:ddpat_x")), expected);
        for other in
            [header("Basic", "ada@example.com:password"), header("Bearer", "a/token:b"), "Basic !".into()]
        {
            assert_eq!(read(other), None);
        }
    }
}
