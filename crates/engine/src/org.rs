//! The org itself: its settings, and the people in it as far as answers about keys include them.

use claviger_model::{Org, OrgId, Role, User, UserId};

use crate::{Engine, Error, Thing};

impl Engine {
    /// An org, for a caller that belongs to it.
    pub async fn org(&self, org: OrgId) -> Result<Org, Error> {
        self.store.find_org(org).await?.ok_or(Error::Absent(Thing::Org))
    }

    /// Users of an org by id, for answers that include them; those that are gone are left out.
    pub async fn users(&self, org: OrgId, ids: &[UserId]) -> Result<Vec<User>, Error> {
        let mut users = Vec::with_capacity(ids.len());
        for id in ids {
            users.extend(self.store.find_user(org, *id).await?);
        }
        Ok(users)
    }

    /// The roles of a user, in the user's order.
    pub async fn roles_of(&self, user: &User) -> Result<Vec<Role>, Error> {
        let mut roles = Vec::with_capacity(user.roles.len());
        for id in &user.roles {
            roles.extend(self.store.find_role(user.org, *id).await?);
        }
        Ok(roles)
    }
}
