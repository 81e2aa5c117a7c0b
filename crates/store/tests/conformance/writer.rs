//! The writer and its feed: what waits is committed together, and nobody hears of it before the follower has.

use claviger_store::{Actor, Change, Refusal};
use tokio::task::JoinHandle;

use crate::on_both_engines;
use crate::testbed::{TestDatabase, create, is_failed, refusal, revoke, until};

on_both_engines!(
    what_waits_shares_a_commit,
    nobody_is_answered_before_acknowledgement,
    a_refusal_waits_for_acknowledgement_too,
    a_dropped_batch_fails_its_askers,
    a_batch_holds_its_entries,
    reads_go_on_beside_a_waiting_writer,
    unrecorded_changes_take_no_place,
);

async fn what_waits_shares_a_commit(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let commits = running.metric("claviger_store_commits_total");
    let changes = running.metric("claviger_store_changes_total");
    let made: Vec<_> =
        (0..100).map(|_| running.draft_app_key(tenant.org.id, tenant.admin.id, "together")).collect();
    let answers = running.commit_together(db, made.iter().map(create).collect()).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(running.metric("claviger_store_changes_total") - changes, 100);
    assert!(running.metric("claviger_store_commits_total") - commits <= 3);
    assert_eq!(running.metric("claviger_store_failures_total"), 0);
    running.stop().await;
}

/// Lets tasks run that could.
async fn yield_often() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn commit(
    store: &claviger_store::Store,
    change: Change,
) -> JoinHandle<Result<claviger_model::Position, claviger_store::CommitError>> {
    let store = store.clone();
    tokio::spawn(async move { store.commit(change).await })
}

async fn nobody_is_answered_before_acknowledgement(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made = running.draft_api_key(tenant.org.id, tenant.admin.id, "slow");
    running.stop().await;
    let (store, mut feed, _) = db.start_unfollowed().await;
    let asker = commit(&store, create(&made));
    let batch = feed.next().await.unwrap();
    // Committed for all to see, and yet:
    assert!(store.find_credential(tenant.org.id, made.0.id).await.unwrap().is_some());
    yield_often().await;
    assert!(!asker.is_finished());
    let position = batch.entries()[0].position;
    batch.acknowledge();
    assert_eq!(asker.await.unwrap().unwrap(), position);
}

async fn a_refusal_waits_for_acknowledgement_too(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    running.stop().await;
    let (store, mut feed, _) = db.start_unfollowed().await;
    let asker = commit(&store, revoke(&tenant.api_key.0));
    let batch = feed.next().await.unwrap();
    assert!(batch.entries().is_empty());
    yield_often().await;
    assert!(!asker.is_finished());
    batch.acknowledge();
    assert_eq!(refusal(&asker.await.unwrap()), Some(Refusal::LastOne));
}

async fn a_dropped_batch_fails_its_askers(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made = running.draft_api_key(tenant.org.id, tenant.admin.id, "dropped");
    running.stop().await;
    let (store, mut feed, _) = db.start_unfollowed().await;
    let asker = commit(&store, create(&made));
    drop(feed.next().await.unwrap());
    assert!(is_failed(&asker.await.unwrap()));
    // The next one is served.
    let asker = commit(&store, revoke(&made.0));
    feed.next().await.unwrap().acknowledge();
    asker.await.unwrap().unwrap();
}

async fn a_batch_holds_its_entries(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made: Vec<_> =
        (0..20).map(|_| running.draft_app_key(tenant.org.id, tenant.admin.id, "together")).collect();
    let answers = running.commit_together(db, made.iter().map(create).collect()).await;
    let followed = running.followed();
    for (answer, made) in answers.iter().zip(&made) {
        let position = *answer.as_ref().unwrap();
        let entry = followed.iter().find(|entry| entry.position == position).unwrap();
        assert_eq!(entry.subject.id, made.0.id.to_string(), "each answer names its own entry");
    }
    running.stop().await;
}

async fn reads_go_on_beside_a_waiting_writer(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let raw = db.raw().await;
    raw.hold().await;
    let asker =
        commit(&running.store, create(&running.draft_api_key(tenant.org.id, tenant.admin.id, "waits")));
    assert!(running.store.find_org(tenant.org.id).await.unwrap().is_some());
    assert_eq!(running.store.head().await.unwrap().sequence, 1);
    assert!(!asker.is_finished());
    raw.release().await;
    asker.await.unwrap().unwrap();
    running.stop().await;
}

async fn unrecorded_changes_take_no_place(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let used = [(tenant.api_key.0.id, crate::testbed::START)];
    let (first, last_used, second) = tokio::join!(
        running.store.commit(Change::show_secrets(tenant.org.id, &[], &Actor::SERVER)),
        running.store.record_last_used(&used),
        running.store.commit(Change::show_secrets(tenant.org.id, &[], &Actor::SERVER)),
    );
    last_used.unwrap();
    let mut sequences = [first.unwrap().sequence, second.unwrap().sequence];
    sequences.sort_unstable();
    assert_eq!(sequences, [2, 3]);
    until("the follower has both", async || running.followed().len() == 3).await;
    running.stop().await;
}
