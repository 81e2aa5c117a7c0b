//! Ids of permissions: the vendor's where they are known, else made of the name, so that they never change.

use std::collections::HashMap;
use std::sync::LazyLock;

use claviger_model::Permission;
use md5::{Digest, Md5};
use uuid::{Builder, Uuid, uuid};

/// As recorded.
const RECORDED: [(&str, Uuid); 21] = [
    ("user_access_invite", uuid!("9ac1d8cc-e707-11ea-aa2d-73d37e989a9d")),
    ("user_access_manage", uuid!("9de604d8-e707-11ea-aa2d-93f1a783b3a3")),
    ("user_app_keys", uuid!("46a301da-ec5c-11ea-aa9f-73bedeab67ee")),
    ("org_app_keys_read", uuid!("46a301db-ec5c-11ea-aa9f-2fe72193d60e")),
    ("org_app_keys_write", uuid!("46a301dc-ec5c-11ea-aa9f-13b33f8f46ea")),
    ("api_keys_read", uuid!("372896c4-f923-11ea-adbc-4fecd107156d")),
    ("api_keys_write", uuid!("3e4d4d28-f923-11ea-adbc-e3565938c12e")),
    ("api_keys_delete", uuid!("7850e390-20da-11ee-bed6-da7ad0900002")),
    ("service_account_write", uuid!("a42e94b2-1476-11eb-bd08-efda28c04248")),
    ("org_management", uuid!("7df222b6-a45c-11eb-a0af-da7ad0900002")),
    ("connections_read", uuid!("f6e917a6-8502-11ec-bf20-da7ad0900002")),
    ("connections_write", uuid!("f6e917a7-8502-11ec-bf20-da7ad0900002")),
    ("connections_resolve", uuid!("36e2a22e-248a-11ed-b405-da7ad0900002")),
    ("dashboards_read", uuid!("d90f6830-d3d8-11e9-a77a-b3404e5e9ee2")),
    ("dashboards_write", uuid!("d90f6831-d3d8-11e9-a77a-4fd230ddbc6a")),
    ("dashboards_public_share", uuid!("d90f6832-d3d8-11e9-a77a-bf8a2607f864")),
    ("monitors_read", uuid!("4441648c-d8b1-11e9-a77a-1b899a04b304")),
    ("admin", uuid!("984a2bd4-d3b4-11e8-a1ff-a7f660d43029")),
    ("standard", uuid!("984d2f00-d3b4-11e8-a200-bb47109e9987")),
    ("logs_live_tail", uuid!("6f66600e-dd12-11e8-9e55-7f30fbb45e73")),
    ("audit_logs_read", uuid!("2fbdac76-f923-11ea-adbc-07f3823e2b43")),
];

/// The permission's id.
pub(crate) fn id(permission: Permission) -> Uuid {
    let recorded = RECORDED.iter().find(|(name, _)| *name == permission.name());
    recorded.map_or_else(|| made_of(permission.name()), |(_, id)| *id)
}

fn made_of(name: &str) -> Uuid {
    let hash = Md5::new().chain_update("claviger permission ").chain_update(name).finalize();
    Builder::from_md5_bytes(hash.into()).into_uuid()
}

/// The permission that has this id, if there is one.
pub(crate) fn permission(text: &str) -> Option<Permission> {
    static BY_ID: LazyLock<HashMap<Uuid, Permission>> =
        LazyLock::new(|| Permission::all().map(|permission| (id(permission), permission)).collect());
    BY_ID.get(&Uuid::try_parse(text).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_an_id_of_its_own() {
        for one in Permission::all() {
            assert_eq!(permission(&id(one).to_string()), Some(one), "{one}");
        }
        assert_eq!(permission("11111111-dead-beef-dead-ffffffffffff"), None);
    }

    #[test]
    fn recorded_ids_are_of_permissions_that_exist() {
        for (name, id) in RECORDED {
            assert_eq!(permission(&id.to_string()).map(Permission::name), Some(name));
        }
    }
}
