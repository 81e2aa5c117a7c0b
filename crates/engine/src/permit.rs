//! Permits: the checked right to do one thing, as a value.
//!
//! [`Caller::permit`] is the only way to a permit, so that a use case that takes one cannot be reached without
//! the check.

use std::marker::PhantomData;

use claviger_model::{CredentialKind, OrgId, Permission, UserId};
use claviger_store::Actor;

use crate::{Caller, Error, Origin};

/// A right that use cases ask for.
pub trait Right: Send + Sync + 'static {
    /// Any one of these permissions gives it; where there is none, every user has it ([`rights::Oneself`]).
    const ANY_OF: &'static [Permission];
    /// Whether the credential must moreover have been given it: an application key by being registered, a token by
    /// naming the permission among its scopes.
    const IS_REGISTERED_ONLY: bool = false;
}

/// Proof that a caller, who is a user, has a right.
#[derive(Debug, Clone)]
pub struct Permit<R: Right> {
    caller: Caller,
    user: UserId,
    origin: Origin,
    right: PhantomData<R>,
}

impl Caller {
    /// Checks the right and gives the permit for it.
    ///
    /// # Errors
    /// [`Error::Refused`] with what would be needed. Where only registered keys have the right, [`Error::Unregistered`]
    /// for one that is not, and [`Error::ScopeNotNamed`] for a token that does not name it.
    pub fn permit<R: Right>(self, origin: Origin) -> Result<Permit<R>, Error> {
        let user = self.user.ok_or(Error::Refused(R::ANY_OF))?;
        self.check::<R>()?;
        Ok(Permit { caller: self, user, origin, right: PhantomData })
    }

    /// Checks the right of a caller who has a permit already, for what that permit alone does not give.
    ///
    /// # Errors
    /// As [`Caller::permit`].
    pub(crate) fn check<R: Right>(&self) -> Result<(), Error> {
        let is_everybodys = R::ANY_OF.is_empty();
        if !is_everybodys && !R::ANY_OF.iter().any(|permission| self.may(*permission)) {
            return Err(Error::Refused(R::ANY_OF));
        }
        if R::IS_REGISTERED_ONLY { self.check_registered(R::ANY_OF) } else { Ok(()) }
    }
}

impl<R: Right> Permit<R> {
    /// The caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The org in which it holds.
    pub fn org(&self) -> OrgId {
        self.caller.org
    }

    /// The user who acts.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Whose keys and tokens it reaches: everybody's with the permission for the whole org, else only the caller's
    /// own.
    pub(crate) fn reach(&self, whole_org: Permission) -> Option<UserId> {
        (!self.caller.may(whole_org)).then_some(self.user)
    }

    pub(crate) fn actor(&self) -> Actor {
        let is_key = self.caller.kind == CredentialKind::ApplicationKey;
        let registered = (R::IS_REGISTERED_ONLY && is_key).then_some(self.caller.acting);
        Actor { registered, ..self.caller.actor(self.origin) }
    }
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $($is_registered_only:ident)? [$($permission:ident),+]),* $(,)?) => {
        /// The rights, each named for what it allows.
        pub mod rights {
            use super::{Permission, Right};

            /// See who one is: everybody's.
            #[derive(Debug, Clone, Copy)]
            pub enum Oneself {}
            impl Right for Oneself {
                const ANY_OF: &'static [Permission] = &[];
            }
            $(
                $(#[$doc])*
                #[derive(Debug, Clone, Copy)]
                pub enum $name {}
                impl Right for $name {
                    const ANY_OF: &'static [Permission] = &[$(Permission::$permission),+];
                    $(rights!(@ $is_registered_only);)?
                }
            )*
        }
    };
    (@ registered) => {
        const IS_REGISTERED_ONLY: bool = true;
    };
}

rights! {
    /// See API keys.
    ApiKeysRead = [API_KEYS_READ],
    /// Create and change API keys.
    ApiKeysWrite = [API_KEYS_WRITE],
    /// Delete API keys.
    ApiKeysDelete = [API_KEYS_DELETE],
    /// Manage one's own application keys and tokens.
    OwnApplicationKeys = [USER_APP_KEYS],
    /// See everybody's application keys.
    OrgApplicationKeysRead = [ORG_APP_KEYS_READ],
    /// Change everybody's application keys.
    OrgApplicationKeysWrite = [ORG_APP_KEYS_WRITE],
    /// Manage service accounts, with their application keys and tokens.
    ServiceAccounts = [SERVICE_ACCOUNT_WRITE],
    /// See application keys and tokens as far as the permissions held reach: everybody's, or one's own.
    ApplicationKeysInReachRead = [ORG_APP_KEYS_READ, USER_APP_KEYS],
    /// Change application keys and tokens as far as the permissions held reach.
    ApplicationKeysInReachWrite = [ORG_APP_KEYS_WRITE, USER_APP_KEYS],
    /// See application keys and tokens, as far as the permissions held reach: one's own, service accounts',
    /// everybody's.
    OwnedKeysInReachRead = [USER_APP_KEYS, SERVICE_ACCOUNT_WRITE, ORG_APP_KEYS_READ],
    /// Change application keys and tokens, as far as the permissions held reach.
    OwnedKeysInReachWrite = [USER_APP_KEYS, SERVICE_ACCOUNT_WRITE, ORG_APP_KEYS_WRITE],
    /// Give application keys and tokens of one's own, or of service accounts, new secrets.
    OwnedKeysRotate = [USER_APP_KEYS, SERVICE_ACCOUNT_WRITE],
    /// See the permissions that the org has defined, and which roles have them.
    OwnPermissionsRead = [API_KEYS_READ, USER_ACCESS_MANAGE, ORG_MANAGEMENT],
    /// See who is in the org, and what roles there are.
    PeopleRead = [USER_ACCESS_READ, USER_ACCESS_MANAGE],
    /// Bring people into the org.
    PeopleInvite = [USER_ACCESS_INVITE, USER_ACCESS_MANAGE],
    /// Change people and service accounts as far as the permissions held reach.
    PeopleInReachWrite = [USER_ACCESS_MANAGE, SERVICE_ACCOUNT_WRITE],
    /// Give people their application keys.
    PeoplesKeysGive = [USER_ACCESS_MANAGE],
    /// Change roles, and who has them.
    RolesWrite = [USER_ACCESS_MANAGE],
    /// Change the org's settings.
    OrgManagement = [ORG_MANAGEMENT],
    /// Manage ZIS integrations and their tokens.
    ZisRegistry = [ORG_MANAGEMENT],
    /// See connections.
    ConnectionsRead = registered [CONNECTIONS_READ],
    /// Create, change and delete connections.
    ConnectionsWrite = registered [CONNECTIONS_WRITE],
    /// Use connections, without seeing their secrets: whoever manages none needs no registration.
    ConnectionsResolve = [CONNECTIONS_RESOLVE],
    /// See who may do what with a connection: with what seeing it takes, or as whoever manages everybody's access.
    RestrictionsRead = [CONNECTIONS_READ, USER_ACCESS_MANAGE],
    /// Say who may do what with a connection: with what changing it takes, or as whoever manages everybody's access.
    RestrictionsWrite = [CONNECTIONS_WRITE, USER_ACCESS_MANAGE],
    /// See which application keys are registered.
    RegistrationsRead = [ORG_APP_KEYS_READ],
    /// Register application keys, and take that back, as far as the permissions held reach: one's own, service
    /// accounts', everybody's.
    RegistrationsInReachWrite = [USER_ACCESS_MANAGE, USER_APP_KEYS, SERVICE_ACCOUNT_WRITE],
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use claviger_model::testing::SeededRandom;
    use claviger_model::{CredentialId, CredentialKind, PermissionSet, RequestId, Scopes};

    use super::rights::{ConnectionsRead, ConnectionsResolve, ConnectionsWrite};
    use super::*;

    fn caller(kind: CredentialKind, scopes: Option<&str>, is_registered: bool) -> Caller {
        let random = SeededRandom::new(1);
        let scopes = scopes.map(|scopes| Scopes::parse(scopes.split(' ')).unwrap().unwrap());
        Caller {
            kind,
            org: OrgId::generate(&random),
            user: Some(UserId::generate(&random)),
            rights: scopes.as_ref().map_or(PermissionSet::all(), |scopes| *scopes.set()),
            scopes: scopes.map(Arc::new),
            is_registered,
            api_key: None,
            acting: CredentialId::generate(&random),
            special: None,
        }
    }

    fn check<R: Right>(caller: Caller) -> Result<(), Error> {
        let origin = Origin { address: None, request: RequestId::generate(&SeededRandom::new(2)) };
        caller.permit::<R>(origin).map(drop)
    }

    #[test]
    fn an_application_key_manages_connections_only_where_it_is_registered() {
        let key = |scopes, is_registered| caller(CredentialKind::ApplicationKey, scopes, is_registered);
        let named = Some("connections_read connections_write");
        for scopes in [None, named] {
            assert!(matches!(check::<ConnectionsRead>(key(scopes, false)), Err(Error::Unregistered)));
            assert!(matches!(check::<ConnectionsWrite>(key(scopes, false)), Err(Error::Unregistered)));
            assert!(check::<ConnectionsRead>(key(scopes, true)).is_ok());
            assert!(check::<ConnectionsWrite>(key(scopes, true)).is_ok());
        }
        // A registration is no permission.
        let read_only = || key(Some("connections_read"), true);
        assert!(check::<ConnectionsRead>(read_only()).is_ok());
        assert!(matches!(check::<ConnectionsWrite>(read_only()), Err(Error::Refused(_))));
    }

    #[test]
    fn a_token_manages_connections_only_where_its_scopes_say_so() {
        for kind in [CredentialKind::PersonalAccessToken, CredentialKind::ServiceAccessToken] {
            let token = |scopes, is_registered| caller(kind, scopes, is_registered);
            for is_registered in [false, true] {
                let refused = check::<ConnectionsRead>(token(None, is_registered));
                assert!(matches!(refused, Err(Error::ScopeNotNamed(_))), "{refused:?}");
            }
            assert!(check::<ConnectionsWrite>(token(Some("connection_write"), false)).is_ok());
            let refused = check::<ConnectionsWrite>(token(Some("connections_read"), false));
            assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        }
    }

    #[test]
    fn using_connections_takes_no_registration() {
        for kind in [CredentialKind::ApplicationKey, CredentialKind::PersonalAccessToken] {
            assert!(check::<ConnectionsResolve>(caller(kind, None, false)).is_ok());
            let other = caller(kind, Some("connections_read"), true);
            assert!(matches!(check::<ConnectionsResolve>(other), Err(Error::Refused(_))));
        }
    }
}
