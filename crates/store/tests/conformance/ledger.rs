//! The ledger: entries in the order of their commits, and no edit that goes unseen.

use claviger_model::Position;
use claviger_store::{Change, Store};
use claviger_vault::Vault;
use futures_util::future::join_all;

use crate::on_both_engines;
use crate::raw::Raw;
use crate::testbed::{Running, Tenant, TestDatabase, create, rename};

on_both_engines!(
    entries_are_consecutive_under_concurrency,
    the_chain_survives_a_restart,
    a_changed_column_is_seen,
    a_changed_byte_is_seen,
    moved_entries_are_seen,
    a_missing_entry_is_seen,
    an_added_entry_is_seen,
);

/// Walks the whole ledger: the number of entries, or the place of the first that is not as it was written.
async fn walk(store: &Store, vault: &Vault) -> Result<i64, i64> {
    let mut last = Position::ORIGIN;
    let mut mac = Vec::new();
    // From the very beginning: an entry could have been put before the first.
    let mut after = i64::MIN;
    loop {
        let entries = store.list_entries(after, 100).await.map_err(|_| last.sequence + 1)?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            if entry.position.sequence != last.sequence + 1 || !entry.is_intact(&mac, vault) {
                return Err(last.sequence + 1);
            }
            (last, mac) = (entry.position, entry.mac);
            after = last.sequence;
        }
    }
    match store.head().await.unwrap() {
        head if head == last => Ok(last.sequence),
        _ => Err(last.sequence + 1),
    }
}

/// Six entries, of several kinds and orgs, and a copy of the table to go back to.
async fn with_entries(db: &TestDatabase) -> (Running, Tenant, Raw) {
    let (running, tenant) = db.start_with_org().await;
    running.found_org(claviger_model::OrgSettings::default()).await;
    let key = running.create(&running.draft_api_key(tenant.org.id, tenant.admin.id, "key")).await;
    running.store.commit(rename(&key, "renamed")).await.unwrap();
    let shown = || Change::show_secrets(tenant.org.id, &[tenant.api_key.0.id, key.id], &tenant.actor());
    running.store.commit(shown()).await.unwrap();
    running.store.commit(shown()).await.unwrap();
    assert_eq!(walk(&running.store, &running.vault).await, Ok(6));
    let raw = db.raw().await;
    raw.execute("CREATE TABLE ledger_copy AS SELECT * FROM ledger").await;
    (running, tenant, raw)
}

/// Applies an edit, which the walk must see, and undoes it.
async fn check_seen(running: &Running, raw: &Raw, edit: &str) {
    raw.execute(edit).await;
    let seen = walk(&running.store, &running.vault).await;
    assert!(seen.is_err(), "not seen: {edit}");
    raw.execute("DELETE FROM ledger; INSERT INTO ledger SELECT * FROM ledger_copy").await;
}

async fn entries_are_consecutive_under_concurrency(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let write = |_| {
        let made = running.draft_app_key(tenant.org.id, tenant.admin.id, "rival");
        let store = running.store.clone();
        tokio::spawn(async move { store.commit(create(&made)).await.unwrap() })
    };
    let positions = join_all((0..64).map(write)).await;
    let mut sequences: Vec<_> = positions.into_iter().map(|position| position.unwrap().sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (2..66).collect::<Vec<_>>());

    let entries = running.store.list_entries(0, 1000).await.unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.position.sequence).collect::<Vec<_>>(),
        (1..66).collect::<Vec<_>>()
    );
    assert_eq!(running.followed(), entries, "the follower saw them all, once, in order");
    assert_eq!(walk(&running.store, &running.vault).await, Ok(65));
    let page = running.store.list_entries(10, 5).await.unwrap();
    assert_eq!(page, entries[10..15]);
    running.stop().await;
}

async fn the_chain_survives_a_restart(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    running.stop().await;
    let running = db.start().await;
    assert!(running.followed().is_empty(), "what is old is not followed again");
    running.create(&running.draft_api_key(tenant.org.id, tenant.admin.id, "later")).await;
    assert_eq!(walk(&running.store, &running.vault).await, Ok(2));
    assert_eq!(running.followed().len(), 1);
    running.stop().await;
}

async fn a_changed_column_is_seen(db: &TestDatabase) {
    let (running, tenant, raw) = with_entries(db).await;
    let at_3 = |set: &str| format!("UPDATE ledger SET {set} WHERE sequence = 3");
    for set in [
        "sequence = 1000".to_owned(),
        "sequence = -sequence".to_owned(),
        "epoch = epoch + 1".to_owned(),
        "at = at + 1".to_owned(),
        "org_id = NULL".to_owned(),
        "org_id = (SELECT org_id FROM ledger WHERE sequence = 2)".to_owned(),
        "action = 'credential.shown'".to_owned(),
        "action = action || ' '".to_owned(),
        "subject_kind = 'user'".to_owned(),
        format!("subject_id = '{}'", tenant.admin.id),
        "actor = (SELECT actor FROM ledger WHERE sequence = 5)".to_owned(),
        "change = '{}'".to_owned(),
        "change = change || ' '".to_owned(),
        // The same words, parted differently.
        "subject_kind = subject_kind || substr(subject_id, 1, 1), subject_id = substr(subject_id, 2)"
            .to_owned(),
        "mac = (SELECT mac FROM ledger WHERE sequence = 2)".to_owned(),
        format!("mac = {}", raw.literal(&[])),
        "mac_key = '00000000-0000-4000-8000-000000000000'".to_owned(),
        "mac_key = (SELECT id FROM vault_keys WHERE purpose = 'digest')".to_owned(),
        // Another way to write the same value: found by nobody who looks for it as it was written.
        "id = upper(id)".to_owned(),
        "org_id = upper(org_id)".to_owned(),
        "mac_key = upper(mac_key)".to_owned(),
        "mac_key = '{' || mac_key || '}'".to_owned(),
        "mac_key = replace(mac_key, '-', '')".to_owned(),
    ] {
        check_seen(&running, &raw, &at_3(&set)).await;
    }
    running.stop().await;
}

/// Every character of every short column, one out of each few of the long ones, and every byte of the MAC.
async fn a_changed_byte_is_seen(db: &TestDatabase) {
    let (running, _, raw) = with_entries(db).await;
    for (column, step) in [
        ("id", 1),
        ("org_id", 1),
        ("action", 1),
        ("subject_kind", 1),
        ("subject_id", 1),
        ("mac_key", 1),
        ("actor", 5),
        ("change", 7),
    ] {
        let text = raw.text(&format!("SELECT {column} FROM ledger WHERE sequence = 4")).await.unwrap();
        for place in (0..text.len()).step_by(step) {
            for bit in [0x01, 0x20] {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= bit;
                let edited = String::from_utf8(bytes).unwrap();
                // PostgreSQL keeps no NUL, and so nobody can put one there.
                if !edited.contains('\0') {
                    let edited = edited.replace('\'', "''");
                    let edit = format!("UPDATE ledger SET {column} = '{edited}' WHERE sequence = 4");
                    check_seen(&running, &raw, &edit).await;
                }
            }
        }
    }
    let mac = running.store.list_entries(3, 1).await.unwrap().remove(0).mac;
    for place in 0..mac.len() {
        let mut edited = mac.clone();
        edited[place] ^= 0x80;
        let edit = format!("UPDATE ledger SET mac = {} WHERE sequence = 4", raw.literal(&edited));
        check_seen(&running, &raw, &edit).await;
    }
    running.stop().await;
}

async fn moved_entries_are_seen(db: &TestDatabase) {
    let (running, _, raw) = with_entries(db).await;
    for (one, other) in [(5, 6), (3, 5), (1, 2)] {
        // The last two were made alike on purpose: they differ in id and place alone.
        let edit = format!(
            "UPDATE ledger SET sequence = 1000 WHERE sequence = {one};
             UPDATE ledger SET sequence = {one} WHERE sequence = {other};
             UPDATE ledger SET sequence = {other} WHERE sequence = 1000"
        );
        check_seen(&running, &raw, &edit).await;
    }
    running.stop().await;
}

async fn a_missing_entry_is_seen(db: &TestDatabase) {
    let (running, _, raw) = with_entries(db).await;
    for gone in 1..=6 {
        check_seen(&running, &raw, &format!("DELETE FROM ledger WHERE sequence = {gone}")).await;
        // And the others closed up over the gap.
        let edit = format!(
            "DELETE FROM ledger WHERE sequence = {gone};
             UPDATE ledger SET sequence = sequence + 1000 WHERE sequence > {gone};
             UPDATE ledger SET sequence = sequence - 1001 WHERE sequence > 1000"
        );
        check_seen(&running, &raw, &edit).await;
    }
    check_seen(&running, &raw, "DELETE FROM ledger").await;
    running.stop().await;
}

async fn an_added_entry_is_seen(db: &TestDatabase) {
    let (running, _, raw) = with_entries(db).await;
    let copy_of = |entry: i64, place: i64| {
        format!(
            "INSERT INTO ledger SELECT {place}, epoch, '00000000-0000-4000-8000-000000000000', at, org_id, action,
                 subject_kind, subject_id, actor, change, mac_key, mac FROM ledger_copy WHERE sequence = {entry}"
        )
    };
    check_seen(&running, &raw, &copy_of(6, 7)).await;
    check_seen(&running, &raw, &copy_of(1, 0)).await;
    let make_room = "UPDATE ledger SET sequence = sequence + 1000 WHERE sequence >= 3;
         UPDATE ledger SET sequence = sequence - 999 WHERE sequence > 1000";
    check_seen(&running, &raw, &format!("{make_room}; {}", copy_of(2, 3))).await;
    // With the head moved to it: the MAC gives it away.
    let edit = format!("{}; UPDATE ledger_head SET sequence = 7", copy_of(6, 7));
    check_seen(&running, &raw, &edit).await;
    raw.execute("UPDATE ledger_head SET sequence = 6").await;
    assert_eq!(walk(&running.store, &running.vault).await, Ok(6));
    running.stop().await;
}
