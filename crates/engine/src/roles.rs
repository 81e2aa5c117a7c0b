//! Roles: what they allow, and who has them.
//!
//! Built-in roles are as the code has them: they cannot be changed or removed, only given and taken. A role may be
//! removed while users have it; from then on nobody has it. Who may hand on what is in [`crate::grants`].

use claviger_model::{Name, OrgId, Permission, PermissionSet, Role, RoleId, User, UserId};
use claviger_store::{
    Change, CommitError, ListedRole, Page, PeoplePage, Refusal, RoleFilter, RoleSort, SortBy, UserFilter,
    UserSort,
};

use crate::credentials::STALE_RETRIES_MAX;
use crate::grants::check_grant;
use crate::permit::rights::{PeopleRead, RolesWrite};
use crate::users::LAST_ADMIN;
use crate::{Changed, Engine, Error, Permit, Thing};

/// Why built-in roles stay as they are.
const BUILT_IN: &str = "Managed roles cannot be changed or deleted";

/// A new role.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// Its name, unique in the org.
    pub name: Name,
    /// What was asked for: the caller must be able to hand it on.
    pub permissions: PermissionSet,
    /// What every new role gets beside that; nobody has the role yet, and whoever gives it is checked then.
    pub defaults: PermissionSet,
}

/// Changes of a role; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct RolePatch {
    /// The name.
    pub name: Option<Name>,
    /// All that it allows from now on.
    pub permissions: Option<PermissionSet>,
}

/// A change of one role.
#[derive(Clone, Copy)]
enum Edit<'a> {
    Patch(&'a RolePatch),
    Grant(Permission),
    Withdraw(Permission),
}

impl Edit<'_> {
    fn apply(self, role: &mut Role) {
        match self {
            Self::Patch(patch) => {
                if let Some(name) = &patch.name {
                    role.name = name.to_string();
                }
                role.permissions = patch.permissions.unwrap_or(role.permissions);
            }
            Self::Grant(permission) => role.permissions.insert(permission),
            Self::Withdraw(permission) => role.permissions.remove(permission),
        }
    }
}

impl Engine {
    /// A page of the org's roles.
    pub async fn list_roles(
        &self,
        permit: &Permit<PeopleRead>,
        filter: &RoleFilter,
        sort: SortBy<RoleSort>,
        page: Page,
    ) -> Result<PeoplePage<ListedRole>, Error> {
        let filter = RoleFilter { org: permit.org(), ..filter.clone() };
        Ok(self.store.list_roles(&filter, sort, page).await?)
    }

    /// One role of the org.
    pub async fn find_role(&self, permit: &Permit<PeopleRead>, id: RoleId) -> Result<ListedRole, Error> {
        self.store.find_listed_role(permit.org(), id).await?.ok_or(Error::Absent(Thing::Role))
    }

    /// Makes a role.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a name that is taken, [`Error::Refused`] for permissions that the caller may not hand
    /// on.
    pub async fn create_role(
        &self,
        permit: &Permit<RolesWrite>,
        new: NewRole,
    ) -> Result<Changed<Role>, Error> {
        check_grant(permit.caller(), &new.permissions)?;
        let now = self.clock.now();
        let role = Role {
            id: RoleId::generate(self.vault.random()),
            org: permit.org(),
            name: new.name.to_string(),
            managed: None,
            permissions: new.permissions | new.defaults,
            created_at: now,
            modified_at: now,
        };
        match self.store.commit(Change::create_role(&role, permit.user(), &permit.actor())).await {
            Ok(position) => Ok(Changed { value: role, position }),
            Err(CommitError::Refused(Refusal::NameTaken)) => Err(taken(role)),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a role that allows what another does, built-in ones included.
    ///
    /// # Errors
    /// As [`Engine::create_role`], and [`Error::Absent`] where there is no such role.
    pub async fn clone_role(
        &self,
        permit: &Permit<RolesWrite>,
        id: RoleId,
        name: Name,
    ) -> Result<Changed<Role>, Error> {
        let role = self.settled_role(permit.org(), id).await?;
        let new = NewRole { name, permissions: role.permissions, defaults: PermissionSet::EMPTY };
        self.create_role(permit, new).await
    }

    /// Changes a role, for everybody who has it at once.
    ///
    /// # Errors
    /// [`Error::Protected`] for a built-in role; else as [`Engine::create_role`].
    pub async fn update_role(
        &self,
        permit: &Permit<RolesWrite>,
        id: RoleId,
        patch: &RolePatch,
    ) -> Result<Changed<Role>, Error> {
        self.edit_role(permit, id, Edit::Patch(patch)).await
    }

    /// Adds a permission to a role; one that it has is no change.
    ///
    /// # Errors
    /// As [`Engine::update_role`].
    pub async fn grant_permission(
        &self,
        permit: &Permit<RolesWrite>,
        id: RoleId,
        permission: Permission,
    ) -> Result<Changed<Role>, Error> {
        self.edit_role(permit, id, Edit::Grant(permission)).await
    }

    /// Takes a permission from a role; one that it does not have is no change.
    ///
    /// # Errors
    /// As [`Engine::update_role`].
    pub async fn withdraw_permission(
        &self,
        permit: &Permit<RolesWrite>,
        id: RoleId,
        permission: Permission,
    ) -> Result<Changed<Role>, Error> {
        self.edit_role(permit, id, Edit::Withdraw(permission)).await
    }

    async fn edit_role(
        &self,
        permit: &Permit<RolesWrite>,
        id: RoleId,
        edit: Edit<'_>,
    ) -> Result<Changed<Role>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.changeable_role(permit.org(), id).await?;
            let mut role = read.clone();
            edit.apply(&mut role);
            if role == read {
                return Ok(Changed { value: role, position: self.applied() });
            }
            check_grant(permit.caller(), &role.permissions.without(&read.permissions))?;
            role.modified_at = self.later_than(read.modified_at);
            match self.store.commit(Change::update_role(&role, &read, permit.user(), &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: role, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::NameTaken)) => return Err(taken(role)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Removes a role: nobody has it from then on.
    ///
    /// # Errors
    /// [`Error::Protected`] for a built-in role.
    pub async fn remove_role(&self, permit: &Permit<RolesWrite>, id: RoleId) -> Result<Changed<Role>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let role = self.changeable_role(permit.org(), id).await?;
            let change = Change::remove_role(&role, self.clock.now(), permit.user(), &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => {
                    self.sweeping.request();
                    return Ok(Changed { value: role, position });
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

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

    /// Takes a role from a user; one who does not have it is no change.
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
            match self.store.commit(Change::withdraw_role(&user, &read, role.id, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: user, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::LastOne)) => return Err(Error::Protected(LAST_ADMIN)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    async fn changeable_role(&self, org: OrgId, id: RoleId) -> Result<Role, Error> {
        let role = self.settled_role(org, id).await?;
        if role.managed.is_some() { Err(Error::Protected(BUILT_IN)) } else { Ok(role) }
    }

    /// A role of the org; that there is none is only said once everything that may have removed it is applied.
    async fn settled_role(&self, org: OrgId, id: RoleId) -> Result<Role, Error> {
        match self.store.find_role(org, id).await? {
            Some(role) => Ok(role),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::Role))
            }
        }
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

fn taken(role: Role) -> Error {
    Error::Conflict { thing: Thing::Role, name: role.name }
}
