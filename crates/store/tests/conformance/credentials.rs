//! The life of a credential: made, changed, used, revoked; its secret, its count.

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_model::{
    AllowList, Credential, CredentialDetail, CredentialState, Expiry, Guards, KeyPrefix, OrgSettings, Random,
    RequestLimit, Scopes,
};
use claviger_store::{Actor, Change, Names};

use crate::on_both_engines;
use crate::raw::Raw;
use crate::testbed::{Running, START, Tenant, TestDatabase, create, revoke};

on_both_engines!(
    an_update_reads_back,
    a_revoked_credential_is_a_tombstone,
    one_time_read_keeps_no_application_key,
    counts_stay_true,
    the_later_use_stays,
    the_longest_name_is_kept,
    a_shown_secret_is_recorded,
);

async fn an_update_reads_back(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    let later = START + Duration::from_secs(5);
    let owner = tenant.admin.id;
    let api_key = |category: &str, remote_config_read| CredentialDetail::ApiKey {
        category: category.to_owned(),
        remote_config_read,
    };
    let scopes = |names: &[&str]| Scopes::parse(names.iter().copied()).unwrap();
    let application_key = |names: &[&str]| CredentialDetail::ApplicationKey { owner, scopes: scopes(names) };
    let personal_token = |names: &[&str]| CredentialDetail::PersonalAccessToken {
        owner,
        scopes: scopes(names).unwrap(),
        public_portion: "0123456789abcdefABCDEF".to_owned(),
    };
    let service_token = |names: &[&str]| CredentialDetail::ServiceAccessToken {
        owner,
        scopes: scopes(names).unwrap(),
        public_portion: "ddsat_0123456789abcdefABCDEF".to_owned(),
    };
    let native_key = |names: &[&str], text: Option<&str>| CredentialDetail::NativeKey {
        prefix: KeyPrefix::parse("acme_live").unwrap(),
        permissions: scopes(names),
        external_id: text.map(str::to_owned),
        metadata: text.map(|text| format!("{{\"a\":\"{text}\"}}")),
    };
    let (some, others) = (&["monitors_read"], &["teams_read", "dashboards_read"]);
    for (from, detail) in [
        (api_key("default", true), api_key("other", false)),
        (application_key(some), application_key(&[])),
        (application_key(&[]), application_key(others)),
        (personal_token(some), personal_token(others)),
        (service_token(some), service_token(others)),
        (native_key(some, None), native_key(&[], Some("customer 17"))),
        (native_key(&[], Some("customer 17")), native_key(others, None)),
    ] {
        let made = running.draft(org, owner, from, "before");
        let before = running.create(&made).await;
        let guards = Guards {
            allow_list: AllowList::parse(["192.0.2.0/24", "2001:db8::/32"]).ok(),
            request_limit: RequestLimit::new(5, 60).ok(),
        };
        let wanted = Credential {
            detail,
            name: "Nächster $1 ?2".to_owned(),
            modified_at: later,
            expiry: Expiry::At(later),
            guards,
            ..before.clone()
        };
        let changed = serde_json::json!({ "name": wanted.name });
        let change =
            Change::update_credential(&wanted, &[made.1.digest.into()], changed, Names::Any, &tenant.actor());
        let position = store.commit(change).await.unwrap();
        let found = store.find_credential(org, before.id).await.unwrap().unwrap();
        assert_eq!(found, Credential { revision: 2, ..wanted.clone() });
        let known = store.list_known_secrets(before.id).await.unwrap().remove(0);
        assert_eq!((known.guards, known.expiry), (wanted.guards, wanted.expiry));

        let entry = store.list_entries(position.sequence - 1, 1).await.unwrap().remove(0);
        assert_eq!(entry.action.as_str(), "credential.updated");
        assert_eq!(entry.touched(), [("credential".to_owned(), before.id.to_string())]);
        assert!(entry.actor.contains("192.0.2.1") && entry.actor.contains(&tenant.admin.id.to_string()));
        assert!(entry.change.contains(&made.1.digest.to_hex()), "the live secrets are part of the state");
    }
    running.stop().await;
}

async fn a_revoked_credential_is_a_tombstone(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    let raw = db.raw().await;
    for made in [
        running.draft_api_key(org, tenant.admin.id, "dies"),
        running.draft_app_key(org, tenant.admin.id, "dies"),
    ] {
        let credential = running.create(&made).await;
        running.revoke(&credential).await.unwrap();
        let at = START + Duration::from_secs(60);
        let dead = Credential {
            state: CredentialState::Revoked { at },
            modified_at: at,
            revision: 2,
            ..credential.clone()
        };
        assert_eq!(store.find_credential(org, credential.id).await.unwrap().as_ref(), Some(&dead));
        let by_digest = store.find_credential_by_digest(org, &made.1.digest).await.unwrap();
        assert_eq!(by_digest, Some(dead), "the dead are found by their digest too");
        assert_eq!(store.find_sealed_secret(org, credential.id).await.unwrap(), None);
        let known = store.list_known_secrets(credential.id).await.unwrap();
        assert!(known.len() == 1 && !known[0].is_live);
        let mut is_listed = false;
        store.each_live_secret(|secret| is_listed |= secret.digest == made.1.digest).await.unwrap();
        assert!(!is_listed);
        let sql = format!(
            "SELECT COUNT(*) FROM secrets WHERE credential_id = '{}' AND sealed IS NULL AND dead_at = {}",
            credential.id,
            at.micros()
        );
        assert_eq!(raw.int(&sql).await, 1, "what was sealed is erased, the digest stays");
    }
    running.stop().await;
}

async fn one_time_read_keeps_no_application_key(db: &TestDatabase) {
    let running = db.start().await;
    let tenant = running.found_org(OrgSettings { one_time_read: true, ..OrgSettings::default() }).await;
    let (store, org) = (&running.store, tenant.org.id);
    let app_key = running.create(&running.draft_app_key(org, tenant.admin.id, "once")).await;
    let api_key = running.create(&running.draft_api_key(org, tenant.admin.id, "always")).await;
    for id in [app_key.id, tenant.app_key.0.id] {
        assert_eq!(store.find_sealed_secret(org, id).await.unwrap(), None);
        assert!(store.list_known_secrets(id).await.unwrap()[0].is_live);
    }
    for id in [api_key.id, tenant.api_key.0.id] {
        assert!(store.find_sealed_secret(org, id).await.unwrap().is_some());
    }
    running.stop().await;
}

/// Whatever happens, refusals and shared commits included, each count is the number of live rows.
async fn counts_stay_true(db: &TestDatabase) {
    let running = db.start().await;
    let settings =
        OrgSettings { api_keys_max: 6, application_keys_per_user_max: 5, ..OrgSettings::default() };
    let tenants = [running.found_org(settings).await, running.found_org(settings).await];
    let raw = db.raw().await;
    let mut live: Vec<Credential> = Vec::new();
    let dice = |sides: usize| {
        let mut byte = [0];
        db.random.fill(&mut byte);
        usize::from(byte[0]) % sides
    };
    for _ in 0..12 {
        let mut changes = Vec::new();
        let mut created = Vec::new();
        for _ in 0..8 {
            let tenant = &tenants[dice(2)];
            match dice(4) {
                0 => created.push((changes.len(), draft(&running, tenant, true))),
                1 => created.push((changes.len(), draft(&running, tenant, false))),
                // Perhaps for the second time in this batch, and perhaps the last one of its org.
                2 if !live.is_empty() => changes.push(revoke(&live[dice(live.len())])),
                _ => changes.push(revoke(&tenant.api_key.0)),
            }
            if let Some((_, made)) = created.last().filter(|(place, _)| *place == changes.len()) {
                changes.push(create(made));
            }
        }
        let answers = running.commit_together(db, changes).await;
        live.extend(created.into_iter().filter(|(place, _)| answers[*place].is_ok()).map(|(_, made)| made.0));
        assert_counts(&raw).await;
    }
    running.stop().await;
}

fn draft(running: &Running, tenant: &Tenant, is_api_key: bool) -> (Credential, claviger_store::NewSecret) {
    let (org, user) = (tenant.org.id, tenant.admin.id);
    if is_api_key { running.draft_api_key(org, user, "any") } else { running.draft_app_key(org, user, "any") }
}

pub(crate) async fn assert_counts(raw: &Raw) {
    let read = async |sql| {
        let rows = raw.texts(sql).await;
        rows.into_iter().map(|row| (row[..3].to_vec(), row[3].clone())).collect::<BTreeMap<_, _>>()
    };
    let kept = read("SELECT org_id, kind, owner_id, live FROM credential_counts WHERE live <> 0").await;
    let counted = read(
        "SELECT org_id, kind, '', COUNT(*) FROM credentials WHERE revoked_at IS NULL GROUP BY org_id, kind
         UNION ALL
         SELECT org_id, kind, owner_id, COUNT(*) FROM credentials WHERE revoked_at IS NULL AND owner_id IS NOT NULL
         GROUP BY org_id, kind, owner_id",
    )
    .await;
    assert_eq!(kept, counted);
}

async fn the_later_use_stays(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (store, org) = (&running.store, tenant.org.id);
    let (first, second) = (tenant.api_key.0.id, tenant.app_key.0.id);
    let head = store.head().await.unwrap();
    let at = |seconds| START + Duration::from_secs(seconds);
    let last_used = async |id| store.find_credential(org, id).await.unwrap().unwrap().last_used;

    assert_eq!(last_used(first).await, None);
    store.record_last_used(&[(first, at(10)), (second, at(1))]).await.unwrap();
    store.record_last_used(&[(first, at(5)), (second, at(2))]).await.unwrap();
    assert_eq!((last_used(first).await, last_used(second).await), (Some(at(10)), Some(at(2))));
    // Twice in one batch, the later first.
    store.record_last_used(&[(first, at(30)), (first, at(20))]).await.unwrap();
    assert_eq!(last_used(first).await, Some(at(30)));
    store.record_last_used(&[]).await.unwrap();
    // As many as the engine hands over at once.
    let many: Vec<_> = (0..512).map(|seconds| (second, at(seconds))).collect();
    store.record_last_used(&many).await.unwrap();
    assert_eq!(last_used(second).await, Some(at(511)));

    assert_eq!(store.list_known_secrets(first).await.unwrap()[0].last_used, Some(at(30)));
    assert_eq!(store.head().await.unwrap(), head, "the ledger does not hear of it");
    running.stop().await;
}

/// 255 characters of four bytes each, which the collation key holds twice: they fit into the index.
async fn the_longest_name_is_kept(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let name: String =
        (0..255).map(|place| char::from_u32(0x20000 + place * 7919 % 0xa000).unwrap()).collect();
    let credential = running.create(&running.draft_app_key(tenant.org.id, tenant.admin.id, &name)).await;
    assert_eq!(
        running.store.find_credential(tenant.org.id, credential.id).await.unwrap().map(|found| found.name),
        Some(name)
    );
    running.stop().await;
}

async fn a_shown_secret_is_recorded(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let ids = [tenant.api_key.0.id, tenant.app_key.0.id];
    let show = |shown| running.store.commit(Change::show_secrets(tenant.org.id, shown, &Actor::SERVER));
    let position = show(&ids[..1]).await.unwrap();
    show(&ids).await.unwrap();
    let entries = running.store.list_entries(position.sequence - 1, 9).await.unwrap();
    assert!(entries.iter().all(|entry| entry.action.as_str() == "credential.shown"));
    assert_eq!(
        (entries[0].subject.kind.as_ref(), &entries[0].subject.id),
        ("credential", &ids[0].to_string())
    );
    assert_eq!(
        (entries[1].subject.kind.as_ref(), &entries[1].subject.id),
        ("org", &tenant.org.id.to_string())
    );
    assert!(ids.iter().all(|id| entries[1].change.contains(&id.to_string())));
    assert!(entries.iter().all(|entry| entry.touched().is_empty()));
    running.stop().await;
}
