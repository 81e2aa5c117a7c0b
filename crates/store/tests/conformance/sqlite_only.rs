//! What only a file can show: what is left in it, and what happens when it is held or undoes by itself.

use std::path::Path;

use crate::raw::Raw;
use crate::testbed::{TestDatabase, create, is_failed, run_on_sqlite};

fn holds(path: &Path, pattern: &[u8]) -> bool {
    let file = std::fs::read(path).unwrap();
    file.windows(pattern.len()).any(|window| window == pattern)
}

async fn checkpoint(raw: &Raw) {
    assert_eq!(
        raw.text("PRAGMA wal_checkpoint(TRUNCATE)").await.as_deref(),
        Some("0"),
        "nobody was in the way"
    );
}

#[tokio::test]
async fn a_revoked_sealed_value_is_gone_from_the_file() {
    run_on_sqlite(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let mut made = running.draft_api_key(tenant.org.id, tenant.admin.id, "secret");
        // One that fits beside its row, and one that spills onto pages of its own.
        let patterns = [b"claviger-seal-short".as_slice(), b"claviger-seal-long!".as_slice()];
        made.1.sealed = Some(patterns[0].to_vec());
        let mut long = running.draft_app_key(tenant.org.id, tenant.admin.id, "secret");
        long.1.sealed = Some(patterns[1].repeat(2000));
        let credentials = [running.create(&made).await, running.create(&long).await];
        let raw = db.raw().await;
        checkpoint(&raw).await;
        assert!(
            patterns.iter().all(|pattern| holds(&db.path(), pattern)),
            "the patterns are looked for rightly"
        );
        for credential in &credentials {
            running.revoke(credential).await.unwrap();
        }
        checkpoint(&raw).await;
        for pattern in patterns {
            assert!(!holds(&db.path(), pattern));
        }
        drop(raw);
        running.stop().await;
        assert!(!patterns.iter().any(|pattern| holds(&db.path(), pattern)));
    })
    .await;
}

#[tokio::test]
async fn the_file_is_as_durable_as_promised() {
    run_on_sqlite(async |db: &TestDatabase| {
        let running = db.start().await;
        let raw = db.raw().await;
        assert_eq!(raw.text("PRAGMA journal_mode").await.as_deref(), Some("wal"));
        running.stop().await;
    })
    .await;
}

/// SQLite may undo a whole transaction by itself, as when the disk is full.
#[tokio::test]
async fn a_transaction_that_sqlite_undid_leaves_nothing() {
    run_on_sqlite(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let raw = db.raw().await;
        let before = raw.dump().await;
        let made: Vec<_> =
            (0..8).map(|_| running.draft_app_key(tenant.org.id, tenant.admin.id, "unlucky")).collect();
        for table in ["ledger", "secrets"] {
            raw.execute(&format!(
                "CREATE TRIGGER undo AFTER INSERT ON {table} BEGIN SELECT RAISE(ROLLBACK, 'no'); END"
            ))
            .await;
            let answers = running.commit_together(db, made.iter().map(create).collect()).await;
            assert!(answers.iter().all(is_failed), "{table}: {answers:?}");
            raw.execute("DROP TRIGGER undo").await;
            assert_eq!(raw.dump().await, before, "{table}");
        }
        running.create(&made[0]).await;
        running.stop().await;
    })
    .await;
}

/// Longer than the writer waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_holds_fails_the_change() {
    run_on_sqlite(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let made = running.draft_api_key(tenant.org.id, tenant.admin.id, "waits");
        let raw = db.raw().await;
        raw.hold().await;
        assert!(is_failed(&running.store.commit(create(&made)).await));
        raw.release().await;
        running.create(&made).await;
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_unavailable() {
    run_on_sqlite(async |db: &TestDatabase| {
        let location = claviger_store::Location::Sqlite(db.path().join("missing/claviger.db"));
        let opened = claviger_store::Database::open(&location, &*db.clock).await;
        assert!(matches!(opened, Err(claviger_store::StoreError::Unavailable(_))));
    })
    .await;
}
