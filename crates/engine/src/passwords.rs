//! Passwords of people: set and taken away by the machine's operator, and kept as sealed hashes.
//!
//! A change of the password ends the user's sessions, in the same change.

use claviger_model::{Email, OrgId, User, UserId, UserKind};
use claviger_store::{Change, CommitError, Refusal, StoredPassword, password_place};
use claviger_vault::{Password, PasswordHash, Vault};

use crate::credentials::STALE_RETRIES_MAX;
use crate::{Changed, Engine, Error, Operator, Thing};

/// What a change of a password came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChange {
    /// How many sessions it ended.
    pub sessions: usize,
    /// Whether the user is an admin: others cannot sign in.
    pub is_admin: bool,
}

impl Engine {
    /// The people who have an address, one in each of their orgs at most, up to so many.
    pub async fn list_persons(
        &self,
        _: &Operator,
        email: &Email,
        limit: u32,
    ) -> Result<Vec<(OrgId, UserId)>, Error> {
        Ok(self.store.list_persons(email, limit).await?)
    }

    /// Gives a person a password, or takes it away.
    ///
    /// # Errors
    /// [`Error::Absent`] where the org has no such person; to take away a password that there is not is no error.
    pub async fn set_password(
        &self,
        operator: &Operator,
        org: OrgId,
        id: UserId,
        password: Option<Password>,
    ) -> Result<Changed<PasswordChange>, Error> {
        let hash = match password {
            None => None,
            Some(password) => {
                let vault = self.vault.clone();
                Some(self.hashing.run(move || PasswordHash::of(&password, vault.random())).await?)
            }
        };
        for _ in 0..STALE_RETRIES_MAX {
            let user = self.store.find_user(org, id).await?.filter(|user| user.kind == UserKind::Human);
            let user = user.ok_or(Error::Absent(Thing::User))?;
            let is_admin = self.directory.is_admin(user.id);
            let read = self.store.find_password_revision(org, user.id).await?;
            let killed = self.store.list_sessions_of(org, user.id).await?;
            if hash.is_none() && read.is_none() {
                self.settle().await?;
                let value = PasswordChange { sessions: 0, is_admin };
                return Ok(Changed { value, position: self.applied() });
            }
            let now = self.clock.now();
            // Never one that there was before, not even after the password was taken away: an old hash must not fit.
            let revision = read.map_or(0, |read| read + 1).max(now.micros());
            let stored = match &hash {
                None => None,
                Some(hash) => {
                    let place = password_place(org, user.id, revision);
                    let sealed = self.vault.seal(&place, hash.to_phc().as_bytes())?;
                    Some(StoredPassword { revision, sealed })
                }
            };
            let change = Change::set_password(&user, stored.as_ref(), read, &killed, now, operator.actor());
            match self.store.commit(change).await {
                Ok(position) => {
                    let value = PasswordChange { sessions: killed.len(), is_admin };
                    return Ok(Changed { value, position });
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }
}

/// The hash of a user's password.
pub(crate) fn open_hash(vault: &Vault, user: &User, stored: &StoredPassword) -> Result<PasswordHash, Error> {
    let opened = vault.open(&password_place(user.org, user.id, stored.revision), &stored.sealed)?;
    let text = std::str::from_utf8(&opened).map_err(|error| Error::Internal(error.into()))?;
    PasswordHash::parse_phc(text).map_err(|error| Error::Internal(error.into()))
}
