//! A new org is there whole: itself, its keys, its roles, its people and their credentials.

use claviger_model::{CredentialKind, KeyPrefix, OrgSettings, Position};
use claviger_store::{
    CredentialFilter, CredentialSort, FIRST_SECRET_REVISION, Page, Refusal, SealedSecret, SortKey,
};

use crate::on_both_engines;
use crate::testbed::{TestDatabase, refusal};

on_both_engines!(an_org_reads_back_as_founded, orgs_are_numbered, a_failed_founding_leaves_nothing);

async fn an_org_reads_back_as_founded(db: &TestDatabase) {
    let settings = OrgSettings {
        api_keys_max: 7,
        application_keys_per_user_max: 9,
        native_keys_max: 11,
        native_key_prefix: KeyPrefix::parse("acme").unwrap(),
        ..OrgSettings::default()
    };
    let running = db.start().await;
    let tenant = running.found_org(settings).await;
    let store = &running.store;
    let org = tenant.org.id;

    assert_eq!(store.find_org(org).await.unwrap(), Some(tenant.org.clone()));
    assert_eq!(store.list_orgs().await.unwrap(), std::slice::from_ref(&tenant.org));
    assert_eq!(store.find_user(org, tenant.admin.id).await.unwrap(), Some(tenant.admin.clone()));
    assert_eq!(store.list_all_users().await.unwrap(), std::slice::from_ref(&tenant.admin));
    for role in &tenant.roles {
        assert_eq!(store.find_role(org, role.id).await.unwrap(), Some(role.clone()));
    }
    assert_eq!(store.list_all_roles().await.unwrap().len(), 3);
    assert_eq!(store.list_vault_keys().await.unwrap().len(), 3 + 1);

    for (credential, secret) in [&tenant.api_key, &tenant.app_key] {
        assert_eq!(store.find_credential(org, credential.id).await.unwrap().as_ref(), Some(credential));
        let by_digest = store.find_credential_by_digest(org, &secret.digest).await.unwrap();
        assert_eq!(by_digest.as_ref(), Some(credential));
        let sealed = secret.sealed.clone().unwrap();
        let expected = SealedSecret { revision: FIRST_SECRET_REVISION, sealed };
        assert_eq!(store.find_sealed_secret(org, credential.id).await.unwrap(), Some(expected));
    }
    let mut live = Vec::new();
    store.each_live_secret(|secret| live.push(secret.digest)).await.unwrap();
    live.sort_unstable();
    let mut digests = [tenant.api_key.1.digest, tenant.app_key.1.digest];
    digests.sort_unstable();
    assert_eq!(live, digests);
    let sort = CredentialSort { key: SortKey::Name, descending: false };
    let all = CredentialFilter::all(org, CredentialKind::ApiKey);
    assert_eq!(
        store.list_credentials(&all, sort, Page::ALL).await.unwrap().items,
        std::slice::from_ref(&tenant.api_key.0)
    );
    let raw = db.raw().await;
    assert_eq!(raw.int("SELECT COUNT(*) FROM app_key_registrations").await, 1);

    assert_eq!(store.head().await.unwrap(), Position { epoch: 1, sequence: 1 });
    let entries = store.list_entries(0, 10).await.unwrap();
    assert_eq!(entries, running.followed());
    assert_eq!(entries[0].action.as_str(), "org.created");
    assert_eq!(entries[0].org, Some(org));
    // The org, its roles, its user, its two keys, its registration.
    assert_eq!(entries[0].touched().len(), 1 + 3 + 1 + 2 + 1);
    let secrets = [&tenant.api_key, &tenant.app_key].map(|(_, secret)| secret.sealed.clone().unwrap());
    for sealed in secrets {
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!entries[0].change.contains(&hex), "an entry holds no secret");
    }
    running.stop().await;
}

async fn orgs_are_numbered(db: &TestDatabase) {
    let running = db.start().await;
    for number in 100_001..100_004 {
        let tenant = running.found_org(OrgSettings::default()).await;
        assert_eq!(running.store.find_org(tenant.org.id).await.unwrap().unwrap().number, number);
    }
    running.stop().await;
}

async fn a_failed_founding_leaves_nothing(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let raw = db.raw().await;
    let before = raw.dump().await;
    // The very last statements are the ones that fail: the secret is somebody's already.
    let mut draft = running.draft_org(OrgSettings::default());
    draft.app_key.1.digest = tenant.app_key.1.digest;
    let answer = running.store.commit(running.founding(&draft)).await;
    assert_eq!(refusal(&answer), Some(Refusal::Conflict));
    assert_eq!(raw.dump().await, before);
    running.stop().await;
}
