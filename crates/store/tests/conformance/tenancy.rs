//! No org sees or touches what is another's: "absent" and "not yours" are the same.

use claviger_model::{Credential, CredentialDetail, CredentialKind, OrgSettings};
use claviger_store::{Actor, Change, CredentialFilter, CredentialSort, Names, Page, Refusal, SortKey};

use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase, create, refusal, rename, revoke};

on_both_engines!(
    nothing_of_another_org_is_found,
    nothing_of_another_org_is_changed,
    a_credential_of_another_org_is_no_actor,
    an_owner_of_another_org_is_none,
);

async fn two_orgs(db: &TestDatabase) -> (Running, Tenant, Tenant) {
    let (running, ours) = db.start_with_org().await;
    let theirs = running.found_org(OrgSettings::default()).await;
    (running, ours, theirs)
}

async fn nothing_of_another_org_is_found(db: &TestDatabase) {
    let (running, ours, theirs) = two_orgs(db).await;
    let (store, org) = (&running.store, ours.org.id);
    for (credential, secret) in [&theirs.api_key, &theirs.app_key] {
        assert_eq!(store.find_credential(org, credential.id).await.unwrap(), None);
        assert_eq!(store.find_credential_by_digest(org, &secret.digest).await.unwrap(), None);
        assert_eq!(store.find_sealed_secret(org, credential.id).await.unwrap(), None);
    }
    assert_eq!(store.find_user(org, theirs.admin.id).await.unwrap(), None);
    assert_eq!(store.find_role(org, theirs.roles[0].id).await.unwrap(), None);
    let sort = CredentialSort { key: SortKey::CreatedAt, descending: true };
    for kind in [CredentialKind::ApiKey, CredentialKind::ApplicationKey] {
        let all = CredentialFilter::all(org, kind);
        let filters = [
            all.clone(),
            CredentialFilter { text: Some(String::new()), ..all.clone() },
            CredentialFilter { text: Some(theirs.api_key.0.last4.clone()), ..all.clone() },
            CredentialFilter { created_from: Some(START), ..all.clone() },
            CredentialFilter { owner: Some(theirs.admin.id), ..all },
        ];
        for filter in filters {
            let page = store.list_credentials(&filter, sort, Page::ALL).await.unwrap();
            assert!(page.items.iter().all(|credential| credential.org == org), "{filter:?}");
            assert_eq!(page.total, page.items.len() as i64, "{filter:?}");
        }
    }
    running.stop().await;
}

async fn nothing_of_another_org_is_changed(db: &TestDatabase) {
    let (running, ours, theirs) = two_orgs(db).await;
    // So that it is not their last one that saves it.
    let second = running.create(&running.draft_api_key(theirs.org.id, theirs.admin.id, "second")).await;
    running.create(&running.draft_api_key(ours.org.id, ours.admin.id, "second")).await;
    let raw = db.raw().await;
    let before = raw.dump().await;
    for credential in [&second, &theirs.app_key.0] {
        let claimed = Credential { org: ours.org.id, ..credential.clone() };
        for change in [rename(&claimed, "ours now"), revoke(&claimed)] {
            assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::Stale));
        }
    }
    assert_eq!(raw.dump().await, before);
    running.stop().await;
}

async fn a_credential_of_another_org_is_no_actor(db: &TestDatabase) {
    let (running, ours, theirs) = two_orgs(db).await;
    let change = Change::show_secrets(ours.org.id, &[], &theirs.actor());
    assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::ActorGone));
    running.store.commit(Change::show_secrets(ours.org.id, &[], &ours.actor())).await.unwrap();
    running.stop().await;
}

/// Whatever its names are: that they are taken is not said to another org.
async fn an_owner_of_another_org_is_none(db: &TestDatabase) {
    let (running, ours, theirs) = two_orgs(db).await;
    let mut made = running.draft_app_key(ours.org.id, ours.admin.id, &theirs.app_key.0.name);
    made.0.detail = CredentialDetail::ApplicationKey { owner: theirs.admin.id, scopes: None };
    let unique = Change::create_credential(&made.0, &made.1, Names::UniquePerOwner, &Actor::SERVER);
    for change in [create(&made), unique] {
        assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::OwnerDisabled));
    }
    running.stop().await;
}
