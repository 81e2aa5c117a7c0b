//! The roles and users of an imported org.

use claviger_model::{ManagedRole, PermissionSet, Role, RoleId, User, UserId, UserKind};

use super::document::{OrgEntry, RoleEntry, UserEntry};
use super::plan::{PlannedOrg, Planner};

impl Planner<'_> {
    pub(super) fn plan_roles(&mut self, plan: &mut PlannedOrg<'_>, entry: &OrgEntry) {
        if plan.is_new {
            // Every org has the built-in ones; the file may give them ids.
            for managed in ManagedRole::ALL {
                let given = entry.roles.iter().find(|role| role.managed == Some(managed));
                let id = given.and_then(|role| role.id);
                let role = self.new_role(plan, id, managed.role_name(), Some(managed), managed.permissions());
                plan.roles.push(role);
            }
        }
        for role in &entry.roles {
            self.plan_role(plan, role);
        }
    }

    fn plan_role(&mut self, plan: &mut PlannedOrg<'_>, entry: &RoleEntry) {
        let Some(name) = entry.managed.map(|managed| managed.role_name()).or(entry.name.as_deref()) else {
            return;
        };
        let at_id = format!("{}/id", entry.at);
        let is_first = entry.id.is_none_or(|id| self.claim("role", id, &at_id));
        let key = format!("{} {name}", plan.org.id);
        let member = if entry.managed.is_some() { "managed" } else { "name" };
        if !self.claim("role name", key, format!("{}/{member}", entry.at)) || !is_first {
            return;
        }
        if let Some(id) = entry.id
            && self.all_roles.iter().any(|role| role.id == id && role.org != plan.org.id)
        {
            return self.fault(at_id, "is taken: another org has a role of this id");
        }
        if entry.id.is_some_and(|id| self.removed_roles.contains(&id)) {
            return self.fault(at_id, "is taken: a role of this id was removed");
        }
        let by_id = plan.roles.iter().find(|role| Some(role.id) == entry.id);
        let by_name = plan.roles.iter().find(|role| role.name == name);
        match (by_id, by_name) {
            (None, Some(role)) if entry.id.is_some() => {
                let reason = format!("differs from what is there: the role {name} has the id {}", role.id);
                self.fault(at_id, reason);
            }
            (Some(role), _) | (None, Some(role)) => {
                let role = role.clone();
                self.compare_role(&role, name, entry);
            }
            (None, None) => {
                let role = self.new_role(plan, entry.id, name, entry.managed, entry.permissions);
                plan.roles.push(role);
            }
        }
    }

    fn compare_role(&mut self, role: &Role, name: &str, entry: &RoleEntry) {
        if role.name != name {
            self.differs(&entry.at, "name");
        }
        if role.managed != entry.managed {
            self.differs(&entry.at, "managed");
        } else if role.managed.is_none() && role.permissions != entry.permissions {
            self.differs(&entry.at, "permissions");
        }
    }

    fn new_role(
        &self,
        plan: &PlannedOrg<'_>,
        id: Option<RoleId>,
        name: &str,
        managed: Option<ManagedRole>,
        permissions: PermissionSet,
    ) -> Role {
        Role {
            id: id.unwrap_or_else(|| RoleId::generate(self.vault.random())),
            org: plan.org.id,
            name: name.to_owned(),
            managed,
            permissions,
            created_at: self.now,
            modified_at: self.now,
        }
    }

    pub(super) fn plan_users(&mut self, plan: &mut PlannedOrg<'_>, entry: &OrgEntry) {
        for user in &entry.users {
            self.plan_user(plan, user);
        }
    }

    fn plan_user(&mut self, plan: &mut PlannedOrg<'_>, entry: &UserEntry) {
        let roles = self.find_roles(plan, entry);
        let at_id = format!("{}/id", entry.at);
        let is_first = entry.id.is_none_or(|id| self.claim("user", id, &at_id));
        let email = entry.email.clone().unwrap_or_default();
        // Service accounts may share an address, if they can be told apart.
        let has_own_address = entry.kind == UserKind::Human || entry.id.is_none();
        if has_own_address && entry.email.is_some() {
            let key = format!("{} {:?} {email}", plan.org.id, entry.kind);
            if !self.claim("email", key, format!("{}/email", entry.at)) {
                return;
            }
        }
        if !is_first {
            return;
        }
        if let Some(id) = entry.id
            && self.all_users.iter().any(|user| user.id == id && user.org != plan.org.id)
        {
            return self.fault(at_id, "is taken: another org has a user of this id");
        }
        let by_id = plan.users.iter().find(|user| Some(user.id) == entry.id);
        let by_email: Vec<&User> =
            plan.users.iter().filter(|user| user.kind == entry.kind && user.email == email).collect();
        match (by_id, by_email.as_slice()) {
            (None, [user, ..]) if entry.id.is_some() && entry.kind == UserKind::Human => {
                let reason = format!("differs from what is there: {email} has the id {}", user.id);
                self.fault(at_id, reason);
            }
            (None, [_, _, ..]) if entry.id.is_none() => {
                self.fault(&entry.at, "several service accounts have this address: give an id");
            }
            (Some(user), _) => {
                let user = user.clone();
                self.compare_user(&user, entry, &roles);
            }
            (None, [user]) if entry.id.is_none() => {
                let user = (*user).clone();
                self.compare_user(&user, entry, &roles);
            }
            _ => {
                let user = self.new_user(plan, entry, email, roles);
                plan.users.push(user);
            }
        }
    }

    fn compare_user(&mut self, user: &User, entry: &UserEntry, roles: &[RoleId]) {
        let mut held = user.roles.clone();
        let mut given = roles.to_vec();
        held.sort_unstable();
        given.sort_unstable();
        for (is_equal, member) in [
            (entry.email.as_ref() == Some(&user.email), "email"),
            (entry.name == user.name, "name"),
            (entry.title == user.title, "title"),
            (entry.kind == user.kind, "kind"),
            (entry.is_disabled == user.disabled_at.is_some(), "disabled"),
            (given == held, "roles"),
        ] {
            if !is_equal {
                self.differs(&entry.at, member);
            }
        }
    }

    fn new_user(&self, plan: &PlannedOrg<'_>, entry: &UserEntry, email: String, roles: Vec<RoleId>) -> User {
        let id = entry.id.unwrap_or_else(|| UserId::generate(self.vault.random()));
        User {
            id,
            org: plan.org.id,
            kind: entry.kind,
            handle: match entry.kind {
                UserKind::Human => email.clone(),
                UserKind::ServiceAccount => id.to_string(),
            },
            email,
            name: entry.name.clone(),
            title: entry.title.clone(),
            verified: true,
            created_at: self.now,
            modified_at: self.now,
            disabled_at: entry.is_disabled.then_some(self.now),
            roles,
        }
    }

    /// The roles that a user's entry names, oldest first.
    fn find_roles(&mut self, plan: &PlannedOrg<'_>, entry: &UserEntry) -> Vec<RoleId> {
        let mut found: Vec<&Role> = Vec::with_capacity(entry.roles.len());
        for (at, text) in &entry.roles {
            let id = text.parse::<RoleId>().ok();
            let role = plan.roles.iter().find(|role| id.map_or(role.name == *text, |id| role.id == id));
            match role {
                None => self.fault(at, "names no role of this org"),
                Some(role) if found.iter().any(|other| other.id == role.id) => {
                    self.fault(at, "names a role for the second time");
                }
                Some(role) => found.push(role),
            }
        }
        found.sort_by_key(|role| (role.created_at, role.id));
        found.into_iter().map(|role| role.id).collect()
    }

    /// The user that a key's entry names, by address or id.
    pub(super) fn find_user(&mut self, plan: &PlannedOrg<'_>, at: String, text: &str) -> Option<UserId> {
        let id = text.parse::<UserId>().ok();
        let email = text.to_lowercase();
        let meant = |kind| {
            let is_meant = move |user: &&User| user.kind == kind && user.email == email;
            plan.users.iter().filter(is_meant.clone()).map(|user| user.id).collect::<Vec<_>>()
        };
        let found = match id {
            Some(id) => plan.users.iter().filter(|user| user.id == id).map(|user| user.id).collect(),
            None => {
                let humans = meant.clone()(UserKind::Human);
                if humans.is_empty() { meant(UserKind::ServiceAccount) } else { humans }
            }
        };
        match found.as_slice() {
            [user] => return Some(*user),
            [] => self.fault(at, "names no user of this org"),
            _ => self.fault(at, "is the address of several service accounts: give an id"),
        }
        None
    }
}
