//! Closing: what was asked for is finished, the database is let go of, and nobody waits for ever.

use std::time::Duration;

use tokio::time::timeout;

use crate::on_both_engines;
use crate::testbed::{TestDatabase, create, is_failed};

on_both_engines!(
    a_closed_store_has_let_go,
    closing_with_other_handles_does_nothing,
    one_of_two_that_close_waits,
    a_store_without_a_follower_writes_no_more,
    closing_with_a_follower_that_stopped,
);

const SOON: Duration = Duration::from_secs(20);

async fn a_closed_store_has_let_go(db: &TestDatabase) {
    let (running, _) = db.start_with_org().await;
    running.stop().await;
    // At once, and again and again: whoever restarts a server does not wait either.
    for _ in 0..10 {
        let running = db.start().await;
        running.stop().await;
    }
    if db.is_sqlite() {
        let mut wal = db.path().into_os_string();
        wal.push("-wal");
        assert!(!std::path::Path::new(&wal).exists(), "the last connection removes the log");
    }
}

async fn closing_with_other_handles_does_nothing(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    timeout(SOON, running.store.clone().close()).await.unwrap();
    running.create(&running.draft_api_key(tenant.org.id, tenant.admin.id, "still open")).await;
    running.stop().await;
}

async fn one_of_two_that_close_waits(db: &TestDatabase) {
    for _ in 0..10 {
        let (store, feed, _) = db.start_unfollowed().await;
        let (one, other) = (tokio::spawn(store.clone().close()), tokio::spawn(store.close()));
        timeout(SOON, async { (one.await.unwrap(), other.await.unwrap()) }).await.unwrap();
        drop(feed);
        // The next round finds the database free.
    }
}

async fn a_store_without_a_follower_writes_no_more(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made: Vec<_> =
        (0..5).map(|_| running.draft_api_key(tenant.org.id, tenant.admin.id, "unfollowed")).collect();
    running.stop().await;
    let (store, feed, _) = db.start_unfollowed().await;
    drop(feed);
    // The first may be committed, as nobody could know; what follows may not.
    for made in &made {
        assert!(is_failed(&timeout(SOON, store.commit(create(made))).await.unwrap()));
    }
    assert!(store.head().await.unwrap().sequence <= 2);
    timeout(SOON, store.close()).await.unwrap();
}

async fn closing_with_a_follower_that_stopped(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made: Vec<_> =
        (0..12).map(|_| running.draft_app_key(tenant.org.id, tenant.admin.id, "stuck")).collect();
    running.stop().await;
    let (store, feed, _) = db.start_unfollowed().await;
    let asker = |made| {
        let store = store.clone();
        async move { store.commit(create(made)).await }
    };
    // More batches than may wait: the writer is stuck until the follower is gone.
    let mut askers = std::pin::pin!(futures_util::future::join_all(made.iter().map(asker)));
    let _ = timeout(Duration::from_millis(50), &mut askers).await;
    drop(feed);
    let answers = timeout(SOON, askers).await.unwrap();
    assert!(answers.iter().all(is_failed));
    timeout(SOON, store.close()).await.unwrap();
}
