//! Who a request is, once its credentials are checked.

use std::net::IpAddr;
use std::sync::Arc;

use claviger_model::{
    CredentialId, CredentialKind, OrgId, Permission, PermissionSet, RequestId, Scopes, UserId,
};
use claviger_store::Actor;

use crate::Error;
use crate::directory::SpecialDetail;

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The address of the client, as far as anybody can know it; none on a local socket.
    pub address: Option<IpAddr>,
    /// The request's id.
    pub request: RequestId,
}

/// Who a request is. Only authentication makes one.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) kind: CredentialKind,
    pub(crate) org: OrgId,
    pub(crate) user: Option<UserId>,
    pub(crate) rights: PermissionSet,
    pub(crate) scopes: Option<Arc<Scopes>>,
    pub(crate) is_registered: bool,
    pub(crate) api_key: Option<CredentialId>,
    pub(crate) acting: CredentialId,
    pub(crate) special: Option<Arc<SpecialDetail>>,
}

impl Caller {
    /// The org.
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The user in whose name the request is; none for a lone API key.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }

    /// The credential that says who the caller is: the application key, the token, or the lone API key.
    pub fn acting(&self) -> CredentialId {
        self.acting
    }

    /// What the acting credential is narrowed to; none for all that its owner may do.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_deref()
    }

    /// Of a native key: whose it is, in the words of the org that issued it.
    pub fn external_id(&self) -> Option<&str> {
        match self.special.as_deref()? {
            SpecialDetail::Native { external_id, .. } => external_id.as_deref(),
            SpecialDetail::Bound { .. } => None,
        }
    }

    /// Of a native key: what the org wants to know when it is verified, a JSON object as text.
    pub fn metadata(&self) -> Option<&str> {
        match self.special.as_deref()? {
            SpecialDetail::Native { metadata, .. } => metadata.as_deref(),
            SpecialDetail::Bound { .. } => None,
        }
    }

    /// Of an integration token: the name of the ZIS integration that it is bound to.
    pub fn integration(&self) -> Option<&str> {
        match self.special.as_deref()? {
            SpecialDetail::Bound { integration, .. } => Some(integration),
            SpecialDetail::Native { .. } => None,
        }
    }

    /// The kind of the acting credential.
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Whether the caller has all of these permissions.
    pub fn may_all(&self, permissions: &PermissionSet) -> bool {
        self.rights.contains_all(permissions)
    }

    /// Whether the caller has a permission, by its owner's roles and its own scopes.
    pub fn may(&self, permission: Permission) -> bool {
        self.rights.contains(permission)
    }

    /// Whether the acting credential was given the management of connections, which takes more than a permission by
    /// the vendor's API reference ("Action Connection"): an application key must be registered, and a token, which
    /// cannot be, must name one of these permissions among its scopes. A token without scopes names none.
    pub(crate) fn check_registered(&self, any_of: &'static [Permission]) -> Result<(), Error> {
        match self.kind {
            CredentialKind::ApplicationKey if self.is_registered => Ok(()),
            // Made for that, by an admin, and for one integration's.
            CredentialKind::IntegrationToken => Ok(()),
            // Nobody's but an admin's, and not narrowed.
            CredentialKind::Session => Ok(()),
            CredentialKind::PersonalAccessToken | CredentialKind::ServiceAccessToken => {
                let is_named = |scopes: &Scopes| any_of.iter().any(|it| scopes.set().contains(*it));
                match self.scopes().is_some_and(is_named) {
                    true => Ok(()),
                    false => Err(Error::ScopeNotNamed(any_of)),
                }
            }
            CredentialKind::ApplicationKey | CredentialKind::ApiKey | CredentialKind::NativeKey => {
                Err(Error::Unregistered)
            }
        }
    }

    /// Whether a credential with these scopes would have no right that this caller lacks. A caller without
    /// scopes may hand on whatever its owner has; a narrowed one only what it has itself, and never "all".
    pub(crate) fn contains(&self, scopes: Option<&Scopes>) -> bool {
        let is_narrowed = self.scopes.is_some() || self.kind == CredentialKind::IntegrationToken;
        match (is_narrowed, scopes) {
            (false, _) => true,
            (true, None) => false,
            (true, Some(wanted)) => self.rights.contains_all(wanted.set()),
        }
    }

    /// Refuses to hand on what a narrowed caller does not have itself.
    pub(crate) fn hand_on(&self, scopes: Option<&Scopes>) -> Result<(), Error> {
        if self.contains(scopes) { Ok(()) } else { Err(Error::Refused(&[])) }
    }

    pub(crate) fn actor(&self, origin: Origin) -> Actor {
        let mut credentials: Vec<_> = self.api_key.into_iter().collect();
        if !credentials.contains(&self.acting) {
            credentials.push(self.acting);
        }
        Actor {
            user: self.user,
            credentials,
            registered: None,
            from: origin.address.map(|address| address.to_string()),
            request: Some(origin.request),
        }
    }
}
