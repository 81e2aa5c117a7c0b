//! Lists: what the filters let through, in which order, page by page.

use std::time::Duration;

use claviger_model::{
    Credential, CredentialDetail, CredentialKind, Expiry, OrgId, Scopes, Timestamp, UserId, UserKind,
    collation_key,
};
use claviger_store::{Actor, Change, CredentialFilter, CredentialSort, Page, SortKey};

use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase};

on_both_engines!(
    names_sort_as_the_vendors,
    every_sort_key_in_both_directions,
    pages_have_no_gaps_and_no_repeats,
    a_filter_takes_wildcards_for_themselves,
    a_filter_knows_no_case,
    a_filter_finds_the_last_four_exactly,
    an_impossible_filter_finds_nothing,
    bounds_are_inclusive,
    filters_combine,
    the_dead_are_not_listed,
    both_kinds_of_token_are_listed_together,
);

const BY_NAME: CredentialSort = CredentialSort { key: SortKey::Name, descending: false };

/// An org with an API key of each name, beside the first one; they are made a second apart.
async fn with_names(db: &TestDatabase, names: &[&str]) -> (Running, Tenant, Vec<Credential>) {
    let (running, tenant) = db.start_with_org().await;
    let mut made = vec![tenant.api_key.0.clone()];
    for name in names {
        db.clock.advance_micros(1_000_000);
        made.push(running.create(&running.draft_api_key(tenant.org.id, tenant.admin.id, name)).await);
    }
    (running, tenant, made)
}

fn api_keys(org: OrgId) -> CredentialFilter {
    CredentialFilter::all(org, CredentialKind::ApiKey)
}

async fn names_of(running: &Running, filter: &CredentialFilter) -> Vec<String> {
    let page = running.store.list_credentials(filter, BY_NAME, Page::ALL).await.unwrap();
    assert_eq!(page.total, page.items.len() as i64);
    page.items.into_iter().map(|credential| credential.name).collect()
}

/// The names that a text finds.
async fn found(running: &Running, tenant: &Tenant, text: &str) -> Vec<String> {
    names_of(running, &CredentialFilter { text: Some(text.to_owned()), ..api_keys(tenant.org.id) }).await
}

async fn names_sort_as_the_vendors(db: &TestDatabase) {
    let names =
        ["tUp", "[DO NOT DELETE] x", "_tDK", "ddiner-test", "SuQ", "ddiner test", "Äpfel", "zebra", "apfel"];
    let (running, tenant, _) = with_names(db, &names).await;
    let listed = names_of(&running, &api_keys(tenant.org.id)).await;
    assert_eq!(
        listed,
        [
            "apfel",
            "ddiner test",
            "ddiner-test",
            "[DO NOT DELETE] x",
            "first",
            "SuQ",
            "_tDK",
            "tUp",
            "zebra",
            "Äpfel"
        ]
    );
    running.stop().await;
}

type Key = (Vec<u8>, String);

fn sort_key(sort: SortKey, credential: &Credential) -> Key {
    let moment = |at: Timestamp| at.micros().to_be_bytes().to_vec();
    let key = match sort {
        SortKey::Name => collation_key(&credential.name),
        SortKey::CreatedAt => moment(credential.created_at),
        SortKey::ModifiedAt => moment(credential.modified_at),
        SortKey::Last4 => credential.last4.clone().into_bytes(),
        // Without an end it comes last; never used, first.
        SortKey::ExpiresAt => credential.expiry.timestamp().map_or(vec![0xff], moment),
        SortKey::LastUsedAt => credential.last_used.map_or(vec![], moment),
    };
    (key, credential.id.to_string())
}

const ALL_SORTS: [SortKey; 6] = [
    SortKey::Name,
    SortKey::CreatedAt,
    SortKey::ModifiedAt,
    SortKey::Last4,
    SortKey::ExpiresAt,
    SortKey::LastUsedAt,
];

/// Forty API keys with many equal names, moments and endings; some have no end, some were never used.
async fn with_ties(db: &TestDatabase) -> (Running, Tenant, Vec<Credential>) {
    let (running, tenant) = db.start_with_org().await;
    let mut all = vec![tenant.api_key.0.clone()];
    let endings = ["aaaa", "AAAA", "Zz09", "a_b-", "0000", "-a00", "aB00", "ab00", "Ab00"];
    for number in 0..40_usize {
        let mut made =
            running.draft_api_key(tenant.org.id, tenant.admin.id, ["same", "Same", "other"][number % 3]);
        made.0.created_at = START + Duration::from_micros(number as u64 / 7);
        made.0.modified_at = START + Duration::from_micros(number as u64 % 5);
        made.0.last4 = endings[number % endings.len()].to_owned();
        let moment = |nth: usize| START + Duration::from_secs(86_400 + nth as u64);
        made.0.expiry = Expiry::from((!number.is_multiple_of(3)).then(|| moment(number % 4)));
        let mut created = running.create(&made).await;
        created.last_used = number.is_multiple_of(2).then(|| moment(number % 5));
        if let Some(at) = created.last_used {
            running.store.record_last_used(&[(created.id, at)]).await.unwrap();
        }
        all.push(created);
    }
    (running, tenant, all)
}

async fn every_sort_key_in_both_directions(db: &TestDatabase) {
    let (running, tenant, mut all) = with_ties(db).await;
    for key in ALL_SORTS {
        all.sort_by_key(|credential| sort_key(key, credential));
        for descending in [false, true] {
            let sort = CredentialSort { key, descending };
            let page =
                running.store.list_credentials(&api_keys(tenant.org.id), sort, Page::ALL).await.unwrap();
            assert!(page.items == all, "{sort:?}");
            assert_eq!(page.total, all.len() as i64);
            all.reverse();
        }
    }
    running.stop().await;
}

async fn pages_have_no_gaps_and_no_repeats(db: &TestDatabase) {
    let (running, tenant, all) = with_ties(db).await;
    let filters = [
        api_keys(tenant.org.id),
        CredentialFilter { text: Some("SAME".to_owned()), ..api_keys(tenant.org.id) },
    ];
    for filter in filters {
        let wanted = |credential: &&Credential| {
            filter.text.is_none() || credential.name != "other" && credential.name != "first"
        };
        let mut whole: Vec<_> = all.iter().filter(wanted).cloned().collect();
        for key in ALL_SORTS {
            whole.sort_by_key(|credential| sort_key(key, credential));
            for limit in [1, 7, 41] {
                let mut pages = Vec::new();
                for offset in (0..).step_by(limit) {
                    let page = Page { offset, limit: limit as i64 };
                    let sort = CredentialSort { key, descending: false };
                    let page = running.store.list_credentials(&filter, sort, page).await.unwrap();
                    assert_eq!(page.total, whole.len() as i64);
                    if page.items.is_empty() {
                        break;
                    }
                    pages.extend(page.items);
                }
                assert!(pages == whole, "{key:?} by {limit}");
            }
        }
    }
    running.stop().await;
}

async fn a_filter_takes_wildcards_for_themselves(db: &TestDatabase) {
    let names = ["100% sure", "a_b", "a\\b", "axb", "a%b", "$1", "it's", "[x]*?"];
    let (running, tenant, _) = with_names(db, &names).await;
    for (text, wanted) in [
        ("%", vec!["100% sure", "a%b"]),
        ("_", vec!["a_b"]),
        ("\\", vec!["a\\b"]),
        ("a_b", vec!["a_b"]),
        ("a%b", vec!["a%b"]),
        ("a\\b", vec!["a\\b"]),
        ("\\%", vec![]),
        ("$1", vec!["$1"]),
        ("'", vec!["it's"]),
        ("[x]*", vec!["[x]*?"]),
        ("", vec!["[x]*?", "$1", "100% sure", "a%b", "a\\b", "a_b", "axb", "first", "it's"]),
    ] {
        let mut found = found(&running, &tenant, text).await;
        let mut wanted = wanted;
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{text:?}");
    }
    running.stop().await;
}

async fn a_filter_knows_no_case(db: &TestDatabase) {
    let names = ["ÄPFEL", "Straße", "ΟΔΟΣ ΑΒΓ", "Łódź", "ПРИВЕТ", "plain Key"];
    let (running, tenant, _) = with_names(db, &names).await;
    for (text, name) in [
        ("äpf", "ÄPFEL"),
        ("ÄpF", "ÄPFEL"),
        ("STRAß", "Straße"),
        ("οδος α", "ΟΔΟΣ ΑΒΓ"),
        ("οδοσ α", "ΟΔΟΣ ΑΒΓ"),
        ("ΟΔΟΣ", "ΟΔΟΣ ΑΒΓ"),
        ("Σ", "ΟΔΟΣ ΑΒΓ"),
        ("łÓDŹ", "Łódź"),
        ("привет", "ПРИВЕТ"),
        ("LAIN k", "plain Key"),
    ] {
        assert_eq!(found(&running, &tenant, text).await, [name], "{text:?}");
    }
    assert!(found(&running, &tenant, "apfel").await.is_empty(), "an accent is not a case");
    running.stop().await;
}

async fn a_filter_finds_the_last_four_exactly(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let mut made = running.draft_api_key(tenant.org.id, tenant.admin.id, "by its ending");
    made.0.last4 = "aB%x".to_owned();
    running.create(&made).await;
    assert_eq!(found(&running, &tenant, "aB%x").await, ["by its ending"]);
    for text in ["ab%x", "aB%", "B%x", "aB%%", "aB_x", " aB%x"] {
        assert!(found(&running, &tenant, text).await.is_empty(), "{text:?}");
    }
    running.stop().await;
}

/// PostgreSQL takes no NUL and SQLite no endless pattern; neither can be part of a name.
async fn an_impossible_filter_finds_nothing(db: &TestDatabase) {
    let (running, tenant, _) = with_names(db, &["name"]).await;
    for text in ["\0", "na\0me", &"n".repeat(200_000), &"%".repeat(60_000)] {
        assert!(found(&running, &tenant, text).await.is_empty());
    }
    let filter = CredentialFilter { category: Some("defa\0ult".to_owned()), ..api_keys(tenant.org.id) };
    assert!(names_of(&running, &filter).await.is_empty());
    running.stop().await;
}

async fn bounds_are_inclusive(db: &TestDatabase) {
    let (running, tenant, made) = with_names(db, &["b", "c", "d"]).await;
    let all = api_keys(tenant.org.id);
    let (from, to) = (Some(made[1].created_at), Some(made[2].created_at));
    let past = |at: Option<Timestamp>| at.map(|at| at + Duration::from_micros(1));
    let before = |at: Option<Timestamp>| at.map(|at| at - Duration::from_micros(1));
    let within = async |from, to| {
        let created = CredentialFilter { created_from: from, created_to: to, ..all.clone() };
        let modified = CredentialFilter { modified_from: from, modified_to: to, ..all.clone() };
        let names = names_of(&running, &created).await;
        assert_eq!(names_of(&running, &modified).await, names);
        names
    };
    assert_eq!(within(from, to).await, ["b", "c"]);
    assert_eq!(within(from, from).await, ["b"]);
    assert_eq!(within(past(from), to).await, ["c"]);
    assert_eq!(within(from, before(to)).await, ["b"]);
    assert_eq!(within(from, None).await, ["b", "c", "d"]);
    assert_eq!(within(None, to).await, ["b", "c", "first"]);
    assert!(within(to, from).await.is_empty());
    running.stop().await;
}

async fn filters_combine(db: &TestDatabase) {
    let (running, tenant, made) = with_names(db, &["one", "two"]).await;
    let mut other = running.draft_api_key(tenant.org.id, tenant.admin.id, "one more");
    other.0.detail = CredentialDetail::ApiKey { category: "other".to_owned(), remote_config_read: false };
    running.create(&other).await;
    running.create(&running.draft_app_key(tenant.org.id, tenant.admin.id, "one of another kind")).await;
    let all = api_keys(tenant.org.id);
    let names = async |filter| names_of(&running, &filter).await;
    let category = Some("other".to_owned());
    assert_eq!(names(CredentialFilter { category: category.clone(), ..all.clone() }).await, ["one more"]);
    assert_eq!(
        names(CredentialFilter { remote_config_read: Some(true), ..all.clone() }).await,
        ["first", "one", "two"]
    );
    assert_eq!(
        names(CredentialFilter { text: Some("one".into()), remote_config_read: Some(true), ..all.clone() })
            .await,
        ["one"]
    );
    let everything = CredentialFilter {
        text: Some("ONE".into()),
        category,
        remote_config_read: Some(false),
        created_from: Some(made[2].created_at),
        created_to: Some(other.0.created_at),
        modified_from: Some(START),
        modified_to: Some(other.0.modified_at),
        ..all.clone()
    };
    assert_eq!(names(everything).await, ["one more"]);

    let owned = CredentialFilter {
        owner: Some(tenant.admin.id),
        ..CredentialFilter::all(tenant.org.id, CredentialKind::ApplicationKey)
    };
    assert_eq!(names(owned.clone()).await, ["first", "one of another kind"]);
    assert!(names(CredentialFilter { owner: owned.owner, ..all }).await.is_empty(), "API keys have no owner");
    running.stop().await;
}

async fn the_dead_are_not_listed(db: &TestDatabase) {
    let (running, tenant, made) = with_names(db, &["dies", "stays"]).await;
    running.revoke(&made[1]).await.unwrap();
    assert_eq!(names_of(&running, &api_keys(tenant.org.id)).await, ["first", "stays"]);
    assert!(found(&running, &tenant, "dies").await.is_empty());
    assert!(found(&running, &tenant, &made[1].last4).await.is_empty());
    let beyond = Page { offset: 99, limit: 10 };
    let page = running.store.list_credentials(&api_keys(tenant.org.id), BY_NAME, beyond).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 2));
    running.stop().await;
}

async fn both_kinds_of_token_are_listed_together(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (org, admin) = (tenant.org.id, tenant.admin.id);
    let mut machine = tenant.admin.clone();
    machine.id = UserId::generate(&*db.random);
    machine.kind = UserKind::ServiceAccount;
    running.store.commit(Change::create_user(&machine, &Actor::SERVER)).await.unwrap();
    let scopes = Scopes::parse(["monitors_read"]).unwrap().unwrap();
    for (owner, name, is_personal) in
        [(admin, "b", true), (admin, "d", true), (machine.id, "a", true), (machine.id, "c", false)]
    {
        let (scopes, public_portion) = (scopes.clone(), format!("portion of {name}"));
        let detail = match is_personal {
            true => CredentialDetail::PersonalAccessToken { owner, scopes, public_portion },
            false => CredentialDetail::ServiceAccessToken { owner, scopes, public_portion },
        };
        let mut made = running.draft(org, owner, detail, name);
        (made.0.last4, made.1.sealed) = ("last".to_owned(), None);
        let created = running.create(&made).await;
        assert_eq!(running.store.find_credential(org, created.id).await.unwrap().as_ref(), Some(&created));
    }
    let personal = CredentialFilter::all(org, CredentialKind::PersonalAccessToken);
    let service = CredentialFilter::all(org, CredentialKind::ServiceAccessToken);
    let both = CredentialFilter { other_kind: Some(service.kind), ..personal.clone() };
    let of = |owners: &[UserId]| CredentialFilter { owners: Some(owners.to_vec()), ..both.clone() };
    for (filter, wanted) in [
        (personal, vec!["a", "b", "d"]),
        (service, vec!["c"]),
        (both.clone(), vec!["a", "b", "c", "d"]),
        (CredentialFilter { owner: Some(admin), ..both.clone() }, vec!["b", "d"]),
        (of(&[admin]), vec!["b", "d"]),
        (of(&[machine.id, admin, admin]), vec!["a", "b", "c", "d"]),
        (of(&[]), vec![]),
        (CredentialFilter { owner: Some(admin), ..of(&[machine.id]) }, vec![]),
        (CredentialFilter { text: Some("C".to_owned()), ..both.clone() }, vec!["c"]),
        // Of a token's secret nothing is found by its end.
        (CredentialFilter { text: Some("last".to_owned()), ..both }, vec![]),
    ] {
        assert_eq!(names_of(&running, &filter).await, wanted, "{filter:?}");
    }
    running.stop().await;
}
