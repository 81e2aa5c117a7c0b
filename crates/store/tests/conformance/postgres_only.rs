//! What only a server can do: be used by another, break off, lose what it had.

use std::time::Duration;

use claviger_model::Position;
use claviger_store::{Actor, Change, Location, StoreError};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::raw::Raw;
use crate::testbed::{Running, Tenant, TestDatabase, create, is_failed, run_on_postgres, until};

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The backend that holds the writer's lock.
const WRITER: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

async fn terminate_writer(raw: &Raw) {
    raw.execute(&format!("SELECT pg_terminate_backend(pid) FROM ({WRITER}) writer")).await;
}

/// Breaks the writer's connection and takes the lock, so that the store stays away for as long as a test looks.
async fn take_lock(db: &TestDatabase, raw: &Raw) -> Raw {
    let other = Raw::postgres(db.address()).await;
    until("another has the lock", async || {
        terminate_writer(raw).await;
        let lock = format!("SELECT pg_try_advisory_lock({})", i64::from_be_bytes(*b"claviger"));
        other.text(&lock).await.as_deref() == Some("t")
    })
    .await;
    other
}

/// Waits until the store has tried twice more to come back.
async fn attempts(raw: &Raw) {
    let sessions = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()";
    let before = raw.int(sessions).await;
    until("two more attempts", async || raw.int(sessions).await >= before + 2).await;
}

pub(crate) fn show(tenant: &Tenant) -> Change {
    Change::show_secrets(tenant.org.id, &[], &Actor::SERVER)
}

pub(crate) async fn is_back(running: &Running) {
    until("the store is available", async || running.store.is_available()).await;
}

#[tokio::test]
async fn a_second_writer_is_refused() {
    run_on_postgres(async |db: &TestDatabase| {
        let running = db.start().await;
        assert!(matches!(db.open().await, Err(StoreError::InUse)));
        assert!(running.store.is_available());
        running.stop().await;
        db.start().await.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_refused() {
    run_on_postgres(async |db: &TestDatabase| {
        let raw = db.raw().await;
        let name = raw.text("SELECT current_database()").await.unwrap();
        raw.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        assert!(matches!(db.open().await, Err(StoreError::Unavailable(_))));
    })
    .await;
}

/// As after a failover the former primary, now a standby: another server may be at work on the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_more_writes_is_not_trusted() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let raw = db.raw().await;
        let name = raw.text("SELECT current_database()").await.unwrap();
        raw.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        terminate_writer(&raw).await;
        until("the store is away", async || !running.store.is_available()).await;
        attempts(&raw).await;
        assert!(is_failed(&running.store.commit(show(&tenant)).await));
        assert!(!running.store.is_available());
        raw.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = off")).await;
        is_back(&running).await;
        running.store.commit(show(&tenant)).await.unwrap();
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    run_on_postgres(async |db: &TestDatabase| {
        let open = async |address: &str| {
            claviger_store::Database::open(&Location::Postgres(address.to_owned()), &*db.clock).await
        };
        assert!(matches!(open("postgres://localhost:notaport/x").await, Err(StoreError::Address(_))));
        assert!(matches!(open("postgres://127.0.0.1:1/x").await, Err(StoreError::Unavailable(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_connection_is_made_anew() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let raw = db.raw().await;
        let other = take_lock(db, &raw).await;
        until("the store is away", async || !running.store.is_available()).await;
        assert!(
            is_failed(&timeout(SOON, running.store.commit(show(&tenant))).await.unwrap()),
            "said at once"
        );

        // What that other one commits meanwhile is handed on before the store is back.
        raw.execute(
            "INSERT INTO ledger SELECT place, epoch, gen_random_uuid(), at, org_id, action, subject_kind, subject_id,
                 actor, change, mac_key, mac FROM ledger, generate_series(2, 2500) place WHERE sequence = 1;
             UPDATE ledger_head SET sequence = 2500",
        )
        .await;
        drop(other);
        is_back(&running).await;
        assert_eq!(running.followed().len(), 2500);
        assert_eq!(running.store.commit(show(&tenant)).await.unwrap().sequence, 2501);
        assert!(running.followed() == running.store.list_entries(0, 10_000).await.unwrap());
        running.stop().await;
    })
    .await;
}

/// The end of one loss, told after the next has begun, is not the end of that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_acknowledgement_does_not_end_the_next_loss() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        running.stop().await;
        let (store, mut feed, vault) = db.start_unfollowed().await;
        let raw = db.raw().await;
        terminate_writer(&raw).await;
        // Nobody asked for anything, so that it is the recovery's; it has entries if the writer had read none yet.
        let first = feed.next().await.unwrap();
        assert!(!store.is_available());

        let other = take_lock(db, &raw).await;
        // It knows by now.
        assert!(is_failed(&timeout(SOON, store.commit(show(&tenant))).await.unwrap()));
        first.acknowledge();
        assert!(!store.is_available());
        drop(other);
        let running = Running::follow((store, feed, vault), db);
        is_back(&running).await;
        running.store.commit(show(&tenant)).await.unwrap();
        running.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_under_way_is_settled() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let made = running.draft_api_key(tenant.org.id, tenant.admin.id, "under way");
        let raw = db.raw().await;
        raw.hold().await;
        let (store, change) = (running.store.clone(), create(&made));
        let asker = tokio::spawn(async move { store.commit(change).await });
        until("the writer waits for the head", async || {
            db.raw()
                .await
                .int(
                    "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                 AND datname = current_database()",
                )
                .await
                == 1
        })
        .await;
        terminate_writer(&db.raw().await).await;
        raw.release().await;
        assert!(is_failed(&timeout(SOON, asker).await.unwrap().unwrap()), "it did not happen");
        is_back(&running).await;
        assert!(running.store.find_credential(tenant.org.id, made.0.id).await.unwrap().is_none());
        running.create(&made).await;
        assert_eq!(running.followed(), running.store.list_entries(0, 10).await.unwrap());
        running.stop().await;
    })
    .await;
}

/// However often the connection breaks: each acknowledged change is there once, and the follower sees every entry
/// once and in order, those included whose asker was told that nobody knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_while_connections_break() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let raw = db.raw().await;
        let (stop, stopping) = watch::channel(false);
        let askers: Vec<_> = (0..8)
            .map(|_| {
                let (store, stopping) = (running.store.clone(), stopping.clone());
                let change = {
                    let org = tenant.org.id;
                    move || Change::show_secrets(org, &[], &Actor::SERVER)
                };
                tokio::spawn(async move {
                    let mut committed = Vec::new();
                    while !*stopping.borrow() {
                        match store.commit(change()).await {
                            Ok(position) => committed.push(position),
                            Err(_) => tokio::task::yield_now().await,
                        }
                    }
                    committed
                })
            })
            .collect();
        for _ in 0..6 {
            let before = running.store.head().await.unwrap();
            until("changes are committed", async || {
                running.store.head().await.unwrap().sequence > before.sequence + 30
            })
            .await;
            terminate_writer(&raw).await;
        }
        is_back(&running).await;
        stop.send(true).unwrap();
        let mut acknowledged: Vec<Position> = Vec::new();
        for asker in askers {
            acknowledged.extend(timeout(SOON, asker).await.unwrap().unwrap());
        }
        running.store.commit(show(&tenant)).await.unwrap();
        let entries = running.store.list_entries(0, 1_000_000).await.unwrap();
        assert_eq!(running.followed(), entries);
        let sequences: Vec<_> = entries.iter().map(|entry| entry.position.sequence).collect();
        assert_eq!(sequences, (1..=entries.len() as i64).collect::<Vec<_>>());
        let count = acknowledged.len();
        acknowledged.sort_unstable();
        acknowledged.dedup();
        assert_eq!(acknowledged.len(), count, "no two changes have one place");
        running.stop().await;
    })
    .await;
}

/// A database that was put back to an earlier state, as by failing over to a standby that lagged, may hold keys
/// alive that this process knows to be dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_lost_entries_is_not_trusted() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        running.store.commit(show(&tenant)).await.unwrap();
        let raw = db.raw().await;
        raw.execute(
            "CREATE TABLE lost AS SELECT * FROM ledger WHERE sequence = 2;
             DELETE FROM ledger WHERE sequence = 2;
             UPDATE ledger_head SET sequence = 1, mac = (SELECT mac FROM ledger WHERE sequence = 1)",
        )
        .await;
        terminate_writer(&raw).await;
        until("the store is away", async || !running.store.is_available()).await;
        attempts(&raw).await;
        assert!(!running.store.is_available());
        // Others in their place do not make up for them.
        for sequence in [3, 2] {
            raw.execute(&format!(
                "DELETE FROM ledger WHERE sequence > 1;
                 INSERT INTO ledger SELECT {sequence}, epoch, id || 'x', at, org_id, action, subject_kind,
                     subject_id, actor, change, mac_key, mac FROM ledger WHERE sequence = 1;
                 UPDATE ledger SET id = '00000000-0000-4000-8000-000000000000' WHERE sequence = {sequence};
                 UPDATE ledger_head SET sequence = {sequence}"
            ))
            .await;
            attempts(&raw).await;
            assert!(!running.store.is_available());
        }
        raw.execute("DELETE FROM ledger WHERE sequence > 1").await;
        assert!(is_failed(&running.store.commit(show(&tenant)).await));
        raw.execute(
            "INSERT INTO ledger SELECT * FROM lost;
             UPDATE ledger_head SET sequence = 2, mac = (SELECT mac FROM ledger WHERE sequence = 2)",
        )
        .await;
        is_back(&running).await;
        assert_eq!(running.store.commit(show(&tenant)).await.unwrap().sequence, 3);
        running.stop().await;
    })
    .await;
}

/// Reading what was missed may fail while the connection and its lock are fine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_that_failed_is_tried_again() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        let raw = db.raw().await;
        raw.execute("ALTER TABLE ledger RENAME TO ledger_away").await;
        terminate_writer(&raw).await;
        until("the store is away", async || !running.store.is_available()).await;
        let writers = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        until("an attempt", async || raw.int(writers).await == 1).await;
        raw.execute("ALTER TABLE ledger_away RENAME TO ledger").await;
        is_back(&running).await;
        running.store.commit(show(&tenant)).await.unwrap();
        running.stop().await;
    })
    .await;
}
