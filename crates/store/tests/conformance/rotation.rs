//! A credential's later secrets: what a rotation leaves, what ends it, and who comes too late.

use std::time::Duration;

use claviger_model::{Credential, Timestamp};
use claviger_store::{Change, LiveSecret, NewSecret, Refusal, Rotation};

use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase, refusal, revoke};

on_both_engines!(
    a_rotation_reads_back_and_ends,
    without_an_end_the_old_secret_is_a_tombstone,
    who_comes_too_late_is_refused,
    one_time_read_keeps_no_later_secret_either,
);

/// What a rotation of a fresh application key is made from.
struct Made {
    credential: Credential,
    first: NewSecret,
    next: NewSecret,
}

async fn made(running: &Running, tenant: &Tenant) -> Made {
    let draft = || running.draft_app_key(tenant.org.id, tenant.admin.id, "rotated");
    let (made, (_, next)) = (draft(), draft());
    Made { credential: running.create(&made).await, first: made.1, next }
}

impl Made {
    fn rotate(&self, valid_until: Option<Timestamp>, tenant: &Tenant) -> Change {
        let credential = Credential { last4: "next".to_owned(), ..self.credential.clone() };
        let rotation = Rotation {
            credential: &credential,
            last4_before: &self.credential.last4,
            replaced: &self.first.digest.into(),
            valid_until,
            secret: &self.next,
            secret_revision: 2,
            at: START,
        };
        Change::rotate_secret(&rotation, &tenant.actor())
    }
}

async fn a_rotation_reads_back_and_ends(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    let made = made(&running, &tenant).await;
    let id = made.credential.id;
    let end = START + Duration::from_secs(60);
    let position = store.commit(made.rotate(Some(end), &tenant)).await.unwrap();

    let found = store.find_credential(org, id).await.unwrap().unwrap();
    assert_eq!(found, Credential { last4: "next".to_owned(), revision: 2, ..made.credential.clone() });
    let mut known = store.list_known_secrets(id).await.unwrap();
    known.sort_unstable_by_key(|secret| secret.valid_until.is_none());
    let ends: Vec<_> =
        known.iter().map(|secret| (secret.digest, secret.is_live, secret.valid_until)).collect();
    assert_eq!(ends, [(made.first.digest, true, Some(end)), (made.next.digest, true, None)]);
    assert!(known[0].expiry.is_over(end) && !known[1].expiry.is_over(end));
    let sealed = store.find_sealed_secret(org, id).await.unwrap().unwrap();
    assert_eq!((sealed.revision, Some(sealed.sealed)), (2, made.next.sealed.clone()));
    assert_eq!(store.find_secret_revision(&found).await.unwrap(), 2);
    let entry = store.list_entries(position.sequence - 1, 1).await.unwrap().remove(0);
    assert!(entry.names(&made.first.digest) && entry.names(&made.next.digest));

    let left = [LiveSecret::from(made.next.digest)];
    let ended = Change::end_rotation(&found, &left, end, &claviger_store::Actor::SERVER);
    store.commit(ended).await.unwrap();
    let live = store.list_known_secrets(id).await.unwrap().into_iter().filter(|secret| secret.is_live);
    assert_eq!(live.map(|secret| secret.digest).collect::<Vec<_>>(), [made.next.digest]);
    running.stop().await;
}

async fn without_an_end_the_old_secret_is_a_tombstone(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made = made(&running, &tenant).await;
    running.store.commit(made.rotate(None, &tenant)).await.unwrap();
    let raw = db.raw().await;
    let sql = format!(
        "SELECT COUNT(*) FROM secrets WHERE credential_id = '{}' AND dead_at IS NOT NULL AND sealed IS NULL
         AND valid_until IS NULL AND revision = 1",
        made.credential.id
    );
    assert_eq!(raw.int(&sql).await, 1);
    // Nobody gets it again.
    let again = (running.draft_app_key(tenant.org.id, tenant.admin.id, "again").0, made.first.clone());
    let refused = running.store.commit(crate::testbed::create(&again)).await;
    assert_eq!(refusal(&refused), Some(Refusal::Conflict));
    running.stop().await;
}

async fn who_comes_too_late_is_refused(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let store = &running.store;
    let first = made(&running, &tenant).await;
    store.commit(first.rotate(None, &tenant)).await.unwrap();
    assert_eq!(
        refusal(&store.commit(first.rotate(None, &tenant)).await),
        Some(Refusal::Stale),
        "the same reading"
    );
    let stale = Change::end_rotation(&first.credential, &[], START, &claviger_store::Actor::SERVER);
    assert_eq!(refusal(&store.commit(stale).await), Some(Refusal::Stale));

    let dead = made(&running, &tenant).await;
    store.commit(revoke(&dead.credential)).await.unwrap();
    let read_dead = Made { credential: Credential { revision: 2, ..dead.credential.clone() }, ..dead };
    assert_eq!(refusal(&store.commit(read_dead.rotate(None, &tenant)).await), Some(Refusal::Stale));
    // A secret that is, or was, somebody's is nobody's new one.
    let taken = Made { next: first.first.clone(), ..made(&running, &tenant).await };
    assert_eq!(refusal(&store.commit(taken.rotate(None, &tenant)).await), Some(Refusal::Conflict));
    let live = store.list_known_secrets(taken.credential.id).await.unwrap();
    assert!(live.len() == 1 && live[0].is_live, "nothing of a refused change is done");
    running.stop().await;
}

async fn one_time_read_keeps_no_later_secret_either(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made = made(&running, &tenant).await;
    db.raw().await.execute("UPDATE orgs SET one_time_read = 1").await;
    let end = Some(START + Duration::from_secs(60));
    running.store.commit(made.rotate(end, &tenant)).await.unwrap();
    let found = running.store.find_sealed_secret(tenant.org.id, made.credential.id).await.unwrap();
    assert_eq!(found, None);
    running.stop().await;
}
