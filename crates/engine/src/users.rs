//! Users and service accounts.
//!
//! Reach: `user_access_manage` reaches everybody in the org, `service_account_write` service accounts; what is out
//! of reach answers as absent. Containment ([`crate::grants`]): nobody gets a role through a caller that may not
//! hand on what the role allows. An org keeps at least one enabled user who has its built-in admin role.

use std::time::Duration;

use claviger_model::{Email, Name, Permission, Role, RoleId, Timestamp, User, UserId, UserKind};
use claviger_store::{Change, CommitError, Page, PeoplePage, Refusal, SortBy, UserFilter, UserSort};

use crate::credentials::STALE_RETRIES_MAX;
use crate::grants::check_grant;
use crate::permit::rights::{Oneself, PeopleInReachWrite, PeopleInvite, PeopleRead};
use crate::{Changed, Engine, Error, FieldError, Permit, Right, Thing};

/// Why the org's last admin stays.
pub(crate) const LAST_ADMIN: &str =
    "The org must keep at least one enabled user who has the Datadog Admin Role";

/// A new user or service account.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The address. A person's is unique in the org; service accounts may share one.
    pub email: Email,
    /// The name, if given.
    pub name: Option<Name>,
    /// The title, if given.
    pub title: Option<Name>,
    /// The roles, each of the org; doubled ones count once.
    pub roles: Vec<RoleId>,
}

/// Changes of a user; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// The address.
    pub email: Option<Email>,
    /// The name: `Some(None)` takes it away.
    pub name: Option<Option<Name>>,
    /// The title: `Some(None)` takes it away.
    pub title: Option<Option<Name>>,
    /// Whether it is disabled. Disabling kills its credentials for good; enabling does not bring them back.
    pub is_disabled: Option<bool>,
}

impl Engine {
    /// Makes a person, who is pending: nobody has shown yet that the address is theirs.
    ///
    /// # Errors
    /// As [`Engine::add_user`].
    pub async fn create_user(
        &self,
        permit: &Permit<PeopleInvite>,
        new: NewUser,
    ) -> Result<Changed<User>, Error> {
        self.add_user(permit, UserKind::Human, new).await
    }

    /// Makes a user of either kind, for a caller that has whatever right that kind needs. Service accounts are
    /// active from the start, and are called by their id.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the org has a person of that address, disabled or not, [`Error::Invalid`] for
    /// roles that it does not have, and [`Error::Refused`] for roles that the caller may not hand on.
    pub(crate) async fn add_user<R: Right>(
        &self,
        permit: &Permit<R>,
        kind: UserKind,
        new: NewUser,
    ) -> Result<Changed<User>, Error> {
        let roles = self.grantable_roles(permit, &new.roles).await?;
        let (id, now) = (UserId::generate(self.vault.random()), self.clock.now());
        let user = User {
            id,
            org: permit.org(),
            kind,
            handle: match kind {
                UserKind::Human => new.email.to_string(),
                UserKind::ServiceAccount => id.to_string(),
            },
            email: new.email.to_string(),
            name: new.name.map(|name| name.to_string()),
            title: new.title.map(|title| title.to_string()),
            verified: kind == UserKind::ServiceAccount,
            created_at: now,
            modified_at: now,
            disabled_at: None,
            roles: roles.iter().map(|role| role.id).collect(),
        };
        match self.store.commit(Change::create_user(&user, &permit.actor())).await {
            Ok(position) => Ok(Changed { value: user, position }),
            Err(CommitError::Refused(Refusal::NameTaken)) => {
                Err(Error::Conflict { thing: Thing::User, name: user.email })
            }
            Err(CommitError::Refused(Refusal::Absent)) => Err(unknown_role()),
            Err(error) => Err(error.into()),
        }
    }

    /// The roles of these ids, oldest first, if the caller may hand all of them on.
    async fn grantable_roles<R: Right>(
        &self,
        permit: &Permit<R>,
        ids: &[RoleId],
    ) -> Result<Vec<Role>, Error> {
        let mut roles: Vec<Role> = Vec::with_capacity(ids.len());
        for id in ids {
            if roles.iter().any(|role| role.id == *id) {
                continue;
            }
            roles.push(self.store.find_role(permit.org(), *id).await?.ok_or_else(unknown_role)?);
        }
        for role in &roles {
            check_grant(permit.caller(), &role.permissions)?;
        }
        roles.sort_by_key(|role| (role.created_at, role.id));
        Ok(roles)
    }

    /// A page of the org's users and service accounts, disabled ones too.
    pub async fn list_users(
        &self,
        permit: &Permit<PeopleRead>,
        filter: &UserFilter,
        sort: SortBy<UserSort>,
        page: Page,
    ) -> Result<PeoplePage<User>, Error> {
        let filter = UserFilter { org: permit.org(), ..filter.clone() };
        Ok(self.store.list_users(&filter, sort, page).await?)
    }

    /// The caller itself.
    pub async fn find_oneself(&self, permit: &Permit<Oneself>) -> Result<User, Error> {
        self.store.find_user(permit.org(), permit.user()).await?.ok_or(Error::CallerGone)
    }

    /// One user or service account of the org.
    pub async fn find_user(&self, permit: &Permit<PeopleRead>, id: UserId) -> Result<User, Error> {
        self.store.find_user(permit.org(), id).await?.ok_or(Error::Absent(Thing::User))
    }

    /// Changes a user in reach. Nothing to change leaves it as it is, its time of change too.
    ///
    /// # Errors
    /// [`Error::Conflict`] for an address that another person has, [`Error::Protected`] where it would disable the
    /// org's last admin.
    pub async fn update_user(
        &self,
        permit: &Permit<PeopleInReachWrite>,
        id: UserId,
        patch: &UserPatch,
    ) -> Result<Changed<User>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.settled_user(permit, id).await?;
            let mut user = read.clone();
            patch.apply(&mut user, self.clock.now());
            if user == read {
                self.settle().await?;
                return Ok(Changed { value: user, position: self.applied() });
            }
            if let Some(changed) = self.replace_user(permit, user, &read).await? {
                return Ok(changed);
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Disables a user in reach: its credentials die for good, in the same change.
    ///
    /// # Errors
    /// [`Error::Absent`] for one that is disabled already, [`Error::Protected`] for the org's last admin.
    pub async fn disable_user(
        &self,
        permit: &Permit<PeopleInReachWrite>,
        id: UserId,
    ) -> Result<Changed<User>, Error> {
        let disable = UserPatch { is_disabled: Some(true), ..UserPatch::default() };
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.settled_user(permit, id).await?;
            if read.disabled_at.is_some() {
                self.settle().await?;
                return Err(Error::Absent(Thing::User));
            }
            let mut user = read.clone();
            disable.apply(&mut user, self.clock.now());
            if let Some(changed) = self.replace_user(permit, user, &read).await? {
                return Ok(changed);
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Commits what a user was made into; none where somebody else came in between.
    async fn replace_user(
        &self,
        permit: &Permit<PeopleInReachWrite>,
        mut user: User,
        read: &User,
    ) -> Result<Option<Changed<User>>, Error> {
        user.modified_at = self.later_than(read.modified_at);
        let killed = match user.disabled_at.is_some() && read.disabled_at.is_none() {
            true => self.store.list_credentials_of(user.org, user.id).await?,
            false => Vec::new(),
        };
        let change = Change::update_user(&user, read, &killed, permit.user(), &permit.actor());
        match self.store.commit(change).await {
            Ok(position) => Ok(Some(Changed { value: user, position })),
            Err(CommitError::Refused(Refusal::Stale)) => Ok(None),
            Err(CommitError::Refused(Refusal::NameTaken)) => {
                Err(Error::Conflict { thing: Thing::User, name: user.email })
            }
            Err(CommitError::Refused(Refusal::LastOne)) => Err(Error::Protected(LAST_ADMIN)),
            Err(error) => Err(error.into()),
        }
    }

    /// Always later than before: that is how a change in between is noticed.
    pub(crate) fn later_than(&self, before: Timestamp) -> Timestamp {
        self.clock.now().max(before + Duration::from_micros(1))
    }

    /// A user in reach, for a change; that there is none is only said once everything that may have removed it is
    /// applied.
    async fn settled_user(&self, permit: &Permit<PeopleInReachWrite>, id: UserId) -> Result<User, Error> {
        let reaches_everybody = permit.caller().may(Permission::USER_ACCESS_MANAGE);
        let is_in_reach = |user: &User| reaches_everybody || user.kind == UserKind::ServiceAccount;
        match self.store.find_user(permit.org(), id).await?.filter(is_in_reach) {
            Some(user) => Ok(user),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::User))
            }
        }
    }
}

impl UserPatch {
    fn apply(&self, user: &mut User, now: Timestamp) {
        if let Some(email) = &self.email {
            user.email = email.to_string();
            if user.kind == UserKind::Human {
                user.handle.clone_from(&user.email);
            }
        }
        let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
        if let Some(name) = &self.name {
            user.name = text(name);
        }
        if let Some(title) = &self.title {
            user.title = text(title);
        }
        match self.is_disabled {
            Some(true) => user.disabled_at = user.disabled_at.or(Some(now)),
            Some(false) => user.disabled_at = None,
            None => {}
        }
    }
}

fn unknown_role() -> Error {
    let reason = "must be roles of this org".to_owned();
    Error::Invalid(vec![FieldError { field: "roles".to_owned(), reason }])
}
