//! Permissions that orgs define: their numbers, how often each is named, and when one may be deleted.

use claviger_model::{
    Credential, CredentialDetail, KeyPrefix, OrgId, OwnName, OwnNumber, OwnPermission, PermissionId, Role,
    RoleId, Scopes,
};
use claviger_store::{Actor, Change, Names, NewSecret, Refusal, Store};

use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase, create, refusal, revoke};

on_both_engines!(
    a_permission_reads_back,
    uses_are_counted_as_credentials_come_and_go,
    what_is_gone_cannot_be_named,
    what_is_named_is_not_deleted,
    native_keys_have_a_limit,
);

fn number(value: i64) -> OwnNumber {
    OwnNumber::new(value).unwrap()
}

fn permission(db: &TestDatabase, org: OrgId, value: i64, name: &str) -> OwnPermission {
    OwnPermission {
        id: PermissionId::generate(&*db.random),
        org,
        number: number(value),
        name: OwnName::parse(name).unwrap(),
        description: "What ä is for".to_owned(),
        uses: 0,
        created_at: START,
        modified_at: START,
    }
}

async fn define(running: &Running, permission: &OwnPermission) {
    running.store.commit(Change::create_own_permission(permission, &Actor::SERVER)).await.unwrap();
}

fn native_key(running: &Running, tenant: &Tenant, numbers: &[i64]) -> (Credential, NewSecret) {
    let detail = CredentialDetail::NativeKey {
        prefix: KeyPrefix::default(),
        permissions: Scopes::of_own(numbers.iter().map(|value| number(*value))),
        external_id: None,
        metadata: None,
    };
    running.draft(tenant.org.id, tenant.admin.id, detail, "native")
}

/// By number.
async fn uses(store: &Store, org: OrgId) -> Vec<(u8, u32)> {
    let found = store.list_own_permissions(org).await.unwrap();
    found.iter().map(|permission| (permission.number.get(), permission.uses)).collect()
}

async fn a_permission_reads_back(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    let other = running.found_org(tenant.org.settings).await.org.id;
    let [write, read] = [permission(db, org, 1, "orders:write"), permission(db, org, 255, "orders:read")];
    let foreign = permission(db, other, 1, "orders:write");
    for permission in [&write, &read, &foreign] {
        define(&running, permission).await;
    }
    assert_eq!(store.list_own_permissions(org).await.unwrap(), [read.clone(), write.clone()]);
    assert_eq!(store.list_own_permissions(other).await.unwrap(), [foreign]);
    assert_eq!(store.list_all_own_permissions().await.unwrap().len(), 3);

    let same_name = Change::create_own_permission(&permission(db, org, 2, "orders:read"), &Actor::SERVER);
    assert_eq!(refusal(&store.commit(same_name).await), Some(Refusal::NameTaken));
    let same_number = Change::create_own_permission(&permission(db, org, 1, "orders:ship"), &Actor::SERVER);
    assert_eq!(refusal(&store.commit(same_number).await), Some(Refusal::Stale));

    let later = START + std::time::Duration::from_secs(1);
    let described = OwnPermission { description: "new".to_owned(), modified_at: later, ..read.clone() };
    let describe = || Change::describe_own_permission(&described, &read, &Actor::SERVER);
    store.commit(describe()).await.unwrap();
    assert_eq!(store.list_own_permissions(org).await.unwrap()[0], described);
    assert_eq!(refusal(&store.commit(describe()).await), Some(Refusal::Stale));
    running.stop().await;
}

async fn uses_are_counted_as_credentials_come_and_go(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    for (value, name) in [(1, "a:x"), (11, "b:x"), (111, "c:x")] {
        define(&running, &permission(db, org, value, name)).await;
    }
    let one = running.create(&native_key(&running, &tenant, &[1, 11])).await;
    let other = running.create(&native_key(&running, &tenant, &[111, 11])).await;
    running.create(&native_key(&running, &tenant, &[])).await;
    assert_eq!(uses(store, org).await, [(1, 1), (11, 2), (111, 1)]);

    let found = store.find_credential(org, one.id).await.unwrap().unwrap();
    assert_eq!(found.detail, one.detail);
    let changed = Credential { detail: native_key(&running, &tenant, &[111]).0.detail, ..one.clone() };
    let update = |credential: &Credential| {
        Change::update_credential(credential, &[], serde_json::json!({}), Names::Any, &Actor::SERVER)
    };
    store.commit(update(&changed)).await.unwrap();
    assert_eq!(uses(store, org).await, [(1, 0), (11, 1), (111, 2)]);
    // A change that comes too late counts nothing.
    assert_eq!(refusal(&store.commit(update(&changed)).await), Some(Refusal::Stale));
    assert_eq!(refusal(&store.commit(revoke(&one)).await), Some(Refusal::Stale));
    assert_eq!(uses(store, org).await, [(1, 0), (11, 1), (111, 2)]);

    running.revoke(&other).await.unwrap();
    assert_eq!(uses(store, org).await, [(1, 0), (11, 0), (111, 1)]);
    // Application keys count as well.
    let detail = CredentialDetail::ApplicationKey {
        owner: tenant.admin.id,
        scopes: Scopes::parse_stored(["monitors_read", ":1"]).unwrap(),
    };
    let mixed = running.create(&running.draft(org, tenant.admin.id, detail.clone(), "mixed")).await;
    assert_eq!(store.find_credential(org, mixed.id).await.unwrap().unwrap().detail, detail);
    assert_eq!(uses(store, org).await, [(1, 1), (11, 0), (111, 1)]);
    running.revoke(&mixed).await.unwrap();
    assert_eq!(uses(store, org).await, [(1, 0), (11, 0), (111, 1)]);
    running.stop().await;
}

async fn what_is_gone_cannot_be_named(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    define(&running, &permission(db, org, 1, "a:x")).await;
    let late = create(&native_key(&running, &tenant, &[1, 2]));
    assert_eq!(refusal(&store.commit(late).await), Some(Refusal::PermissionGone));
    assert_eq!(uses(store, org).await, [(1, 0)], "nothing of it was done");
    running.stop().await;
}

async fn what_is_named_is_not_deleted(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    let permission = permission(db, org, 7, "a:x");
    define(&running, &permission).await;
    let delete = || Change::delete_own_permission(&permission, &Actor::SERVER);

    let key = running.create(&native_key(&running, &tenant, &[7])).await;
    assert_eq!(refusal(&store.commit(delete()).await), Some(Refusal::InUse));
    running.revoke(&key).await.unwrap();

    let mut permissions = tenant.roles[0].permissions.with_own([]);
    let plain = Role {
        id: RoleId::generate(&*db.random),
        name: "Own".to_owned(),
        managed: None,
        permissions,
        ..tenant.roles[0].clone()
    };
    store.commit(Change::create_role(&plain, tenant.admin.id, &Actor::SERVER)).await.unwrap();
    permissions.insert_own(number(7));
    let later = START + std::time::Duration::from_secs(1);
    let granted = Role { permissions, modified_at: later, ..plain.clone() };
    let grant = |role: &Role, read: &Role| Change::update_role(role, read, tenant.admin.id, &Actor::SERVER);
    store.commit(grant(&granted, &plain)).await.unwrap();
    assert_eq!(store.find_role(org, plain.id).await.unwrap().unwrap().permissions, permissions);
    assert_eq!(store.count_roles_naming(org, number(7)).await.unwrap(), 1);
    assert_eq!(refusal(&store.commit(grant(&granted, &plain)).await), Some(Refusal::Stale));
    assert_eq!(refusal(&store.commit(delete()).await), Some(Refusal::InUse));
    store.commit(grant(&plain, &granted)).await.unwrap();

    store.commit(delete()).await.unwrap();
    assert_eq!(store.list_own_permissions(org).await.unwrap(), []);
    assert_eq!(refusal(&store.commit(grant(&granted, &plain)).await), Some(Refusal::PermissionGone));
    assert_eq!(refusal(&store.commit(delete()).await), Some(Refusal::InUse));
    running.stop().await;
}

async fn native_keys_have_a_limit(db: &TestDatabase) {
    let running = db.start().await;
    let settings = claviger_model::OrgSettings { native_keys_max: 2, ..Default::default() };
    let tenant = running.found_org(settings).await;
    let keys = [native_key(&running, &tenant, &[]), native_key(&running, &tenant, &[])];
    for key in &keys {
        running.create(key).await;
    }
    let third = native_key(&running, &tenant, &[]);
    let refused = running.store.commit(create(&third)).await;
    assert_eq!(refusal(&refused), Some(Refusal::LimitReached));
    running.revoke(&keys[0].0).await.unwrap();
    running.create(&third).await;
    running.stop().await;
}
