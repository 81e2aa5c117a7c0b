//! Registrations: made once, of whatever id, bounded, each org's own, and gone with their key.

use std::time::Duration;

use claviger_model::{CredentialId, OrgId, OrgSettings, Timestamp, User, UserId};
use claviger_store::{Actor, Change, Page, REGISTRATIONS_PER_ORG_MAX, Refusal};

use crate::on_both_engines;
use crate::testbed::{Running, START, TestDatabase, refusal};

on_both_engines!(
    a_registration_is_made_once_and_taken_away_once,
    several_orgs_register_the_same_id,
    a_dead_key_is_not_registered_as_a_live_one,
    whatever_kills_a_key_takes_its_registration_away,
    an_org_has_so_many_and_no_more,
    a_page_begins_with_the_oldest,
    a_key_that_is_unregistered_meanwhile_changes_nothing,
);

async fn ids(running: &Running, org: OrgId) -> Vec<CredentialId> {
    let (ids, total) = running.store.list_registrations(org, Page::ALL).await.unwrap();
    assert_eq!(total, ids.len() as i64);
    ids
}

async fn register(running: &Running, org: OrgId, id: CredentialId) -> Option<Refusal> {
    refusal(&running.store.commit(Change::register(org, id, None, START, &Actor::SERVER)).await)
}

async fn a_registration_is_made_once_and_taken_away_once(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let org = tenant.org.id;
    let key = running.create(&running.draft_app_key(org, tenant.admin.id, "registered")).await;
    assert!(!running.store.is_registered(org, key.id).await.unwrap());
    let change = || Change::register(org, key.id, Some(&key), START, &Actor::SERVER);
    running.store.commit(change()).await.unwrap();
    assert!(running.store.is_registered(org, key.id).await.unwrap());
    let before = db.raw().await.dump().await;
    assert_eq!(refusal(&running.store.commit(change()).await), Some(Refusal::Stale));
    assert_eq!(db.raw().await.dump().await, before);

    let change = || Change::unregister(org, key.id, &Actor::SERVER);
    running.store.commit(change()).await.unwrap();
    assert!(!running.store.is_registered(org, key.id).await.unwrap());
    assert_eq!(refusal(&running.store.commit(change()).await), Some(Refusal::Absent));
    assert_eq!(ids(&running, org).await, [tenant.app_key.0.id]);
    running.stop().await;
}

async fn a_key_that_is_unregistered_meanwhile_changes_nothing(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, key) = (tenant.org.id, tenant.app_key.0.id);
    let actor = Actor { registered: Some(key), ..tenant.actor() };
    let change = || Change::register(org, CredentialId::generate(&*db.random), None, START, &actor);
    assert!(running.store.may_still_act(org, &actor).await.unwrap());
    running.store.commit(change()).await.unwrap();
    running.store.commit(Change::unregister(org, key, &Actor::SERVER)).await.unwrap();
    assert!(!running.store.may_still_act(org, &actor).await.unwrap());
    assert_eq!(refusal(&running.store.commit(change()).await), Some(Refusal::ActorGone));
    // For what takes no registration, the key is as good as before.
    assert!(running.store.may_still_act(org, &tenant.actor()).await.unwrap());
    running.stop().await;
}

async fn several_orgs_register_the_same_id(db: &TestDatabase) {
    let (running, ours) = db.start_with_org().await;
    let theirs = running.found_org(OrgSettings::default()).await;
    let (ours, theirs) = (ours.org.id, theirs.org.id);
    let id = CredentialId::generate(&*db.random);
    assert_eq!(register(&running, ours, id).await, None);
    assert_eq!(register(&running, theirs, id).await, None);
    running.store.commit(Change::unregister(ours, id, &Actor::SERVER)).await.unwrap();
    assert!(!ids(&running, ours).await.contains(&id));
    assert!(ids(&running, theirs).await.contains(&id));
    running.stop().await;
}

async fn a_dead_key_is_not_registered_as_a_live_one(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let org = tenant.org.id;
    let key = running.create(&running.draft_app_key(org, tenant.admin.id, "dead")).await;
    running.revoke(&key).await.unwrap();
    let change = Change::register(org, key.id, Some(&key), START, &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::Stale));
    assert_eq!(ids(&running, org).await, [tenant.app_key.0.id]);
    running.stop().await;
}

async fn whatever_kills_a_key_takes_its_registration_away(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, admin) = (tenant.org.id, &tenant.admin);
    let at: Timestamp = START + Duration::from_secs(1);
    let revoked = running.create(&running.draft_app_key(org, admin.id, "revoked")).await;
    assert_eq!(register(&running, org, revoked.id).await, None);
    running.revoke(&revoked).await.unwrap();
    assert_eq!(ids(&running, org).await, [tenant.app_key.0.id]);

    // With the owner: everything of theirs that is alive.
    let owner = User {
        id: UserId::generate(&*db.random),
        email: "owner@example.com".to_owned(),
        roles: Vec::new(),
        ..admin.clone()
    };
    running.store.commit(Change::create_user(&owner, &Actor::SERVER)).await.unwrap();
    let key = running.create(&running.draft_app_key(org, owner.id, "disabled")).await;
    assert_eq!(register(&running, org, key.id).await, None);
    let disabled = User { disabled_at: Some(at), modified_at: at, ..owner.clone() };
    let change = Change::update_user(&disabled, &owner, &[key], admin.id, &Actor::SERVER);
    running.store.commit(change).await.unwrap();
    assert_eq!(ids(&running, org).await, [tenant.app_key.0.id]);
    running.stop().await;
}

async fn an_org_has_so_many_and_no_more(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, raw) = (tenant.org.id, db.raw().await);
    let there = ids(&running, org).await.len() as u32;
    let rows: Vec<_> = (there..REGISTRATIONS_PER_ORG_MAX)
        .map(|_| format!("('{org}', '{}', 0)", CredentialId::generate(&*db.random)))
        .collect();
    raw.execute(&format!("INSERT INTO app_key_registrations VALUES {}", rows.join(", "))).await;
    let id = CredentialId::generate(&*db.random);
    assert_eq!(register(&running, org, id).await, Some(Refusal::LimitReached));
    // Another org's are no matter.
    let other = running.found_org(OrgSettings::default()).await;
    assert_eq!(register(&running, other.org.id, id).await, None);
    running.store.commit(Change::unregister(org, tenant.app_key.0.id, &Actor::SERVER)).await.unwrap();
    assert_eq!(register(&running, org, id).await, None);
    running.stop().await;
}

async fn a_page_begins_with_the_oldest(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let org = tenant.org.id;
    let mut expected = vec![tenant.app_key.0.id];
    for seconds in 1..=4 {
        let (id, at) = (CredentialId::generate(&*db.random), START + Duration::from_secs(seconds));
        running.store.commit(Change::register(org, id, None, at, &Actor::SERVER)).await.unwrap();
        expected.push(id);
    }
    for offset in 0..=5 {
        let page = Page { offset, limit: 2 };
        let (ids, total) = running.store.list_registrations(org, page).await.unwrap();
        let offset = offset as usize;
        assert_eq!((ids.as_slice(), total), (&expected[offset..(offset + 2).min(5).max(offset)], 5));
    }
    running.stop().await;
}
