//! Guards of a credential: expiry, allow-list and limit, and who may change them.
//!
//! Whoever may change a credential may guard it. A narrowed caller never loosens what it does not have itself: not
//! its own guards, and not those of a credential that may do what the caller may not.

use claviger_model::{AllowList, Credential, CredentialKind, Expiry, RequestLimit, Timestamp};

use crate::{Caller, Error, FieldError};

/// Changes of a credential's guards; what is none stays, `Some(None)` takes a guard away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuardsPatch {
    /// From where it may be used.
    pub allow_list: Option<Option<AllowList>>,
    /// How often it may be used.
    pub request_limit: Option<Option<RequestLimit>>,
    /// Until when it is valid.
    pub expires_at: Option<Option<Timestamp>>,
}

impl GuardsPatch {
    /// Changes a credential's guards.
    pub(crate) fn apply(&self, credential: &mut Credential) {
        if let Some(allow_list) = &self.allow_list {
            credential.guards.allow_list.clone_from(allow_list);
        }
        if let Some(request_limit) = self.request_limit {
            credential.guards.request_limit = request_limit;
        }
        if let Some(expires_at) = self.expires_at {
            credential.expiry = Expiry::from(expires_at);
        }
    }
}

/// Refuses a narrowed caller that would loosen what it may not.
pub(crate) fn check_loosening(caller: &Caller, before: &Credential, after: &Credential) -> Result<(), Error> {
    let is_tighter =
        after.guards.are_within(&before.guards) && after.expiry.earlier(before.expiry) == after.expiry;
    // An API key says which org a request is for, and has no rights that it could pass on.
    let contains = before.kind() == CredentialKind::ApiKey || caller.contains(before.detail.scopes());
    let is_free = caller.scopes().is_none() || (contains && caller.acting() != before.id);
    if is_tighter || is_free { Ok(()) } else { Err(Error::Refused(&[])) }
}

/// Refuses an end that has come already: to end a credential is to revoke it.
pub(crate) fn check_end(expiry: Expiry, now: Timestamp) -> Result<(), Error> {
    match expiry.is_over(now) {
        false => Ok(()),
        true => Err(Error::Invalid(vec![FieldError {
            field: "expires_at".to_owned(),
            reason: "must be in the future".to_owned(),
        }])),
    }
}
