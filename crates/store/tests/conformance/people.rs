//! Users and roles: changes made from a stale reading, the last admin, what a removed role leaves, and what the record
//! says of all that.

use std::time::Duration;

use claviger_model::{PermissionSet, Role, RoleId, User, UserId, UserKind};
use claviger_store::{
    Actor, Change, Check, Page, Refusal, RoleFilter, RoleSort, Snapshot, SortBy, UserFilter, UserSort,
};

use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase, refusal, revoke};

on_both_engines!(
    a_user_changed_in_between_is_not_changed_again,
    a_credential_made_in_between_is_not_left_alive,
    disabling_kills_many_credentials_and_counts_them_out,
    an_org_keeps_an_admin,
    a_removed_role_is_nobodys_and_swept_up,
    the_record_tells_what_was_done_behind_its_back,
    older_rows_get_what_lists_sort_by,
    nobody_touches_people_of_another_org,
);

fn user(tenant: &Tenant, db: &TestDatabase, email: &str, roles: &[RoleId]) -> User {
    User {
        id: UserId::generate(&*db.random),
        org: tenant.org.id,
        kind: UserKind::Human,
        email: email.to_owned(),
        handle: email.to_owned(),
        name: None,
        title: None,
        verified: true,
        created_at: START,
        modified_at: START,
        disabled_at: None,
        roles: roles.to_vec(),
    }
}

fn role(tenant: &Tenant, db: &TestDatabase, name: &str) -> Role {
    Role {
        id: RoleId::generate(&*db.random),
        org: tenant.org.id,
        name: name.to_owned(),
        managed: None,
        permissions: PermissionSet::EMPTY,
        created_at: START,
        modified_at: START,
    }
}

fn disabled(user: &User) -> User {
    let at = START + Duration::from_secs(60);
    User { disabled_at: Some(at), modified_at: at, ..user.clone() }
}

async fn add(running: &Running, user: &User) {
    running.store.commit(Change::create_user(user, &Actor::SERVER)).await.unwrap();
}

async fn findings(running: &Running, db: &TestDatabase) -> Vec<String> {
    let snapshot = Snapshot::open(&db.location).await.unwrap();
    let check = Check { vault: &running.vault, checkpoints: &[], is_state_wanted: true };
    let report = snapshot.verify_ledger(&check).await.unwrap();
    report.findings.iter().map(ToString::to_string).collect()
}

async fn a_user_changed_in_between_is_not_changed_again(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let ben = user(&tenant, db, "ben@example.com", &[]);
    add(&running, &ben).await;
    let later = START + Duration::from_secs(1);
    let renamed = User { name: Some("Ben".to_owned()), modified_at: later, ..ben.clone() };
    let admin = tenant.admin.id;
    let change = || Change::update_user(&renamed, &ben, &[], admin, &Actor::SERVER);
    running.store.commit(change()).await.unwrap();
    let before = db.raw().await.dump().await;
    assert_eq!(refusal(&running.store.commit(change()).await), Some(Refusal::Stale));
    let with_role = User { roles: vec![tenant.roles[1].id], modified_at: later, ..ben.clone() };
    let grant = Change::grant_role(&with_role, &ben, tenant.roles[1].id, &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(grant).await), Some(Refusal::Stale));
    let taken = user(&tenant, db, "ben@example.com", &[]);
    let create = Change::create_user(&taken, &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(create).await), Some(Refusal::NameTaken));
    assert_eq!(db.raw().await.dump().await, before);
    running.stop().await;
}

async fn a_credential_made_in_between_is_not_left_alive(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let ben = user(&tenant, db, "ben@example.com", &[]);
    add(&running, &ben).await;
    let read = running.store.list_credentials_of(tenant.org.id, ben.id).await.unwrap();
    let made = running.create(&running.draft_app_key(tenant.org.id, ben.id, "in between")).await;
    let gone = disabled(&ben);
    let change = Change::update_user(&gone, &ben, &read, tenant.admin.id, &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::Stale));
    // Nor is one that died in between killed again.
    let read = running.store.list_credentials_of(tenant.org.id, ben.id).await.unwrap();
    running.revoke(&made).await.unwrap();
    let change = Change::update_user(&gone, &ben, &read, tenant.admin.id, &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::Stale));
    let change = Change::update_user(&gone, &ben, &[], tenant.admin.id, &Actor::SERVER);
    running.store.commit(change).await.unwrap();
    let late = running.draft_app_key(tenant.org.id, ben.id, "too late");
    let late = running.store.commit(crate::testbed::create(&late)).await;
    assert_eq!(refusal(&late), Some(Refusal::OwnerDisabled));
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn disabling_kills_many_credentials_and_counts_them_out(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let ben = user(&tenant, db, "ben@example.com", &[tenant.roles[0].id]);
    add(&running, &ben).await;
    for n in 0..30 {
        running.create(&running.draft_app_key(tenant.org.id, ben.id, &format!("key {n}"))).await;
    }
    let api_key = running.create(&running.draft_api_key(tenant.org.id, ben.id, "of the org")).await;
    let killed = running.store.list_credentials_of(tenant.org.id, ben.id).await.unwrap();
    assert_eq!(killed.len(), 30);
    let before = running.store.head().await.unwrap();
    let change = Change::update_user(&disabled(&ben), &ben, &killed, tenant.admin.id, &tenant.actor());
    let position = running.store.commit(change).await.unwrap();
    assert_eq!(position.sequence, before.sequence + 1, "one entry");
    assert_eq!(running.store.list_credentials_of(tenant.org.id, ben.id).await.unwrap(), []);
    let kind = claviger_model::CredentialKind::ApplicationKey;
    let live = |owner| running.store.count_live_credentials(tenant.org.id, kind, owner);
    assert_eq!(live(Some(ben.id)).await.unwrap(), 0);
    assert_eq!(live(None).await.unwrap(), 1, "the admin's");
    let raw = db.raw().await;
    assert_eq!(
        raw.int("SELECT COUNT(*) FROM secrets WHERE dead_at IS NOT NULL AND sealed IS NULL").await,
        30
    );
    let kept = running.store.find_credential(tenant.org.id, api_key.id).await.unwrap().unwrap();
    assert!(kept.state.is_live());
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn an_org_keeps_an_admin(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (ada, admin_role) = (&tenant.admin, tenant.roles[0].id);
    let killed = running.store.list_credentials_of(tenant.org.id, ada.id).await.unwrap();
    let disable = || Change::update_user(&disabled(ada), ada, &killed, ada.id, &Actor::SERVER);
    let later = START + Duration::from_secs(1);
    let without = User { roles: Vec::new(), modified_at: later, ..ada.clone() };
    let withdraw = || Change::withdraw_role(&without, ada, admin_role, None, &Actor::SERVER);
    for change in [disable(), withdraw()] {
        assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::LastOne));
    }
    let ben = user(&tenant, db, "ben@example.com", &[admin_role]);
    add(&running, &ben).await;
    running.store.commit(withdraw()).await.unwrap();
    // Of two who go at the same time, one stays.
    let gone = Change::update_user(&disabled(&ben), &ben, &[], ada.id, &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(gone).await), Some(Refusal::LastOne));
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn a_removed_role_is_nobodys_and_swept_up(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (kept, gone) = (role(&tenant, db, "Kept"), role(&tenant, db, "Gone"));
    for role in [&kept, &gone] {
        running.store.commit(Change::create_role(role, tenant.admin.id, &Actor::SERVER)).await.unwrap();
    }
    // More than one sweep takes.
    for n in 0..1100 {
        add(&running, &user(&tenant, db, &format!("{n}@example.com"), &[kept.id, gone.id])).await;
    }
    let remove =
        || Change::remove_role(&gone, START + Duration::from_secs(1), tenant.admin.id, &Actor::SERVER);
    running.store.commit(remove()).await.unwrap();
    assert_eq!(refusal(&running.store.commit(remove()).await), Some(Refusal::Stale));
    let raw = db.raw().await;
    let held = format!("SELECT COUNT(*) FROM user_roles WHERE role_id = '{}'", gone.id);
    assert_eq!(raw.int(&held).await, 1100, "not one row was touched");
    assert_eq!(running.store.find_role(tenant.org.id, gone.id).await.unwrap(), None);
    assert_eq!(running.store.list_all_roles().await.unwrap().len(), 4);
    let users = running.store.list_all_users().await.unwrap();
    assert!(users.iter().all(|user| !user.roles.contains(&gone.id)));
    let everybody = UserFilter { org: tenant.org.id, text: None, statuses: Vec::new(), role: Some(kept.id) };
    let by_name = SortBy { key: UserSort::Name, descending: false };
    let page = running.store.list_users(&everybody, by_name, Page { offset: 0, limit: 100 }).await.unwrap();
    assert_eq!((page.items.len(), page.total_filtered, page.total), (100, 1100, 1101));
    assert!(page.items.iter().all(|user| user.roles == [kept.id]));
    let roles = RoleFilter { org: tenant.org.id, text: None, ids: Vec::new() };
    let by_count = SortBy { key: RoleSort::UserCount, descending: true };
    let page = running.store.list_roles(&roles, by_count, Page::ALL).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].user_count), (4, 1100));
    // The record says nothing of each user, and is right before the sweep and after it.
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    let head = running.store.head().await.unwrap();
    let mut sweeps = 0;
    while running.store.sweep_removed_roles().await.unwrap() {
        sweeps += 1;
    }
    assert_eq!((sweeps, raw.int(&held).await), (2, 0));
    assert_eq!(running.store.head().await.unwrap(), head, "sweeping is no part of the record");
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    // The name is free.
    let again = role(&tenant, db, "Gone");
    running.store.commit(Change::create_role(&again, tenant.admin.id, &Actor::SERVER)).await.unwrap();
    running.stop().await;
}

async fn the_record_tells_what_was_done_behind_its_back(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (held, gone) = (role(&tenant, db, "Held"), role(&tenant, db, "Gone"));
    for role in [&held, &gone] {
        running.store.commit(Change::create_role(role, tenant.admin.id, &Actor::SERVER)).await.unwrap();
    }
    let ben = user(&tenant, db, "ben@example.com", &[held.id, gone.id]);
    add(&running, &ben).await;
    let remove = Change::remove_role(&gone, START + Duration::from_secs(1), tenant.admin.id, &Actor::SERVER);
    running.store.commit(remove).await.unwrap();
    let raw = db.raw().await;
    let (org, user_id) = (tenant.org.id, ben.id);
    let admin = tenant.roles[0].id;
    for (done, undone, about) in [
        (
            format!("UPDATE roles SET removed_at = NULL WHERE id = '{}'", gone.id),
            format!("UPDATE roles SET removed_at = 1 WHERE id = '{}'", gone.id),
            format!("role:{}", gone.id),
        ),
        (
            format!("UPDATE roles SET removed_at = 1 WHERE id = '{}'", held.id),
            format!("UPDATE roles SET removed_at = NULL WHERE id = '{}'", held.id),
            format!("role:{}", held.id),
        ),
        (
            format!("DELETE FROM user_roles WHERE user_id = '{user_id}' AND role_id = '{}'", held.id),
            format!(
                "INSERT INTO user_roles (org_id, user_id, role_id) VALUES ('{org}', '{user_id}', '{}')",
                held.id
            ),
            format!("user:{user_id}"),
        ),
        (
            format!(
                "INSERT INTO user_roles (org_id, user_id, role_id) VALUES ('{org}', '{user_id}', '{admin}')"
            ),
            format!("DELETE FROM user_roles WHERE user_id = '{user_id}' AND role_id = '{admin}'"),
            format!("user:{user_id}"),
        ),
        (
            format!("UPDATE users SET disabled_at = 1 WHERE id = '{user_id}'"),
            format!("UPDATE users SET disabled_at = NULL WHERE id = '{user_id}'"),
            format!("user:{user_id}"),
        ),
    ] {
        raw.execute(&done).await;
        let found = findings(&running, db).await;
        assert!(found.len() == 1 && found[0].contains(&about), "{done}: {found:?}");
        raw.execute(&undone).await;
        assert_eq!(findings(&running, db).await, Vec::<String>::new(), "{undone}");
    }
    running.stop().await;
}

async fn older_rows_get_what_lists_sort_by(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    running.stop().await;
    let raw = db.raw().await;
    let before = raw.dump().await;
    raw.execute(
        "UPDATE users SET name_sort = NULL, search = NULL; UPDATE roles SET name_sort = NULL, search = NULL",
    )
    .await;
    let running = db.start().await;
    assert_eq!(raw.dump().await, before);
    let filter = RoleFilter { org: tenant.org.id, text: Some("STANDARD".to_owned()), ids: Vec::new() };
    let by_name = SortBy { key: RoleSort::Name, descending: false };
    let page = running.store.list_roles(&filter, by_name, Page::ALL).await.unwrap();
    assert_eq!((page.items.len(), page.total_filtered, page.total), (1, 1, 3));
    running.stop().await;
}

async fn nobody_touches_people_of_another_org(db: &TestDatabase) {
    let (running, ours) = db.start_with_org().await;
    let theirs = running.found_org(claviger_model::OrgSettings::default()).await;
    let their_role = role(&theirs, db, "Theirs");
    running.store.commit(Change::create_role(&their_role, theirs.admin.id, &Actor::SERVER)).await.unwrap();
    let before = db.raw().await.dump().await;
    let email = "theirs@example.com".to_owned();
    let claimed_user = User { org: ours.org.id, email, ..theirs.admin.clone() };
    let claimed_role = Role { org: ours.org.id, ..their_role.clone() };
    let (by, actor, at) = (ours.admin.id, ours.actor(), START + Duration::from_secs(1));
    let renamed = User { name: Some("Mine".to_owned()), modified_at: at, ..claimed_user.clone() };
    let ours_with_theirs = User { roles: vec![their_role.id], modified_at: at, ..ours.admin.clone() };
    let stranger = user(&ours, db, "x@example.com", &[their_role.id]);
    for (change, expected) in [
        (Change::update_user(&renamed, &claimed_user, &[], by, &actor), Refusal::Stale),
        (Change::update_user(&disabled(&claimed_user), &claimed_user, &[], by, &actor), Refusal::Stale),
        (Change::update_role(&claimed_role, &claimed_role, by, &actor), Refusal::Stale),
        (Change::remove_role(&claimed_role, at, by, &actor), Refusal::Stale),
        (Change::grant_role(&ours_with_theirs, &ours.admin, their_role.id, &actor), Refusal::Absent),
        (Change::create_user(&stranger, &actor), Refusal::Absent),
        (revoke_as(&ours, &theirs), Refusal::Stale),
    ] {
        assert_eq!(refusal(&running.store.commit(change).await), Some(expected));
    }
    let (org, id) = (ours.org.id, their_role.id);
    assert_eq!(running.store.find_listed_role(org, id).await.unwrap(), None);
    assert_eq!(running.store.list_credentials_of(org, theirs.admin.id).await.unwrap(), []);
    assert_eq!(db.raw().await.dump().await, before);
    running.stop().await;
}

/// Our org, claiming one of their keys.
fn revoke_as(ours: &Tenant, theirs: &Tenant) -> Change {
    revoke(&claviger_model::Credential { org: ours.org.id, ..theirs.app_key.0.clone() })
}
