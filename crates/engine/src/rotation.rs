//! Rotation with overlap: a new secret for a credential, while the old one goes on for a while.
//!
//! The credential stays what it is: its id, rights, guards and end. The old secret ends after the grace that was
//! asked for, and never after its credential. One old secret lives on at most: rotating again within the grace kills
//! the older. Whoever rotates learns the new secret, so that the same holds as for making such a key
//! ([`crate::owned`]), and nobody but its owner rotates a person's.

use std::time::Duration;

use claviger_model::{
    Credential, CredentialId, CredentialKind, CredentialState, Expiry, OrgId, Timestamp, UserId,
};
use claviger_store::{Actor, Change, CommitError, LiveSecret, NewSecret, Refusal, Rotation};
use claviger_vault::IssuedSecret;

use crate::credentials::{STALE_RETRIES_MAX, Target, new_secret};
use crate::native_keys::check_containment;
use crate::{Changed, Engine, Error, FieldError, Permit, Right, Shown};

/// How long an old secret may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grace(Duration);

impl Grace {
    /// The longest: 30 days.
    pub const SECONDS_MAX: u32 = 30 * 24 * 3600;

    /// So many seconds; 0 for none.
    ///
    /// # Errors
    /// Beyond [`SECONDS_MAX`](Self::SECONDS_MAX).
    pub fn seconds(seconds: u32) -> Result<Self, FieldError> {
        match seconds <= Self::SECONDS_MAX {
            true => Ok(Self(Duration::from_secs(seconds.into()))),
            false => Err(Self::fault()),
        }
    }

    /// What is said of anything else.
    pub fn fault() -> FieldError {
        FieldError {
            field: "grace_seconds".to_owned(),
            reason: format!("must be a number from 0 to {}", Self::SECONDS_MAX),
        }
    }

    /// The end of a secret that is replaced now; none where that is at once.
    fn end(self, now: Timestamp, expiry: Expiry) -> Option<Timestamp> {
        let end = (!self.0.is_zero()).then(|| Expiry::At(now + self.0).earlier(expiry));
        end.and_then(Expiry::timestamp)
    }
}

/// A credential with its new secret.
#[derive(Debug)]
pub struct Rotated {
    /// As an answer shows it.
    pub shown: Shown,
    /// Until when the old secret goes on; none where it is dead.
    pub old_valid_until: Option<Timestamp>,
}

impl Engine {
    /// Gives a credential a new secret.
    pub(crate) async fn rotate<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
        grace: Grace,
    ) -> Result<Changed<Rotated>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.settled(target).await?;
            // An API key has no rights that its secret would give away.
            match read.kind() {
                CredentialKind::ApiKey => {}
                CredentialKind::NativeKey => check_containment(permit.caller(), read.detail.scopes())?,
                _ => self.check_handing_on(permit, &read.detail).await?,
            }
            check_end(read.expiry, self.clock.now())?;
            let made = self.next_secret(&read, grace, permit.user(), &permit.actor()).await?;
            let Some((next, old_valid_until, change)) = made else { continue };
            match self.store.commit(change).await {
                Ok(position) => {
                    let credential = Credential { revision: read.revision + 1, ..next.credential };
                    let shown = Shown { credential, secret: Some(next.secret) };
                    return Ok(Changed { value: Rotated { shown, old_valid_until }, position });
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Makes the next secret; none where somebody else has just done so.
    async fn next_secret(
        &self,
        read: &Credential,
        grace: Grace,
        by: UserId,
        actor: &Actor,
    ) -> Result<Option<(Next, Option<Timestamp>, Change)>, Error> {
        let live = self.live_secrets(read.id).await?;
        let Some(replaced) = live.iter().find(|secret| secret.valid_until.is_none()) else { return Ok(None) };
        let secret_revision = self.store.find_secret_revision(read).await? + 1;
        let (next, stored) = self.make_next(read, secret_revision, by)?;
        let at = next.credential.modified_at;
        let valid_until = grace.end(at, read.expiry);
        let rotation = Rotation {
            credential: &next.credential,
            last4_before: &read.last4,
            replaced,
            valid_until,
            secret: &stored,
            secret_revision,
            at,
        };
        let change = Change::rotate_secret(&rotation, actor);
        Ok(Some((next, valid_until, change)))
    }

    fn make_next(&self, read: &Credential, revision: i64, by: UserId) -> Result<(Next, NewSecret), Error> {
        let kind = read.kind();
        let secret = new_secret(&read.detail, self.vault.random());
        let mut credential = read.clone();
        credential.last4 = secret.last4().to_owned();
        if let (Some(portion), Some(shown)) =
            (credential.detail.public_portion_mut(), secret.public_portion(kind))
        {
            *portion = shown.to_owned();
        }
        credential.modified_at = self.clock.now().max(read.modified_at);
        credential.modified_by = by;
        let stored = self.stored(&credential, &secret, revision)?;
        Ok((Next { credential, secret }, stored))
    }

    /// Buries every replaced secret whose time is over. The clock has refused them already; from now on they are
    /// dead for good, on the dead list too.
    ///
    /// # Errors
    /// As soon as one cannot be buried. Those before it are.
    pub async fn end_rotations(&self) -> Result<(), Error> {
        for (org, credential) in self.directory.over(self.clock.now()) {
            self.end_rotation(org, credential).await?;
        }
        Ok(())
    }

    async fn end_rotation(&self, org: OrgId, id: CredentialId) -> Result<(), Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let Some(read) = self.store.find_credential(org, id).await? else { return Ok(()) };
            let (now, live) = (self.clock.now(), self.live_secrets(id).await?);
            let is_over = |secret: &LiveSecret| secret.valid_until.is_some_and(|end| end <= now);
            if read.state != CredentialState::Live || !live.iter().any(is_over) {
                return Ok(());
            }
            let left: Vec<_> = live.into_iter().filter(|secret| !is_over(secret)).collect();
            match self.store.commit(Change::end_rotation(&read, &left, now, &Actor::SERVER)).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }
}

/// A credential as it will be, and its secret.
struct Next {
    credential: Credential,
    secret: IssuedSecret,
}

fn check_end(expiry: Expiry, now: Timestamp) -> Result<(), Error> {
    match expiry.is_over(now) {
        false => Ok(()),
        true => Err(Error::Invalid(vec![FieldError {
            field: "expires_at".to_owned(),
            reason: "is over, and a new secret would be no better".to_owned(),
        }])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_ends_with_the_credential_at_the_latest() {
        let now = Timestamp::from_micros(5_000_000);
        let grace = |seconds| Grace::seconds(seconds).unwrap();
        let at = |seconds: i64| Some(Timestamp::from_micros(seconds * 1_000_000));
        assert_eq!(grace(0).end(now, Expiry::Never), None);
        assert_eq!(grace(10).end(now, Expiry::Never), at(15));
        assert_eq!(grace(10).end(now, Expiry::from(at(20))), at(15));
        assert_eq!(grace(10).end(now, Expiry::from(at(7))), at(7));
        assert!(Grace::seconds(Grace::SECONDS_MAX).is_ok());
        assert_eq!(Grace::seconds(Grace::SECONDS_MAX + 1), Err(Grace::fault()));
    }
}
