//! Opening: the schema is made once, and a later one is left alone.

use claviger_store::StoreError;

use crate::on_both_engines;
use crate::testbed::TestDatabase;

on_both_engines!(
    opening_again_changes_nothing,
    a_newer_schema_is_refused,
    a_founded_database_is_not_founded_again
);

async fn opening_again_changes_nothing(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    running.stop().await;
    let raw = db.raw().await;
    let before = (raw.texts("SELECT * FROM schema_versions").await, raw.dump().await);

    let running = db.start().await;
    assert_eq!(running.store.find_org(tenant.org.id).await.unwrap(), Some(tenant.org));
    running.stop().await;
    assert_eq!((raw.texts("SELECT * FROM schema_versions").await, raw.dump().await), before);
}

async fn a_newer_schema_is_refused(db: &TestDatabase) {
    drop(db.open().await.unwrap());
    let raw = db.raw().await;
    let known = raw.int("SELECT MAX(version) FROM schema_versions").await;
    raw.execute("INSERT INTO schema_versions (version, applied_at) VALUES (999, 0)").await;
    // PostgreSQL may take a moment to see that the first connection is gone.
    crate::testbed::until("the lock is free", async || !matches!(db.open().await, Err(StoreError::InUse)))
        .await;
    match db.open().await {
        Err(StoreError::Newer { found: 999, known: said }) => assert_eq!(said, known),
        Err(StoreError::InUse) => panic!("a refused database is let go of"),
        other => panic!("opened, or another error: {:?}", other.err()),
    }
}

async fn a_founded_database_is_not_founded_again(db: &TestDatabase) {
    let running = db.start().await;
    running.stop().await;
    let raw = db.raw().await;
    let before = raw.dump().await;
    let mut database = db.open().await.unwrap();
    let keys = database.list_vault_keys().await.unwrap();
    assert_eq!(keys.len(), 3);
    database.found(&keys).await.unwrap_err();
    assert_eq!(raw.dump().await, before);
}
