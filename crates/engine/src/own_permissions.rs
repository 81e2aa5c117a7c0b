//! Permissions that an org defines for its own API: defining them, and giving them to roles, application keys and
//! tokens. Admins have all of them; native keys are given them when they are made.

use std::sync::Arc;
use std::time::Duration;

use claviger_model::{
    Credential, CredentialId, CredentialKind, OWN_PERMISSIONS_MAX, OrgId, OwnName, OwnNumber, OwnPermission,
    OwnPermissions, Permission, PermissionId, Role, RoleId, Scopes,
};
use claviger_store::{Change, CommitError, Names, Refusal};
use serde_json::json;

use crate::credentials::{KeyRef, STALE_RETRIES_MAX, Target};
use crate::native_keys::check_containment;
use crate::permit::rights::{
    ApplicationKeysInReachRead, ApplicationKeysInReachWrite, OrgManagement, OwnPermissionsRead,
};
use crate::{Changed, Engine, Error, FieldError, Permit, Right, Thing};

impl Engine {
    /// What an org's own permissions are called, from memory; none where it has none.
    pub fn own_permissions(&self, org: OrgId) -> Option<Arc<OwnPermissions>> {
        self.directory.own_permissions(org)
    }

    /// All of the org's own permissions, by name.
    pub async fn list_own_permissions(
        &self,
        permit: &Permit<OwnPermissionsRead>,
    ) -> Result<Vec<OwnPermission>, Error> {
        Ok(self.store.list_own_permissions(permit.org()).await?)
    }

    /// One of them, by its name or its id.
    pub async fn find_own_permission(
        &self,
        permit: &Permit<OwnPermissionsRead>,
        key: &str,
    ) -> Result<OwnPermission, Error> {
        self.find_permission(permit.org(), key).await?.ok_or(Error::Absent(Thing::OwnPermission))
    }

    /// Defines one.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a name that is taken, [`Error::LimitReached`] where all numbers are given.
    pub async fn create_own_permission(
        &self,
        permit: &Permit<OrgManagement>,
        name: &OwnName,
        description: &str,
    ) -> Result<Changed<OwnPermission>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let all = self.store.list_own_permissions(permit.org()).await?;
            let taken: Vec<_> = all.iter().map(|permission| permission.number).collect();
            let free = OwnNumber::all().find(|number| !taken.contains(number));
            let Some(number) = free else {
                self.settle().await?;
                let max = OWN_PERMISSIONS_MAX as u32;
                return Err(Error::LimitReached { thing: Thing::OwnPermission, max });
            };
            let now = self.clock.now();
            let permission = OwnPermission {
                id: PermissionId::generate(self.vault.random()),
                org: permit.org(),
                number,
                name: name.clone(),
                description: description.to_owned(),
                uses: 0,
                created_at: now,
                modified_at: now,
            };
            match self.store.commit(Change::create_own_permission(&permission, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: permission, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::NameTaken)) => {
                    self.settle().await?;
                    return Err(Error::Conflict { thing: Thing::OwnPermission, name: name.to_string() });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Describes one anew; its name stays.
    pub async fn describe_own_permission(
        &self,
        permit: &Permit<OrgManagement>,
        key: &str,
        description: Option<&str>,
    ) -> Result<Changed<OwnPermission>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.settled_permission(permit.org(), key).await?;
            let mut permission = read.clone();
            if let Some(description) = description {
                permission.description = description.to_owned();
            }
            if permission == read {
                return Ok(Changed { value: permission, position: self.applied() });
            }
            // Always later than before: that is how a change in between is noticed.
            permission.modified_at = self.clock.now().max(read.modified_at + Duration::from_micros(1));
            let change = Change::describe_own_permission(&permission, &read, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: permission, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Deletes one that nothing names.
    ///
    /// # Errors
    /// [`Error::InUse`] where a live credential or a role names it.
    pub async fn delete_own_permission(
        &self,
        permit: &Permit<OrgManagement>,
        key: &str,
    ) -> Result<Changed<OwnPermission>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let permission = self.settled_permission(permit.org(), key).await?;
            let keys = permission.uses;
            let roles = self.store.count_roles_naming(permit.org(), permission.number).await?;
            if keys > 0 || roles > 0 {
                self.settle().await?;
                let name = permission.name.to_string();
                return Err(Error::InUse { thing: Thing::OwnPermission, name, keys, roles });
            }
            match self.store.commit(Change::delete_own_permission(&permission, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: permission, position }),
                // Somebody began to use it, or deleted it, in between.
                Err(CommitError::Refused(Refusal::InUse)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    async fn find_permission(&self, org: OrgId, key: &str) -> Result<Option<OwnPermission>, Error> {
        let id: Option<PermissionId> = key.parse().ok();
        let is_meant = |it: &OwnPermission| it.name.as_str() == key || Some(it.id) == id;
        Ok(self.store.list_own_permissions(org).await?.into_iter().find(is_meant))
    }

    async fn settled_permission(&self, org: OrgId, key: &str) -> Result<OwnPermission, Error> {
        match self.find_permission(org, key).await? {
            Some(found) => Ok(found),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::OwnPermission))
            }
        }
    }

    /// A role, for the own permissions that it gives.
    pub async fn find_role_with_own(
        &self,
        permit: &Permit<OwnPermissionsRead>,
        id: RoleId,
    ) -> Result<Role, Error> {
        self.store.find_role(permit.org(), id).await?.ok_or(Error::Absent(Thing::Role))
    }

    /// An application key or token in reach, for the own permissions that it is narrowed to.
    pub async fn find_credential_with_own(
        &self,
        permit: &Permit<ApplicationKeysInReachRead>,
        id: CredentialId,
    ) -> Result<Credential, Error> {
        let found = self.find_narrowable(permit, Permission::ORG_APP_KEYS_READ, id).await?;
        found.ok_or(Error::Absent(Thing::Credential))
    }

    /// Narrows an application key or token to these own permissions in place of those that it has; what it has of the
    /// fixed list stays.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it would be left without scopes, and so with all that its owner may do;
    /// [`Error::Refused`] where a narrowed caller lacks one itself.
    pub async fn set_own_scopes(
        &self,
        permit: &Permit<ApplicationKeysInReachWrite>,
        id: CredentialId,
        numbers: &[OwnNumber],
    ) -> Result<Changed<Credential>, Error> {
        let wanted = Scopes::of_own(numbers.iter().copied());
        check_containment(permit.caller(), wanted.as_ref())?;
        let Some(found) = self.find_narrowable(permit, Permission::ORG_APP_KEYS_WRITE, id).await? else {
            self.settle().await?;
            return Err(Error::Absent(Thing::Credential));
        };
        let joined = Scopes::join(found.detail.scopes(), wanted.as_ref());
        if joined.is_some() {
            self.check_widening(permit, &found, joined.as_ref()).await?;
        }
        let target = Target { org: permit.org(), kind: found.kind(), key: KeyRef::Id(id), owner: None };
        let edit = |credential: &mut Credential| {
            let before = credential.clone();
            credential.detail.set_own_scopes(wanted.as_ref());
            (*credential != before).then(|| json!({ "name": credential.name, "was": before.name }))
        };
        let (value, position) = self.edit(&target, &edit, Names::Any, permit.user(), &permit.actor()).await?;
        let own = value.detail.scopes().map(|scopes| scopes.own().collect::<Vec<_>>());
        if wanted.iter().flat_map(Scopes::own).collect::<Vec<_>>() != own.unwrap_or_default() {
            return Err(invalid(
                "permissions",
                "would leave it without scopes, and so with all that its owner may do".to_owned(),
            ));
        }
        Ok(Changed { value, position: position.unwrap_or_else(|| self.applied()) })
    }

    /// A live credential in reach that acts for a user.
    async fn find_narrowable<R: Right>(
        &self,
        permit: &Permit<R>,
        whole_org: Permission,
        id: CredentialId,
    ) -> Result<Option<Credential>, Error> {
        const KINDS: [CredentialKind; 3] = [
            CredentialKind::ApplicationKey,
            CredentialKind::PersonalAccessToken,
            CredentialKind::ServiceAccessToken,
        ];
        let reach = permit.reach(whole_org);
        let found = self.store.find_credential(permit.org(), id).await?;
        Ok(found.filter(|found| {
            KINDS.contains(&found.kind())
                && found.state.is_live()
                && reach.is_none_or(|user| found.detail.owner() == Some(user))
        }))
    }
}

fn invalid(field: &str, reason: String) -> Error {
    Error::Invalid(vec![FieldError { field: field.to_owned(), reason }])
}
