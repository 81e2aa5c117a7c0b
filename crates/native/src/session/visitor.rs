//! Whoever asks to sign in, before anything of the body is known.

use axum::extract::FromRequestParts;
use claviger_engine::{AuthFailure, AuthReason, FieldError, Origin};
use claviger_http::{App, is_own, note_refusal, origin};
use claviger_model::OrgId;
use http::request::Parts;

use super::Tenancy;
use crate::Error;

/// Whoever asks to sign in. Pages of other sites may not sign anybody in, not even as somebody else.
pub(super) struct Visitor {
    pub(super) origin: Origin,
    org: Option<OrgId>,
    tells_orgs_apart: bool,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        if !is_own(parts) {
            let failure = AuthFailure::Password(AuthReason::Forged);
            note_refusal(app, parts, failure);
            return Err(failure.into());
        }
        let tenancy = parts.extensions.get::<Tenancy>();
        let org = tenancy.and_then(|tenancy| (tenancy.by_host)(parts, app));
        let tells_orgs_apart = tenancy.is_some_and(|tenancy| tenancy.tells_orgs_apart);
        Ok(Self { origin: origin(app, parts), org, tells_orgs_apart })
    }
}

impl Visitor {
    /// The org that is meant, if there is one: what a body names must be what the host names, where hosts name orgs.
    ///
    /// # Errors
    /// Where nothing says which.
    pub(super) fn org(&self, app: &App, named: Option<&str>) -> Result<Option<OrgId>, Error> {
        let Some(named) = named else {
            let reason = "is missing, and the host names no org".to_owned();
            let fault = || Error::invalid(vec![FieldError { field: "org".to_owned(), reason }]);
            return self.org.map(Some).ok_or_else(fault);
        };
        let found = named.parse().ok().or_else(|| app.engine().org_at(&named.to_ascii_lowercase()));
        Ok(match (self.tells_orgs_apart, self.org) {
            (true, Some(org)) => found.filter(|found| *found == org),
            _ => found,
        })
    }
}
