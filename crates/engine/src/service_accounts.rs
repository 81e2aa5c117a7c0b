//! Service accounts: users that are machines. Reading, changing and disabling them is [`crate::users`]' matter.

use claviger_model::{User, UserId, UserKind};

use crate::permit::rights::ServiceAccounts;
use crate::{Changed, Engine, Error, FieldError, NewUser, Permit, Thing};

impl Engine {
    /// Makes a service account, which is active from the start.
    ///
    /// # Errors
    /// [`Error::Invalid`] for roles that the org does not have, and [`Error::Refused`] for roles that the caller may
    /// not hand on.
    pub async fn create_service_account(
        &self,
        permit: &Permit<ServiceAccounts>,
        new: NewUser,
    ) -> Result<Changed<User>, Error> {
        self.add_user(permit, UserKind::ServiceAccount, new).await
    }

    /// A service account of the org, disabled or not. One that is none, another org's, or a person answers as absent.
    pub(crate) async fn service_account(
        &self,
        permit: &Permit<ServiceAccounts>,
        id: UserId,
    ) -> Result<User, Error> {
        let found = self.store.find_user(permit.org(), id).await?;
        let account = found.filter(|user| user.kind == UserKind::ServiceAccount);
        account.ok_or(Error::Absent(Thing::ServiceAccount))
    }

    /// One that can be given something: whatever a disabled one got would be dead from the start.
    pub(crate) async fn active_service_account(
        &self,
        permit: &Permit<ServiceAccounts>,
        id: UserId,
    ) -> Result<User, Error> {
        let account = self.service_account(permit, id).await?;
        match account.disabled_at {
            None => Ok(account),
            Some(_) => Err(Error::Invalid(vec![FieldError {
                field: "service_account_id".to_owned(),
                reason: "is a disabled service account".to_owned(),
            }])),
        }
    }
}
