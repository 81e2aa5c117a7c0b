//! Restrictions of connections: which lists show what, who is nobody, and what a stale reading may not do.

use std::time::Duration;

use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionSecrets, OrgId, OrgSettings, PermissionSet,
    Principal, Random, Relation, Restriction, Role, RoleId, User, UserId, UserKind,
};
use claviger_store::{
    Actor, Change, Check, ConnectionFilter, ConnectionSort, Page, Refusal, Snapshot, SortBy,
};

use crate::on_both_engines;
use crate::testbed::{Running, START, Tenant, TestDatabase, refusal};

on_both_engines!(
    a_list_shows_what_restrictions_say_and_no_more,
    those_who_are_nobody_are_named,
    what_was_read_before_a_restriction_is_not_changed_after_it,
    the_record_tells_of_a_restriction_that_was_edited,
);

async fn add_user(running: &Running, tenant: &Tenant, id: UserId, roles: &[RoleId]) -> User {
    let user = User {
        id,
        org: tenant.org.id,
        kind: UserKind::Human,
        email: format!("{id}@example.com"),
        handle: format!("{id}@example.com"),
        name: None,
        title: None,
        verified: true,
        created_at: START,
        modified_at: START,
        disabled_at: None,
        roles: roles.to_vec(),
    };
    running.store.commit(Change::create_user(&user, &Actor::SERVER)).await.unwrap();
    user
}

async fn add_role(running: &Running, tenant: &Tenant, id: RoleId) -> Role {
    let role = Role {
        id,
        org: tenant.org.id,
        name: id.to_string(),
        managed: None,
        permissions: PermissionSet::EMPTY,
        created_at: START,
        modified_at: START,
    };
    running.store.commit(Change::create_role(&role, tenant.admin.id, &Actor::SERVER)).await.unwrap();
    role
}

async fn remove_role(running: &Running, tenant: &Tenant, role: &Role) {
    let at = START + Duration::from_secs(1);
    running.store.commit(Change::remove_role(role, at, tenant.admin.id, &Actor::SERVER)).await.unwrap();
}

fn draft(db: &TestDatabase, tenant: &Tenant, restriction: Option<Restriction>) -> Connection {
    Connection {
        id: ConnectionId::generate_at(&*db.random, START),
        org: tenant.org.id,
        dialect: ConnectionDialect::Datadog,
        container: None,
        name: "Connection".to_owned(),
        integration: "HTTP".to_owned(),
        credentials: "HTTPTokenAuth".to_owned(),
        settings: "{}".to_owned(),
        hosts: Vec::new(),
        tags: None,
        secrets: ConnectionSecrets::default(),
        restriction,
        terms: claviger_model::Terms::default(),
        revision: 1,
        created_at: START,
        created_by: tenant.admin.id,
        modified_at: START,
        modified_by: tenant.admin.id,
        expires_at: None,
    }
}

async fn add(running: &Running, connection: &Connection) {
    running.store.commit(Change::create_connection(connection, &[], &Actor::SERVER)).await.unwrap();
}

/// The ids of those connections that a user is shown, and how many there are said to be.
async fn shown(running: &Running, org: OrgId, user: UserId) -> (Vec<ConnectionId>, i64) {
    let filter = ConnectionFilter { seen_by: Some(user), ..ConnectionFilter::default() };
    let sort = SortBy { key: ConnectionSort::CreatedAt, descending: false };
    let page =
        running.store.list_connections(org, &filter, sort, Page { offset: 0, limit: 1000 }).await.unwrap();
    let mut ids: Vec<_> = page.items.into_iter().map(|(connection, _)| connection.id).collect();
    ids.sort_unstable();
    (ids, page.total_filtered)
}

fn one(relation: Relation, principal: Principal) -> Restriction {
    [(relation, principal)].into_iter().collect()
}

/// The filter is SQL over the text that is kept; what it must come to is the model's to say. Ids are drawn from few,
/// so that a user's id is also a role's and an org's, and texts look alike.
async fn a_list_shows_what_restrictions_say_and_no_more(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let org = tenant.org.id;
    let ids: Vec<_> = (0..4).map(|_| UserId::generate(&*db.random).uuid()).collect();
    let mut roles = Vec::new();
    for id in &ids {
        roles.push(add_role(&running, &tenant, RoleId::from_uuid(*id)).await);
    }
    let mut users = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        let held: Vec<_> = roles[..index].iter().map(|role| role.id).collect();
        users.push(add_user(&running, &tenant, UserId::from_uuid(*id), &held).await);
    }
    // Everybody after the first had it; nobody has it any more.
    remove_role(&running, &tenant, &roles[0]).await;
    let held = |user: &User, role: RoleId| role != roles[0].id && user.roles.contains(&role);

    let mut bytes = [0; 1];
    let mut draw = |below: usize| {
        db.random.fill(&mut bytes);
        usize::from(bytes[0]) % below
    };
    let mut connections = vec![draft(db, &tenant, None), draft(db, &tenant, Some(Restriction::default()))];
    for _ in 0..120 {
        let count = 1 + draw(3);
        let given = (0..count).map(|_| {
            let id = ids[draw(ids.len())];
            let principal = match draw(8) {
                0..=2 => Principal::User(UserId::from_uuid(id)),
                3..=5 => Principal::Role(RoleId::from_uuid(id)),
                6 => Principal::Org(OrgId::from_uuid(id)),
                _ => Principal::Org(org),
            };
            (Relation::ALL[draw(3)], principal)
        });
        let restriction = given.collect();
        connections.push(draft(db, &tenant, Some(restriction)));
    }
    for connection in &connections {
        add(&running, connection).await;
    }
    // Another org's are nobody's here, however open.
    let other = running.found_org(OrgSettings::default()).await;
    add(&running, &draft(db, &other, None)).await;
    add(&running, &draft(db, &other, Some(one(Relation::Editor, Principal::User(users[0].id))))).await;

    let mut counts = Vec::new();
    for user in &users {
        let may_see = |connection: &&Connection| match &connection.restriction {
            None => true,
            Some(restriction) => restriction.relation_of(org, user.id, |role| held(user, role)).is_some(),
        };
        let mut expected: Vec<_> =
            connections.iter().filter(may_see).map(|connection| connection.id).collect();
        expected.sort_unstable();
        let count = i64::try_from(expected.len()).unwrap();
        assert_eq!(shown(&running, org, user.id).await, (expected, count), "{}", user.id);
        counts.push(count);
    }
    // There was something to tell apart.
    let all = i64::try_from(connections.len()).unwrap();
    assert!(counts.iter().all(|count| (20..all).contains(count)), "{counts:?} of {all}");

    // A removed role and a disabled user in a restriction give nothing, and take nothing from the others in it.
    let given = [
        (Relation::Editor, Principal::Role(roles[0].id)),
        (Relation::Editor, Principal::User(users[1].id)),
        (Relation::Viewer, Principal::User(users[2].id)),
    ];
    let late = draft(db, &tenant, Some(given.into_iter().collect()));
    add(&running, &late).await;
    let at = START + Duration::from_secs(1);
    let disabled = User { disabled_at: Some(at), modified_at: at, ..users[1].clone() };
    let disable = Change::update_user(&disabled, &users[1], &[], tenant.admin.id, &Actor::SERVER);
    running.store.commit(disable).await.unwrap();
    assert!(shown(&running, org, users[2].id).await.0.contains(&late.id));
    assert!(!shown(&running, org, users[3].id).await.0.contains(&late.id), "the removed role was theirs");
    running.stop().await;
}

async fn those_who_are_nobody_are_named(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let other = running.found_org(OrgSettings::default()).await;
    let gone = add_role(&running, &tenant, RoleId::generate(&*db.random)).await;
    remove_role(&running, &tenant, &gone).await;
    let disabled = add_user(&running, &tenant, UserId::generate(&*db.random), &[]).await;
    let at = START + Duration::from_secs(1);
    let now = User { disabled_at: Some(at), modified_at: at, ..disabled.clone() };
    let disable = Change::update_user(&now, &disabled, &[], tenant.admin.id, &Actor::SERVER);
    running.store.commit(disable).await.unwrap();
    let known = [
        Principal::Org(tenant.org.id),
        Principal::Role(tenant.roles[0].id),
        Principal::User(tenant.admin.id),
        Principal::User(disabled.id),
    ];
    let unknown = [
        Principal::Org(other.org.id),
        Principal::Role(other.roles[0].id),
        Principal::Role(gone.id),
        Principal::User(other.admin.id),
        // Somebody's id, but not of this kind.
        Principal::Role(RoleId::from_uuid(tenant.admin.id.uuid())),
        Principal::User(UserId::from_uuid(tenant.roles[0].id.uuid())),
    ];
    let all: Vec<_> = known.into_iter().chain(unknown).collect();
    assert_eq!(running.store.find_missing_principals(tenant.org.id, &all).await.unwrap(), unknown);
    assert_eq!(running.store.find_missing_principals(tenant.org.id, &known).await.unwrap(), []);
    assert_eq!(running.store.find_missing_principals(tenant.org.id, &[]).await.unwrap(), []);
    running.stop().await;
}

async fn what_was_read_before_a_restriction_is_not_changed_after_it(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let read = draft(db, &tenant, None);
    add(&running, &read).await;
    let restricted = Connection {
        restriction: Some(one(Relation::Editor, Principal::User(tenant.admin.id))),
        ..read.clone()
    };
    let stale = || {
        [
            Change::update_connection(
                &Connection { name: "Late".to_owned(), ..read.clone() },
                &[],
                &[],
                &[],
                &Actor::SERVER,
            ),
            Change::restrict_connection(&Connection { restriction: None, ..read.clone() }, &Actor::SERVER),
            Change::delete_connection(&read, &Actor::SERVER),
        ]
    };
    // In one commit, and by itself.
    let mut changes = vec![Change::restrict_connection(&restricted, &Actor::SERVER)];
    changes.extend(stale());
    let outcomes = running.commit_together(db, changes).await;
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    for outcome in &outcomes[1..] {
        assert_eq!(refusal(outcome), Some(Refusal::Stale));
    }
    for change in stale() {
        assert_eq!(refusal(&running.store.commit(change).await), Some(Refusal::Stale));
    }
    let (kept, _) = running.store.find_connection(tenant.org.id, read.id).await.unwrap().unwrap();
    assert_eq!(kept, Connection { revision: 2, ..restricted });
    running.stop().await;
}

async fn the_record_tells_of_a_restriction_that_was_edited(db: &TestDatabase) {
    let (running, tenant) = db.start_with_org().await;
    let connection = draft(db, &tenant, None);
    add(&running, &connection).await;
    let admin = Principal::User(tenant.admin.id);
    let restricted = Connection { restriction: Some(one(Relation::Editor, admin)), ..connection.clone() };
    running.store.commit(Change::restrict_connection(&restricted, &Actor::SERVER)).await.unwrap();
    let findings = async || {
        let snapshot = Snapshot::open(&db.location).await.unwrap();
        let check = Check { vault: &running.vault, checkpoints: &[], is_state_wanted: true };
        let report = snapshot.verify_ledger(&check).await.unwrap();
        report.findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(findings().await, Vec::<String>::new());
    let raw = db.raw().await;
    for edited in ["NULL".to_owned(), "''".to_owned(), format!("'editor:org:{}'", tenant.org.id)] {
        raw.execute(&format!("UPDATE connections SET restriction = {edited}")).await;
        let found = findings().await;
        let about = format!("connection:{}", connection.id);
        assert!(found.len() == 1 && found[0].contains(&about), "{edited}: {found:?}");
    }
    let again = Connection { revision: 2, restriction: None, ..connection };
    running.store.commit(Change::restrict_connection(&again, &Actor::SERVER)).await.unwrap();
    assert_eq!(findings().await, Vec::<String>::new());
    running.stop().await;
}
