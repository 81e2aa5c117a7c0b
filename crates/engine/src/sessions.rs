//! Sessions: an admin signs in with a password, and a browser keeps what says so in a cookie.
//!
//! A session is a credential like others: it is found by the digest of its secret, dies with whoever it acts for, and
//! is in the record. It acts with all that its owner's roles allow, and only while these make the owner an admin. Where
//! a role that many have is changed or removed, sessions are of no use at once, and end with the next
//! [`Engine::end_sessions`].

use claviger_catalog::SecretText;
use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, Email, Expiry, Guards, Name, OrgId, User,
};
use claviger_store::{
    Actor, Change, CommitError, Refusal, SESSIONS_PER_USER_MAX, StoreError, StoredPassword,
};
use claviger_vault::{IssuedSecret, PasswordHash};

use crate::credentials::{Draft, KeyRef, Made, STALE_RETRIES_MAX, Target};
use crate::open_sessions::{SESSION_LIFETIME, is_idle_too_long};
use crate::passwords::open_hash;
use crate::{AuthFailure, AuthReason, Caller, Changed, Engine, Error, Origin, Thing};

/// What sessions are called: lists of credentials need a name.
const NAME: &str = "Session";

/// Somebody who has just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who, without roles.
    pub user: User,
    /// The session.
    pub session: Credential,
    /// Its secret.
    pub token: IssuedSecret,
}

/// Why nobody signed in.
#[derive(Debug)]
pub enum SignInError {
    /// Address and password are nobody's together, or are not an admin's.
    Auth(AuthFailure),
    /// It cannot be known or done.
    Other(Error),
}

impl<E: Into<Error>> From<E> for SignInError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

const UNKNOWN: SignInError = SignInError::Auth(AuthFailure::Password(AuthReason::Unknown));

impl Engine {
    /// Begins a session for the admin of an org who has an address and a password. Where there are as many sessions as a
    /// user may have, the oldest ends; those that are over end too.
    ///
    /// An org, address or password that is nobody's costs as much as one that is somebody's and wrong, and answers alike.
    ///
    /// # Errors
    /// [`AuthFailure::Password`], with [`AuthReason::NotAdmin`] for whoever has the right password and may not sign in;
    /// [`AuthFailure::Unavailable`] where too many passwords are being checked.
    pub async fn sign_in(
        &self,
        org: Option<OrgId>,
        email: &Email,
        password: SecretText,
        origin: Origin,
    ) -> Result<Changed<SignedIn>, SignInError> {
        if !self.is_available() {
            return Err(SignInError::Auth(AuthFailure::Unavailable));
        }
        // No org has a new id: what is asked for in vain is asked for all the same.
        let org = org.filter(|org| self.directory.is_enabled(*org));
        let org = org.unwrap_or_else(|| OrgId::generate(self.vault.random()));
        let found = self.store.find_person(org, email).await?;
        let hash = match &found {
            Some((user, Some(stored))) if user.disabled_at.is_none() => open_hash(&self.vault, user, stored)?,
            _ => PasswordHash::of_nobody(self.vault.random()),
        };
        let checked = self.hashing.run(move || hash.matches(password.reveal())).await;
        let is_right = checked.map_err(|error| match error {
            Error::Unavailable(_) => SignInError::Auth(AuthFailure::Unavailable),
            error => error.into(),
        })?;
        let Some((user, Some(stored))) = found.filter(|_| is_right) else { return Err(UNKNOWN) };
        self.begin_session(user, stored, email, origin).await
    }

    async fn begin_session(
        &self,
        mut user: User,
        stored: StoredPassword,
        email: &Email,
        origin: Origin,
    ) -> Result<Changed<SignedIn>, SignInError> {
        let actor = Actor {
            user: Some(user.id),
            credentials: Vec::new(),
            registered: None,
            from: origin.address.map(|address| address.to_string()),
            request: Some(origin.request),
        };
        for _ in 0..STALE_RETRIES_MAX {
            if user.disabled_at.is_some() {
                return Err(UNKNOWN);
            }
            if !self.directory.is_admin(user.id) {
                return Err(SignInError::Auth(AuthFailure::Password(AuthReason::NotAdmin)));
            }
            let ended = self.sessions_to_end(&user).await?;
            let Made { credential, stored: secret, secret: token } =
                self.make(draft(&user, self.clock.now())?)?;
            let change = Change::begin_session(&credential, &secret, &user, stored.revision, &ended, &actor);
            match self.store.commit(change).await {
                Ok(position) => {
                    return Ok(Changed { value: SignedIn { user, session: credential, token }, position });
                }
                // Others signed in, or somebody changed the user or the password.
                Err(CommitError::Refused(
                    Refusal::Stale | Refusal::LimitReached | Refusal::OwnerDisabled,
                )) => {}
                Err(error) => return Err(Error::from(error).into()),
            }
            match self.store.find_person(user.org, email).await? {
                Some((now, Some(password))) if now.id == user.id && password.revision == stored.revision => {
                    user = now;
                }
                _ => return Err(UNKNOWN),
            }
        }
        Err(Error::Unavailable(None).into())
    }

    /// The user's sessions that are over, and as many of the oldest as make room for one more.
    async fn sessions_to_end(&self, user: &User) -> Result<Vec<Credential>, StoreError> {
        let now = self.clock.now();
        let is_over = |session: &Credential| {
            let end = session.expiry.timestamp();
            let last_used = session.last_used.unwrap_or(session.created_at);
            session.expiry.is_over(now) || end.is_some_and(|end| is_idle_too_long(last_used, end, now))
        };
        let all = self.store.list_sessions_of(user.org, user.id).await?;
        let (mut ended, open): (Vec<_>, Vec<_>) = all.into_iter().partition(is_over);
        let too_many = (open.len() + 1).saturating_sub(SESSIONS_PER_USER_MAX as usize);
        ended.extend(open.into_iter().take(too_many));
        Ok(ended)
    }

    /// The session that a caller presents.
    ///
    /// # Errors
    /// [`Error::Absent`] for callers with another credential, and for a session that ended while the request was under
    /// way.
    pub async fn current_session(&self, caller: &Caller) -> Result<Credential, Error> {
        let found = self.find_live(&target(caller.org(), caller.acting())).await?;
        found.ok_or(Error::Absent(Thing::Session))
    }

    /// Ends the session that a caller presents, for good.
    ///
    /// # Errors
    /// As [`Engine::current_session`]'s.
    pub async fn sign_out(&self, caller: &Caller, origin: Origin) -> Result<Changed<Credential>, Error> {
        let user = caller.user().ok_or(Error::Absent(Thing::Session))?;
        self.revoke(&target(caller.org(), caller.acting()), user, &caller.actor(origin)).await
    }

    /// Ends, for good, the sessions whose time is over, and those of users who are no admins any more: neither is of any
    /// use, and a role that is given back must not bring them back.
    ///
    /// # Errors
    /// As soon as one cannot be ended. Those before it are.
    pub async fn end_sessions(&self) -> Result<(), Error> {
        for (org, session) in self.directory.ended_sessions(self.clock.now()) {
            let Some(found) = self.find_live(&target(org, session)).await? else { continue };
            let Some(owner) = found.detail.owner() else { continue };
            match self.revoke(&target(org, session), owner, &Actor::SERVER).await {
                Ok(_) | Err(Error::Absent(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The sessions that end because their user is no admin any more once this is what the user's roles are; none where
    /// the user remains one.
    pub(crate) async fn sessions_of_no_admin(&self, user: &User) -> Result<Option<Vec<Credential>>, Error> {
        let roles = self.roles_of(user).await?;
        let is_admin =
            roles.iter().any(|role| role.rights().contains(claviger_model::Permission::ORG_MANAGEMENT));
        match is_admin {
            true => Ok(None),
            false => Ok(Some(self.store.list_sessions_of(user.org, user.id).await?)),
        }
    }
}

fn draft(user: &User, now: claviger_model::Timestamp) -> Result<Draft, Error> {
    Ok(Draft {
        org: user.org,
        detail: CredentialDetail::Session { owner: user.id },
        name: Name::parse(NAME).map_err(|error| Error::Internal(error.into()))?,
        by: user.id,
        expiry: Expiry::At(now + SESSION_LIFETIME),
        guards: Guards::NONE,
    })
}

fn target(org: OrgId, id: CredentialId) -> Target<'static> {
    Target { org, kind: CredentialKind::Session, key: KeyRef::Id(id), owner: None }
}
