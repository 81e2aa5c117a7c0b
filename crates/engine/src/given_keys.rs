//! Application keys that people are given: how somebody who was brought into the org gets in.
//!
//! Whoever gives one sees its secret once, and so must be able to hand on all that it may do.

use claviger_model::{CredentialDetail, UserId, UserKind};

use crate::permit::rights::PeoplesKeysGive;
use crate::{Changed, Engine, Error, FieldError, NewApplicationKey, Permit, Shown, Thing};

impl Engine {
    /// Makes an application key of a person, who is no longer pending then.
    ///
    /// # Errors
    /// [`Error::Absent`] where the org has no such person, [`Error::Invalid`] where the person is disabled,
    /// [`Error::Refused`] where the key would have a right that the caller may not hand on, and
    /// [`Error::LimitReached`] beyond the limit per user.
    pub async fn give_application_key(
        &self,
        permit: &Permit<PeoplesKeysGive>,
        user: UserId,
        new: NewApplicationKey,
    ) -> Result<Changed<Shown>, Error> {
        let found = self.store.find_user(permit.org(), user).await?;
        let Some(person) = found.filter(|user| user.kind == UserKind::Human) else {
            self.settle().await?;
            return Err(Error::Absent(Thing::User));
        };
        if person.disabled_at.is_some() {
            let (field, reason) = ("user_id".to_owned(), "is a disabled user".to_owned());
            return Err(Error::Invalid(vec![FieldError { field, reason }]));
        }
        let NewApplicationKey { name, scopes, expires_at, guards, names } = new;
        let detail = CredentialDetail::ApplicationKey { owner: person.id, scopes };
        self.issue_owned(permit, detail, name, expires_at.into(), guards, names).await
    }
}
