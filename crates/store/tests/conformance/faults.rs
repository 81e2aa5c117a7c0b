//! A database that refuses: the batch fails whole, leaves nothing, and the writer works on.

use claviger_store::{Actor, Change};

use crate::on_both_engines;
use crate::testbed::{TestDatabase, create, is_failed, rename};

on_both_engines!(a_failed_batch_leaves_nothing, what_another_wrote_is_followed_first);

async fn a_failed_batch_leaves_nothing(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let raw = db.raw().await;
    let made: Vec<_> =
        (0..8).map(|_| running.draft_app_key(tenant.org.id, tenant.admin.id, "unlucky")).collect();
    let before = raw.dump().await;
    // The first statements go through, the entry does not.
    raw.execute("ALTER TABLE ledger RENAME TO ledger_away").await;
    let answers = running.commit_together(db, made.iter().map(create).collect()).await;
    assert!(answers.iter().all(is_failed));
    raw.execute("ALTER TABLE ledger_away RENAME TO ledger").await;
    assert_eq!(raw.dump().await, before);
    assert_eq!(running.followed().len(), 1);
    assert!(running.metric("claviger_store_failures_total") >= 1);

    for made in &made {
        running.create(made).await;
    }
    assert!(running.store.is_available());
    assert_eq!(running.followed(), running.store.list_entries(0, 100).await.unwrap());
    running.stop().await;
}

/// An entry whose commit seemed to fail, or that came past the writer's lock, reaches the follower before what
/// comes after it.
async fn what_another_wrote_is_followed_first(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    running.store.commit(rename(&tenant.api_key.0, "ours")).await.unwrap();
    let raw = db.raw().await;
    raw.execute(
        "INSERT INTO ledger SELECT 3, epoch, '00000000-0000-4000-8000-000000000000', at, org_id, action,
             subject_kind, subject_id, actor, change, mac_key, mac FROM ledger WHERE sequence = 2;
         UPDATE ledger_head SET sequence = 3",
    )
    .await;
    let position =
        running.store.commit(Change::show_secrets(tenant.org.id, &[], &Actor::SERVER)).await.unwrap();
    assert_eq!(position.sequence, 4);
    assert_eq!(running.followed(), running.store.list_entries(0, 100).await.unwrap());
    running.stop().await;
}
