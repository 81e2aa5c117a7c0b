//! What the store refuses, and that a refused change leaves nothing behind while those beside it commit.

use std::time::Duration;

use claviger_model::{Credential, CredentialId, OrgSettings, Timestamp, UserId};
use claviger_store::{Actor, Change, Names, Refusal};
use futures_util::future::join_all;

use crate::credentials::assert_counts;
use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase, create, is_failed, refusal, rename, revoke};

on_both_engines!(
    stale,
    limit_reached,
    concurrent_creators_cannot_pass_a_limit,
    last_one,
    two_revocations_cannot_take_the_last_two,
    name_taken,
    owner_disabled,
    owner_unknown,
    actor_gone,
    conflict_with_the_living_and_the_dead,
    others_in_the_batch_commit,
);

/// Commits a change that must be refused, alone and then between others, and must leave nothing behind.
async fn check(
    db: &TestDatabase,
    running: &Running,
    tenant: &Tenant,
    change: impl Fn() -> Change,
    why: Refusal,
) {
    let raw = db.raw().await;
    let before = raw.dump().await;
    let followed = running.followed().len();
    assert_eq!(refusal(&running.store.commit(change()).await), Some(why));
    assert_eq!(raw.dump().await, before);
    assert_eq!(running.followed().len(), followed);

    let first = rename(&tenant.app_key.0, "beside");
    let [tenant_first, refused, second] = <[_; 3]>::try_from(
        running
            .commit_together(
                db,
                vec![first, change(), Change::show_secrets(tenant.org.id, &[], &Actor::SERVER)],
            )
            .await,
    )
    .unwrap();
    let (first, second) = (tenant_first.unwrap(), second.unwrap());
    assert_eq!(refusal(&refused), Some(why));
    assert_eq!(second.sequence, first.sequence + 1);
    assert_eq!(running.store.head().await.unwrap(), second);
    assert_eq!(running.followed().len(), followed + 2);
    assert_counts(&raw).await;
}

async fn stale(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let key = running.create(&running.draft_api_key(tenant.org.id, tenant.admin.id, "key")).await;
    running.store.commit(rename(&key, "renamed")).await.unwrap();
    check(db, &running, &tenant, || rename(&key, "again"), Refusal::Stale).await;
    let dead = Credential { revision: 2, ..key.clone() };
    running.revoke(&dead).await.unwrap();
    let dead = Credential { revision: 3, ..key };
    for change in [rename(&dead, "risen"), revoke(&dead)] {
        assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::Stale));
    }
    let unknown = Credential { id: CredentialId::generate(&*db.random), ..dead };
    assert_eq!(refusal(&running.revoke(&unknown).await), Some(Refusal::Stale));
    running.stop().await;
}

async fn limit_reached(db: &TestDatabase) {
    let running = db.start().await;
    let settings =
        OrgSettings { api_keys_max: 2, application_keys_per_user_max: 2, ..OrgSettings::default() };
    let tenant = running.found_org(settings).await;
    let (org, user) = (tenant.org.id, tenant.admin.id);
    running.create(&running.draft_api_key(org, user, "second")).await;
    let app_key = running.create(&running.draft_app_key(org, user, "second")).await;
    let third = running.draft_api_key(org, user, "third");
    check(db, &running, &tenant, || create(&third), Refusal::LimitReached).await;
    let third = running.draft_app_key(org, user, "third");
    assert_eq!(refusal(&running.store.commit(create(&third)).await), Some(Refusal::LimitReached));

    // A revoked one makes room, once.
    running.revoke(&app_key).await.unwrap();
    running.create(&third).await;
    let fourth = create(&running.draft_app_key(org, user, "fourth"));
    assert_eq!(refusal(&running.store.commit(fourth).await), Some(Refusal::LimitReached));
    running.stop().await;
}

async fn concurrent_creators_cannot_pass_a_limit(db: &TestDatabase) {
    let running = db.start().await;
    let settings =
        OrgSettings { api_keys_max: 5, application_keys_per_user_max: 5, ..OrgSettings::default() };
    let tenant = running.found_org(settings).await;
    let (org, user) = (tenant.org.id, tenant.admin.id);
    let spawn = |is_api_key: bool| {
        let made = match is_api_key {
            true => running.draft_api_key(org, user, "rival"),
            false => running.draft_app_key(org, user, "rival"),
        };
        let store = running.store.clone();
        tokio::spawn(async move { store.commit(create(&made)).await })
    };
    for is_api_key in [true, false] {
        let answers = join_all((0..32).map(|_| spawn(is_api_key))).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4, "one was there before");
        assert_eq!(
            answers.iter().filter(|answer| refusal(answer) == Some(Refusal::LimitReached)).count(),
            28
        );
    }
    let raw = db.raw().await;
    for kind in ["api_key", "application_key"] {
        let sql = format!("SELECT COUNT(*) FROM credentials WHERE kind = '{kind}' AND revoked_at IS NULL");
        assert_eq!(raw.int(&sql).await, 5);
    }
    assert_counts(&raw).await;
    running.stop().await;
}

async fn last_one(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    // Another org's keys do not count.
    running.found_org(OrgSettings::default()).await;
    check(db, &running, &tenant, || revoke(&tenant.api_key.0), Refusal::LastOne).await;
    // Nobody needs an application key.
    let app_key = running.store.find_credential(tenant.org.id, tenant.app_key.0.id).await.unwrap().unwrap();
    running.revoke(&app_key).await.unwrap();
    running.stop().await;
}

async fn two_revocations_cannot_take_the_last_two(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let second = running.create(&running.draft_api_key(tenant.org.id, tenant.admin.id, "second")).await;
    let answers = running.commit_together(db, vec![revoke(&tenant.api_key.0), revoke(&second)]).await;
    assert!(answers[0].is_ok());
    assert_eq!(refusal(&answers[1]), Some(Refusal::LastOne));

    // And by askers that know nothing of each other.
    let third = running.create(&running.draft_api_key(tenant.org.id, tenant.admin.id, "third")).await;
    let spawn = |credential: &Credential| {
        let (store, change) = (running.store.clone(), revoke(credential));
        tokio::spawn(async move { store.commit(change).await })
    };
    let (one, other) = (spawn(&second), spawn(&third));
    let answers = [one.await.unwrap(), other.await.unwrap()];
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| refusal(answer) == Some(Refusal::LastOne)).count(), 1);
    assert_counts(&db.raw().await).await;
    running.stop().await;
}

async fn name_taken(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, user) = (tenant.org.id, tenant.admin.id);
    let taken = running.create(&running.draft_app_key(org, user, "taken")).await;
    let made = running.draft_app_key(org, user, "taken");
    let unique = |made: &(Credential, _)| {
        Change::create_credential(&made.0, &made.1, Names::UniquePerOwner, &Actor::SERVER)
    };
    check(db, &running, &tenant, || unique(&made), Refusal::NameTaken).await;

    let renamed = |credential: &Credential, name: &str| {
        let renamed = Credential { name: name.to_owned(), ..credential.clone() };
        Change::update_credential(&renamed, &[], serde_json::json!({}), Names::UniquePerOwner, &Actor::SERVER)
    };
    let other = running.create(&running.draft_app_key(org, user, "other")).await;
    assert_eq!(refusal(&running.store.commit(renamed(&other, "taken")).await), Some(Refusal::NameTaken));
    // Its own name is no hindrance; another case is another name; where names need not be unique, it is fine;
    // and the dead do not keep theirs.
    running.store.commit(renamed(&other, "other")).await.unwrap();
    running.create(&running.draft_app_key(org, user, "Taken")).await;
    running.create(&running.draft_api_key(org, user, "taken")).await;
    running.revoke(&taken).await.unwrap();
    running.store.commit(unique(&made)).await.unwrap();
    running.stop().await;
}

async fn owner_disabled(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    db.raw()
        .await
        .execute(&format!("UPDATE users SET disabled_at = 1 WHERE id = '{}'", tenant.admin.id))
        .await;
    let made = running.draft_app_key(tenant.org.id, tenant.admin.id, "late");
    check(db, &running, &tenant, || create(&made), Refusal::OwnerDisabled).await;
    running.stop().await;
}

async fn owner_unknown(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made = running.draft_app_key(tenant.org.id, UserId::generate(&*db.random), "orphan");
    check(db, &running, &tenant, || create(&made), Refusal::OwnerDisabled).await;
    running.stop().await;
}

async fn actor_gone(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, user) = (tenant.org.id, tenant.admin.id);
    let key = running.create(&running.draft_app_key(org, user, "acts")).await;
    let victim = running.create(&running.draft_api_key(org, user, "victim")).await;
    let actor = |id| Actor { credentials: vec![tenant.api_key.0.id, id], ..tenant.actor() };
    let made = running.draft_api_key(org, user, "made");
    let changes = |actor: &Actor| {
        let at: Timestamp = START + Duration::from_secs(1);
        [
            Change::create_credential(&made.0, &made.1, Names::Any, actor),
            Change::update_credential(&victim, &[], serde_json::json!({}), Names::Any, actor),
            Change::revoke_credential(&victim, at, user, actor),
            Change::show_secrets(org, &[victim.id], actor),
            Change::register(org, victim.id, None, at, actor),
            Change::unregister(org, tenant.app_key.0.id, actor),
        ]
    };
    // Revoked in the same batch, before the changes that it asked for.
    let mut batch = vec![revoke(&key)];
    batch.extend(changes(&actor(key.id)));
    let answers = running.commit_together(db, batch).await;
    assert!(answers[0].is_ok());
    assert!(answers[1..].iter().all(|answer| refusal(answer) == Some(Refusal::ActorGone)), "{answers:?}");

    check(db, &running, &tenant, || changes(&actor(key.id)).into_iter().next().unwrap(), Refusal::ActorGone)
        .await;
    // One that never was, and one whose owner is disabled.
    let unknown = actor(CredentialId::generate(&*db.random));
    for change in changes(&unknown) {
        assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::ActorGone));
    }
    db.raw().await.execute(&format!("UPDATE users SET disabled_at = 1 WHERE id = '{user}'")).await;
    for change in changes(&tenant.actor()) {
        assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::ActorGone));
    }
    running.stop().await;
}

async fn conflict_with_the_living_and_the_dead(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, user) = (tenant.org.id, tenant.admin.id);
    let first = running.draft_app_key(org, user, "first");
    let credential = running.create(&first).await;
    let same_digest = |kind_is_api: bool| {
        let mut made = match kind_is_api {
            true => running.draft_api_key(org, user, "second"),
            false => running.draft_app_key(org, user, "second"),
        };
        made.1.digest = first.1.digest;
        made
    };
    let second = same_digest(false);
    check(db, &running, &tenant, || create(&second), Refusal::Conflict).await;

    running.revoke(&credential).await.unwrap();
    for made in [second, same_digest(true)] {
        let answer = running.store.commit(create(&made)).await;
        assert_eq!(refusal(&answer), Some(Refusal::Conflict), "the dead stay dead");
    }
    // The tombstone holds for every org.
    let other = running.found_org(OrgSettings::default()).await;
    let mut made = running.draft_api_key(other.org.id, other.admin.id, "elsewhere");
    made.1.digest = first.1.digest;
    assert_eq!(refusal(&running.store.commit(create(&made)).await), Some(Refusal::Conflict));
    running.stop().await;
}

async fn others_in_the_batch_commit(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, user) = (tenant.org.id, tenant.admin.id);
    let made: Vec<_> = (0..30).map(|number| running.draft_app_key(org, user, &number.to_string())).collect();
    let commits = running.metric("claviger_store_commits_total");
    // Each is followed by one that is refused by a count, and one that is refused by an index.
    let changes = made.iter().flat_map(|made| [create(made), revoke(&tenant.api_key.0), create(made)]);
    let answers = running.commit_together(db, changes.collect()).await;
    for (answers, made) in answers.chunks(3).zip(&made) {
        assert!(answers[0].is_ok());
        assert_eq!(refusal(&answers[1]), Some(Refusal::LastOne));
        assert_eq!(refusal(&answers[2]), Some(Refusal::Conflict));
        assert!(running.store.find_credential(org, made.0.id).await.unwrap().is_some());
    }
    assert!(!answers.iter().any(is_failed));
    assert!(running.metric("claviger_store_commits_total") - commits <= 3, "they shared commits");
    let sequences: Vec<_> = answers.iter().flatten().map(|position| position.sequence).collect();
    assert_eq!(sequences, (2..32).collect::<Vec<_>>());
    assert_counts(&db.raw().await).await;
    running.stop().await;
}
