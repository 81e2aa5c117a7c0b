//! Roles: what they allow. Who has them is in [`crate::role_members`].
//!
//! Built-in roles are as the code has them: they cannot be changed or removed, only given and taken. A role may be
//! removed while users have it; from then on nobody has it. Who may hand on what is in [`crate::grants`].

use claviger_model::{Name, OrgId, OwnNumber, Permission, PermissionSet, Role, RoleId};
use claviger_store::{
    Change, CommitError, ListedRole, Page, PeoplePage, Refusal, RoleFilter, RoleSort, SortBy,
};

use crate::credentials::STALE_RETRIES_MAX;
use crate::grants::check_grant;
use crate::permit::rights::{PeopleRead, RolesWrite};
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
    /// These permissions of the org's own and no other ones of them.
    Own(&'a [OwnNumber]),
}

impl Edit<'_> {
    fn apply(self, role: &mut Role) {
        match self {
            Self::Patch(patch) => {
                if let Some(name) = &patch.name {
                    role.name = name.to_string();
                }
                // The org's own permissions are not the vendor's to change.
                let own = role.permissions.own();
                role.permissions =
                    patch.permissions.map_or(role.permissions, |permissions| permissions.with_own(own));
            }
            Self::Grant(permission) => role.permissions.insert(permission),
            Self::Withdraw(permission) => role.permissions.remove(permission),
            Self::Own(numbers) => role.permissions = role.permissions.with_own(numbers.iter().copied()),
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

    /// Gives a role these permissions of the org's own in place of those that it has. Its others stay.
    ///
    /// # Errors
    /// As [`Engine::update_role`].
    pub async fn set_own_permissions(
        &self,
        permit: &Permit<RolesWrite>,
        id: RoleId,
        numbers: &[OwnNumber],
    ) -> Result<Changed<Role>, Error> {
        self.edit_role(permit, id, Edit::Own(numbers)).await
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
                self.settle().await?;
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

    async fn changeable_role(&self, org: OrgId, id: RoleId) -> Result<Role, Error> {
        let role = self.settled_role(org, id).await?;
        if role.managed.is_some() { Err(Error::Protected(BUILT_IN)) } else { Ok(role) }
    }

    /// A role of the org; that there is none is only said once everything that may have removed it is applied.
    pub(crate) async fn settled_role(&self, org: OrgId, id: RoleId) -> Result<Role, Error> {
        match self.store.find_role(org, id).await? {
            Some(role) => Ok(role),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::Role))
            }
        }
    }
}

fn taken(role: Role) -> Error {
    Error::Conflict { thing: Thing::Role, name: role.name }
}
