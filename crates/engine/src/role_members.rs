//! Who has which role: seeing, giving and taking.

use claviger_model::{RoleId, User, UserId};
use claviger_store::{Change, CommitError, Page, PeoplePage, Refusal, SortBy, UserFilter, UserSort};

use crate::credentials::STALE_RETRIES_MAX;
use crate::grants::check_grant;
use crate::permit::rights::{PeopleRead, RolesWrite};
use crate::users::LAST_ADMIN;
use crate::{Changed, Engine, Error, Permit, Thing};

impl Engine {
    /// A page of those who have a role.
    pub async fn list_role_members(
        &self,
        permit: &Permit<PeopleRead>,
        role: RoleId,
        text: Option<String>,
        sort: SortBy<UserSort>,
        page: Page,
    ) -> Result<PeoplePage<User>, Error> {
        let role = self.settled_role(permit.org(), role).await?.id;
        let filter = UserFilter { org: permit.org(), text, statuses: Vec::new(), role: Some(role) };
        Ok(self.store.list_users(&filter, sort, page).await?)
    }

    /// Some of those who have a role, and how many there are: what changes of them answer with.
    pub async fn list_some_role_members(
        &self,
        permit: &Permit<RolesWrite>,
        role: RoleId,
        limit: i64,
    ) -> Result<(Vec<User>, i64), Error> {
        let role = self.settled_role(permit.org(), role).await?.id;
        Ok(self.store.list_some_holders(role, limit).await?)
    }

    /// Gives a user a role; one who has it is no change.
    ///
    /// # Errors
    /// [`Error::Absent`] for the role or the user, [`Error::Refused`] for a role that the caller may not hand on.
    pub async fn add_role_member(
        &self,
        permit: &Permit<RolesWrite>,
        role: RoleId,
        user: UserId,
    ) -> Result<Changed<User>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let role = self.settled_role(permit.org(), role).await?;
            let read = self.settled_member(permit, user).await?;
            if read.roles.contains(&role.id) {
                self.settle().await?;
                return Ok(Changed { value: read, position: self.applied() });
            }
            check_grant(permit.caller(), &role.permissions)?;
            let mut user = read.clone();
            user.roles.push(role.id);
            user.modified_at = self.later_than(read.modified_at);
            match self.store.commit(Change::grant_role(&user, &read, role.id, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: user, position }),
                // Where the role is gone, the next reading tells.
                Err(CommitError::Refused(Refusal::Stale | Refusal::Absent)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Takes a role from a user; one who does not have it is no change. The sessions of a user who is no admin any more
    /// end with it.
    ///
    /// # Errors
    /// [`Error::Absent`] for the role or the user, [`Error::Protected`] where it would leave the org without an admin.
    pub async fn remove_role_member(
        &self,
        permit: &Permit<RolesWrite>,
        role: RoleId,
        user: UserId,
    ) -> Result<Changed<User>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let role = self.settled_role(permit.org(), role).await?;
            let read = self.settled_member(permit, user).await?;
            if !read.roles.contains(&role.id) {
                self.settle().await?;
                return Ok(Changed { value: read, position: self.applied() });
            }
            let mut user = read.clone();
            user.roles.retain(|id| *id != role.id);
            user.modified_at = self.later_than(read.modified_at);
            let ended = self.sessions_of_no_admin(&user).await?;
            let change = Change::withdraw_role(&user, &read, role.id, ended.as_deref(), &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: user, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::LastOne)) => return Err(Error::Protected(LAST_ADMIN)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    async fn settled_member(&self, permit: &Permit<RolesWrite>, id: UserId) -> Result<User, Error> {
        match self.store.find_user(permit.org(), id).await? {
            Some(user) => Ok(user),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::User))
            }
        }
    }
}
