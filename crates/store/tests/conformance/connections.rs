//! Connections: made, changed, restricted, deleted, found and listed; and what the check of the record sees of them.

use std::time::Duration;

use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionSecrets, Health, OrgSettings, Principal, Relation,
    Timestamp,
};
use claviger_store::{
    Actor, Change, Check, ConnectionFilter, ConnectionSecret, ConnectionSort, Page, Refusal, Snapshot,
    SortBy, connection_secret_place,
};

use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase, refusal};

on_both_engines!(
    a_connection_reads_back_until_it_is_deleted,
    a_change_writes_and_erases_secrets,
    a_stale_change_is_refused,
    an_org_has_so_many_and_no_more,
    a_name_is_had_once_within_a_container,
    lists_are_filtered_sorted_and_kept_from_strangers,
    uses_are_merged_and_those_of_the_gone_are_dropped,
    what_a_test_said_is_forgotten_with_what_was_tested,
    what_is_to_be_checked_is_listed_when_its_time_has_come,
    orgs_take_turns_at_being_checked,
    an_end_is_warned_of_once_for_each_time_before_it,
    the_history_is_the_newest_first_and_stays,
    every_edit_behind_the_back_is_found,
    a_moved_secret_does_not_open_and_is_found,
);

/// A connection with these secrets.
fn draft(db: &TestDatabase, tenant: &Tenant, name: &str, secrets: &[&str]) -> Connection {
    Connection {
        id: ConnectionId::generate(&*db.random),
        org: tenant.org.id,
        dialect: ConnectionDialect::Datadog,
        container: None,
        name: name.to_owned(),
        integration: "Gitlab".to_owned(),
        credentials: "GitlabAPIKey".to_owned(),
        settings: r#"{"integration":"Gitlab","credentials":"GitlabAPIKey","fields":{}}"#.to_owned(),
        hosts: vec!["a.example".to_owned(), "b.example".to_owned()],
        tags: Some(claviger_model::Tags::new(["a:b".parse().unwrap()])),
        secrets: ConnectionSecrets(secrets.iter().map(|name| ((*name).to_owned(), 1)).collect()),
        restriction: None,
        terms: claviger_model::Terms::default(),
        revision: 1,
        created_at: START,
        created_by: tenant.admin.id,
        modified_at: START,
        modified_by: tenant.admin.id,
        expires_at: None,
    }
}

fn seal(running: &Running, connection: &Connection, name: &str, revision: i64) -> ConnectionSecret {
    let place = connection_secret_place(connection.org, connection.id, name, revision);
    let sealed = running.vault.seal(&place, format!("the secret {name}").as_bytes()).unwrap();
    ConnectionSecret { name: name.to_owned(), revision, sealed }
}

async fn create(running: &Running, connection: &Connection) {
    let secrets: Vec<_> = connection
        .secrets
        .0
        .iter()
        .map(|(name, revision)| seal(running, connection, name, *revision))
        .collect();
    running.store.commit(Change::create_connection(connection, &secrets, &Actor::SERVER)).await.unwrap();
}

async fn names(running: &Running, tenant: &Tenant, filter: ConnectionFilter) -> Vec<String> {
    let by_name = SortBy { key: ConnectionSort::Name, descending: false };
    let page = Page { offset: 0, limit: 100 };
    let found = running.store.list_connections(tenant.org.id, &filter, by_name, page).await.unwrap();
    assert_eq!(found.total_filtered, found.items.len() as i64);
    found.items.into_iter().map(|(connection, _)| connection.name).collect()
}

async fn findings(running: &Running, db: &TestDatabase) -> Vec<String> {
    let snapshot = Snapshot::open(&db.location).await.unwrap();
    let check = Check { vault: &running.vault, checkpoints: &[], is_state_wanted: true };
    let report = snapshot.verify_ledger(&check).await.unwrap();
    report.findings.iter().map(ToString::to_string).collect()
}

async fn a_connection_reads_back_until_it_is_deleted(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let other = running.found_org(tenant.org.settings).await;
    let made = draft(db, &tenant, "n", &["api_token"]);
    create(&running, &made).await;
    let (found, standing) = running.store.find_connection(tenant.org.id, made.id).await.unwrap().unwrap();
    assert_eq!((found, standing), (made.clone(), Default::default()));
    assert_eq!(running.store.find_connection(other.org.id, made.id).await.unwrap(), None);
    assert_eq!(running.store.list_connection_secrets(other.org.id, made.id).await.unwrap(), []);
    assert_eq!(running.store.find_org_of_connection(made.id).await.unwrap(), Some(tenant.org.id));
    assert_eq!(running.store.count_connections_of(tenant.org.id).await.unwrap(), 1);
    let again = Change::create_connection(&made, &[], &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(again).await), Some(Refusal::Conflict));
    assert_eq!(findings(&running, db).await, Vec::<String>::new());

    running.store.commit(Change::delete_connection(&made, &Actor::SERVER)).await.unwrap();
    assert_eq!(running.store.find_connection(tenant.org.id, made.id).await.unwrap(), None);
    assert_eq!(running.store.list_connection_secrets(tenant.org.id, made.id).await.unwrap(), []);
    assert_eq!(running.store.count_connections_of(tenant.org.id).await.unwrap(), 0);
    let again = Change::delete_connection(&made, &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(again).await), Some(Refusal::Stale));
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn a_change_writes_and_erases_secrets(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made = draft(db, &tenant, "n", &["one", "two"]);
    create(&running, &made).await;
    let mut changed = Connection { name: "m".to_owned(), hosts: Vec::new(), tags: None, ..made.clone() };
    changed.secrets = "one=1 three=2".parse().unwrap();
    let written = [seal(&running, &made, "three", 2)];
    let words = ["name".to_owned(), "hosts".to_owned()];
    let change = Change::update_connection(&changed, &written, &["two".to_owned()], &words, &tenant.actor());
    running.store.commit(change).await.unwrap();
    let (found, _) = running.store.find_connection(tenant.org.id, made.id).await.unwrap().unwrap();
    assert_eq!(found, Connection { revision: 2, ..changed.clone() });
    let kept = running.store.list_connection_secrets(tenant.org.id, made.id).await.unwrap();
    assert_eq!(
        kept.iter().map(|it| (it.name.as_str(), it.revision)).collect::<Vec<_>>(),
        [("one", 1), ("three", 2)]
    );
    let entry = running.followed().pop().unwrap();
    let told: serde_json::Value = serde_json::from_str(&entry.change).unwrap();
    let words = serde_json::json!([["name", "hosts"], ["three"], ["two"]]);
    assert_eq!(serde_json::json!([told["changed"], told["secrets_written"], told["secrets_erased"]]), words);
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn a_stale_change_is_refused(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let made = draft(db, &tenant, "n", &["one"]);
    create(&running, &made).await;
    let restricted = Connection {
        restriction: Some([(Relation::Editor, Principal::User(tenant.admin.id))].into_iter().collect()),
        ..made.clone()
    };
    running.store.commit(Change::restrict_connection(&restricted, &tenant.actor())).await.unwrap();
    let before = db.raw().await.dump().await;
    for change in [
        Change::update_connection(&made, &[seal(&running, &made, "one", 2)], &[], &[], &tenant.actor()),
        Change::restrict_connection(&made, &tenant.actor()),
        Change::delete_connection(&made, &tenant.actor()),
    ] {
        assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::Stale));
    }
    assert_eq!(db.raw().await.dump().await, before, "nothing of a refused change is done");
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn an_org_has_so_many_and_no_more(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    db.raw().await.execute("UPDATE orgs SET connections_max = 3").await;
    let all: Vec<_> = (0..5).map(|number| draft(db, &tenant, &format!("n{number}"), &[])).collect();
    let changes = all.iter().map(|one| Change::create_connection(one, &[], &Actor::SERVER)).collect();
    let outcomes = running.commit_together(db, changes).await;
    let refused = outcomes.iter().filter(|it| refusal(it) == Some(Refusal::LimitReached)).count();
    assert_eq!((refused, outcomes.iter().filter(|it| it.is_ok()).count()), (2, 3));
    running.store.commit(Change::delete_connection(&all[0], &Actor::SERVER)).await.unwrap();
    create(&running, &all[4]).await;
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn a_name_is_had_once_within_a_container(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let within =
        |name: &str| Connection { container: Some("zis".to_owned()), ..draft(db, &tenant, name, &[]) };
    let (first, second) = (within("n"), within("m"));
    create(&running, &first).await;
    create(&running, &second).await;
    let taken = Change::create_connection(&within("n"), &[], &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(taken).await), Some(Refusal::NameTaken));
    let renamed = Connection { name: "n".to_owned(), ..second };
    let taken = Change::update_connection(&renamed, &[], &[], &[], &Actor::SERVER);
    assert_eq!(refusal(&running.store.commit(taken).await), Some(Refusal::NameTaken));
    // Without a container, names may be had twice.
    create(&running, &draft(db, &tenant, "n", &[])).await;
    create(&running, &draft(db, &tenant, "n", &[])).await;
    assert_eq!(running.store.list_connections_named(tenant.org.id, "n").await.unwrap().len(), 3);
    running.stop().await;
}

async fn lists_are_filtered_sorted_and_kept_from_strangers(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let other = running.found_org(tenant.org.settings).await;
    create(&running, &draft(db, &other, "foreign", &[])).await;
    let seen = |principal| Some([(Relation::Viewer, principal)].into_iter().collect());
    for (name, integration, restriction) in [
        ("beta", "Gitlab", None),
        ("Alpha", "Notion", seen(Principal::User(tenant.admin.id))),
        ("gamma", "Gitlab", seen(Principal::Role(tenant.roles[0].id))),
        ("delta", "Gitlab", seen(Principal::Org(tenant.org.id))),
        ("hidden", "Gitlab", seen(Principal::User(other.admin.id))),
        ("nobody's", "Gitlab", seen(Principal::Role(tenant.roles[1].id))),
        ("per%cent", "HTTP", None),
    ] {
        let made = draft(db, &tenant, name, &[]);
        create(&running, &Connection { integration: integration.to_owned(), restriction, ..made }).await;
    }
    let list = async |filter| names(&running, &tenant, filter).await;
    let all = ConnectionFilter::default;
    assert_eq!(list(all()).await, ["Alpha", "beta", "delta", "gamma", "hidden", "nobody's", "per%cent"]);
    let mine = || ConnectionFilter { seen_by: Some(tenant.admin.id), ..all() };
    assert_eq!(list(mine()).await, ["Alpha", "beta", "delta", "gamma", "per%cent"]);
    assert_eq!(
        list(ConnectionFilter { integration: Some("Gitlab".into()), ..mine() }).await,
        ["beta", "delta", "gamma"]
    );
    assert_eq!(list(ConnectionFilter { text: Some("ALPH".into()), ..mine() }).await, ["Alpha"]);
    assert_eq!(list(ConnectionFilter { text: Some("%".into()), ..mine() }).await, ["per%cent"]);
    assert_eq!(
        list(ConnectionFilter { dialect: Some(ConnectionDialect::Zendesk), ..mine() }).await,
        Vec::<String>::new()
    );
    assert_eq!(
        list(ConnectionFilter { container: Some("zis".into()), ..mine() }).await,
        Vec::<String>::new()
    );

    // By id, however many come and go meanwhile.
    let (mut after, mut walked) = (None, Vec::new());
    loop {
        let page = running.store.list_connections_after(tenant.org.id, &mine(), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        walked.extend(page.into_iter().map(|it| it.name));
    }
    walked.sort();
    assert_eq!(walked, ["Alpha", "beta", "delta", "gamma", "per%cent"]);
    running.stop().await;
}

async fn uses_are_merged_and_those_of_the_gone_are_dropped(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let (made, gone) = (draft(db, &tenant, "n", &[]), draft(db, &tenant, "gone", &[]));
    create(&running, &made).await;
    let at = |seconds| START + Duration::from_secs(seconds);
    for seconds in [5, 9, 7] {
        running.store.record_connections_used(&[(made.id, at(seconds)), (gone.id, at(1))]).await.unwrap();
    }
    let (_, standing) = running.store.find_connection(tenant.org.id, made.id).await.unwrap().unwrap();
    assert_eq!(standing.last_used_at, Some(at(9)));
    let used = |since: Timestamp| ConnectionFilter { used_since: Some(since), ..ConnectionFilter::default() };
    assert_eq!(names(&running, &tenant, used(at(9))).await, ["n"]);
    assert_eq!(names(&running, &tenant, used(at(10))).await, Vec::<String>::new());
    // So is what tests said; what is said of another state of it, or of one that is gone, is not kept.
    let changed = Connection { revision: made.revision + 1, ..made.clone() };
    for (of, reason) in [(&made, "refused"), (&changed, "accepted"), (&gone, "accepted")] {
        running.store.record_connection_health(of, Health::Bad, reason, at(11)).await.unwrap();
    }
    let (_, standing) = running.store.find_connection(tenant.org.id, made.id).await.unwrap().unwrap();
    assert_eq!(standing.health, Some((Health::Bad, Some("refused".to_owned()), at(11))));
    assert_eq!(standing.last_used_at, Some(at(9)));
    // What was never used goes with the deletion too.
    running.store.commit(Change::delete_connection(&made, &Actor::SERVER)).await.unwrap();
    assert_eq!(db.raw().await.int("SELECT COUNT(*) FROM connection_standings").await, 0);
    running.stop().await;
}

async fn what_a_test_said_is_forgotten_with_what_was_tested(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let mut made = draft(db, &tenant, "n", &[]);
    create(&running, &made).await;
    let at = START + Duration::from_secs(11);
    type Edit = fn(&mut Connection);
    let changes: [(&str, Edit, bool); 6] = [
        ("name", |it| it.name = "m".to_owned(), true),
        ("terms", |it| it.terms.retries = 1, true),
        ("end", |it| it.expires_at = Some(START + Duration::from_secs(60)), true),
        ("settings", |it| it.settings = "{\"other\":1}".to_owned(), false),
        ("hosts", |it| it.hosts = vec!["a.example".to_owned()], false),
        ("secrets", |it| it.secrets.0.extend([("one".to_owned(), it.revision + 1)]), false),
    ];
    for (what, change, stays) in changes {
        running.store.record_connection_health(&made, Health::Ok, "accepted", at).await.unwrap();
        change(&mut made);
        running.store.commit(Change::update_connection(&made, &[], &[], &[], &tenant.actor())).await.unwrap();
        made.revision += 1;
        let (_, standing) = running.store.find_connection(tenant.org.id, made.id).await.unwrap().unwrap();
        let expected = stays.then(|| (Health::Ok, Some("accepted".to_owned()), at));
        assert_eq!(standing.health, expected, "{what}");
    }
    running.stop().await;
}

async fn what_is_to_be_checked_is_listed_when_its_time_has_come(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let at = |seconds| START + Duration::from_secs(seconds);
    let watched = |name: &str, seconds| {
        let mut one = draft(db, &tenant, name, &[]);
        one.terms.check_seconds = seconds;
        one
    };
    let (often, seldom) = (watched("often", Some(300)), watched("seldom", Some(3_000)));
    let ending = Connection { expires_at: Some(at(100)), ..watched("ending", Some(300)) };
    for one in [&often, &seldom, &ending, &watched("never", None)] {
        create(&running, one).await;
    }
    let due = async |seconds, limit| {
        let listed = running.store.list_connections_to_check(at(seconds), limit).await.unwrap();
        assert!(listed.iter().all(|(org, _)| *org == tenant.org.id));
        listed.into_iter().map(|(_, id)| id).collect::<std::collections::BTreeSet<_>>()
    };
    let ids = |of: &[&Connection]| of.iter().map(|one| one.id).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(due(0, 10).await, ids(&[&often, &seldom, &ending]), "nobody tested them yet");
    assert_eq!((due(0, 2).await.len(), due(100, 10).await), (2, ids(&[&often, &seldom])));
    for one in [&often, &seldom] {
        running.store.record_connection_health(one, Health::Ok, "accepted", at(100)).await.unwrap();
    }
    assert_eq!(due(399, 10).await, ids(&[]));
    // A tenth at most is added.
    assert_eq!(due(430, 10).await, ids(&[&often]));
    assert_eq!(due(3_400, 10).await, ids(&[&often, &seldom]));
    // Who waits longest comes first.
    running.store.record_connection_health(&often, Health::Ok, "accepted", at(3_000)).await.unwrap();
    assert_eq!(due(4_000, 1).await, ids(&[&seldom]));
    db.raw().await.execute("UPDATE orgs SET disabled_at = 1").await;
    assert_eq!(due(4_000, 10).await, ids(&[]));
    running.stop().await;
}

/// One org with many that wait long does not keep another's from its turn.
async fn orgs_take_turns_at_being_checked(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let other = running.found_org(OrgSettings::default()).await;
    let watched = |tenant: &Tenant, name: &str| {
        let mut one = draft(db, tenant, name, &[]);
        one.terms.check_seconds = Some(300);
        one
    };
    for number in 0..5 {
        create(&running, &watched(&tenant, &format!("n{number}"))).await;
    }
    let late = watched(&other, "late");
    create(&running, &late).await;
    running.store.record_connection_health(&late, Health::Ok, "accepted", START).await.unwrap();
    let after = START + Duration::from_secs(1_000);
    let listed = running.store.list_connections_to_check(after, 3).await.unwrap();
    let orgs: Vec<_> = listed.iter().map(|(org, _)| *org).collect();
    assert_eq!(orgs, [tenant.org.id, other.org.id, tenant.org.id]);
    running.stop().await;
}

async fn an_end_is_warned_of_once_for_each_time_before_it(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let at = |hours: u64| START + Duration::from_secs(hours * 3600);
    let ending = Connection { expires_at: Some(at(48)), ..draft(db, &tenant, "n", &[]) };
    create(&running, &ending).await;
    create(&running, &draft(db, &tenant, "endless", &[])).await;
    let expiring = async |now, hours: u64| {
        let within = Duration::from_secs(hours * 3600);
        running.store.list_expiring_connections(tenant.org.id, now, within, 10).await.unwrap().len()
    };
    let warn = async |connection: &Connection, hours: u64, now| {
        let within = Duration::from_secs(hours * 3600);
        running.store.commit(Change::warn_of_connection_expiry(connection, within, now)).await
    };
    assert_eq!((expiring(START, 24).await, expiring(START, 168).await), (0, 1));
    warn(&ending, 168, START).await.unwrap();
    assert_eq!(refusal(&warn(&ending, 168, START).await), Some(Refusal::Conflict));
    assert_eq!((expiring(START, 168).await, expiring(at(30), 24).await), (0, 1));
    warn(&ending, 24, at(30)).await.unwrap();
    assert_eq!(expiring(at(31), 168).await, 0, "who was warned late is not warned of the earlier time");
    assert_eq!(expiring(at(48), 168).await, 0, "what is over is not warned of");
    let moved = Connection { expires_at: Some(at(100)), ..ending.clone() };
    let change = Change::update_connection(&moved, &[], &[], &[], &Actor::SERVER);
    running.store.commit(change).await.unwrap();
    assert_eq!(refusal(&warn(&ending, 24, at(31)).await), Some(Refusal::Stale));
    assert_eq!(expiring(at(31), 168).await, 1);
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    running.stop().await;
}

async fn the_history_is_the_newest_first_and_stays(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let other = running.found_org(tenant.org.settings).await;
    let made = draft(db, &tenant, "n", &[]);
    create(&running, &made).await;
    create(&running, &draft(db, &tenant, "another", &[])).await;
    running.store.commit(Change::restrict_connection(&made, &tenant.actor())).await.unwrap();
    let read = Connection { revision: 2, ..made.clone() };
    running.store.commit(Change::delete_connection(&read, &tenant.actor())).await.unwrap();
    let list = async |org, page| running.store.list_entries_of_connection(org, made.id, page).await.unwrap();
    let actions = |(entries, total): (Vec<claviger_store::Entry>, i64)| {
        (entries.iter().map(|it| it.action.as_str().to_owned()).collect::<Vec<_>>(), total)
    };
    let all =
        ["connection.deleted", "connection.restricted", "connection.created"].map(str::to_owned).to_vec();
    assert_eq!(actions(list(tenant.org.id, Page { offset: 0, limit: 10 }).await), (all.clone(), 3));
    assert_eq!(actions(list(tenant.org.id, Page { offset: 1, limit: 1 }).await), (all[1..2].to_vec(), 3));
    assert_eq!(actions(list(other.org.id, Page { offset: 0, limit: 10 }).await), (Vec::new(), 0));
    running.stop().await;
}

/// Two connections in two orgs, with a secret each that has the same name and revision.
async fn two(db: &TestDatabase) -> (Running, Tenant, Connection, Connection) {
    let (running, tenant) = db.start_with_org().await;
    let other = running.found_org(tenant.org.settings).await;
    let (mine, foreign) =
        (draft(db, &tenant, "mine", &["one", "two"]), draft(db, &other, "foreign", &["one"]));
    create(&running, &mine).await;
    create(&running, &foreign).await;
    create(&running, &draft(db, &tenant, "third", &["one"])).await;
    assert_eq!(findings(&running, db).await, Vec::<String>::new());
    (running, tenant, mine, foreign)
}

async fn every_edit_behind_the_back_is_found(db: &TestDatabase) {
    let (running, tenant, mine, foreign) = two(db).await;
    let raw = db.raw().await;
    let (id, org, other) = (mine.id, tenant.org.id, foreign.org);
    let row = format!("connection:{id}");
    for (edit, undo) in [
        ("name = 'x'", "name = 'mine'"),
        ("settings = '{}'", &*format!("settings = '{}'", mine.settings)),
        ("hosts = 'evil.example'", "hosts = 'a.example b.example'"),
        ("integration = 'Notion'", "integration = 'Gitlab'"),
        ("credentials = 'x'", "credentials = 'GitlabAPIKey'"),
        ("dialect = 'zendesk'", "dialect = 'datadog'"),
        ("container = 'x'", "container = NULL"),
        ("secrets = 'one=1'", "secrets = 'one=1 two=1'"),
        ("secrets = 'one=1 two=2'", "secrets = 'one=1 two=1'"),
        (&*format!("restriction = 'editor:user:{}'", tenant.admin.id), "restriction = NULL"),
        ("expires_at = 7", "expires_at = NULL"),
        // An older secret would fit the next revision again.
        ("revision = 0", "revision = 1"),
        (&*format!("org_id = '{other}'"), &*format!("org_id = '{org}'")),
    ] {
        raw.execute(&format!("UPDATE connections SET {edit} WHERE id = '{id}'")).await;
        let found = findings(&running, db).await;
        assert!(found.iter().any(|it| it.contains(&row)), "{edit}: {found:?}");
        raw.execute(&format!("UPDATE connections SET {undo} WHERE id = '{id}'")).await;
        assert_eq!(findings(&running, db).await, Vec::<String>::new(), "{undo}");
    }
    for edit in [
        format!("DELETE FROM connection_secrets WHERE connection_id = '{id}' AND name = 'two'"),
        format!("UPDATE connection_secrets SET name = 'three' WHERE connection_id = '{id}' AND name = 'one'"),
        format!("UPDATE connection_secrets SET org_id = '{other}' WHERE connection_id = '{id}'"),
        "UPDATE orgs SET connections = connections + 1".to_owned(),
        "DELETE FROM connection_secrets; DELETE FROM connections".to_owned(),
    ] {
        raw.execute(&edit).await;
        let found = findings(&running, db).await;
        assert!(!found.is_empty(), "{edit}");
    }
    running.stop().await;
}

/// To another connection, field or org, it does not open, though names and revisions are the same.
async fn a_moved_secret_does_not_open_and_is_found(db: &TestDatabase) {
    let (running, tenant, mine, foreign) = two(db).await;
    let raw = db.raw().await;
    let sealed = async |connection: &Connection, name: &str| {
        let kept = running.store.list_connection_secrets(connection.org, connection.id).await.unwrap();
        kept.into_iter().find(|it| it.name == name).unwrap().sealed
    };
    let third = running.store.list_connections_named(tenant.org.id, "third").await.unwrap().remove(0);
    let own = sealed(&mine, "one").await;
    let place = connection_secret_place(mine.org, mine.id, "one", 1);
    assert_eq!(running.vault.open(&place, &own).unwrap().as_slice(), b"the secret one");
    assert_eq!(running.vault.is_sealed(&place, &own, b"the secret one"), Ok(true));
    assert_eq!(running.vault.is_sealed(&place, &own, b"another"), Ok(false));
    let mut flipped = own.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for moved in
        [sealed(&mine, "two").await, sealed(&third, "one").await, sealed(&foreign, "one").await, flipped]
    {
        assert!(running.vault.open(&place, &moved).is_err());
        let set = |bytes: &[u8]| {
            let literal = raw.literal(bytes);
            format!(
                "UPDATE connection_secrets SET sealed = {literal} WHERE connection_id = '{}' AND name = 'one'",
                mine.id
            )
        };
        raw.execute(&set(&moved)).await;
        let found = findings(&running, db).await;
        assert!(found.len() == 1 && found[0].contains(&mine.id.to_string()), "{found:?}");
        raw.execute(&set(&own)).await;
        assert_eq!(findings(&running, db).await, Vec::<String>::new());
    }
    // Nor does it with another revision of its own connection.
    assert!(running.vault.open(&connection_secret_place(mine.org, mine.id, "one", 2), &own).is_err());
    running.stop().await;
}
