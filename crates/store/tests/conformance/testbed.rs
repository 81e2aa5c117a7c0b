//! A fresh database for each test, a store running on it, and what tests put into it.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_model::testing::{ManualClock, SeededRandom};
use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialState, Expiry, ManagedRole, Org, OrgId,
    OrgSettings, Position, Random, Role, RoleId, Scopes, Timestamp, User, UserId, UserKind,
};
use claviger_store::{
    Actor, Change, CommitError, Database, Entry, Feed, Founding, Location, Names, NewSecret, Refusal, Store,
    StoreError,
};
use claviger_vault::{KekRing, Vault};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::raw::Raw;

const POSTGRES_VARIABLE: &str = "CLAVIGER_TEST_POSTGRES";
const ENGINES_VARIABLE: &str = "CLAVIGER_TEST_ENGINES";
/// How long a test waits for a condition before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// When everything in these tests begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

pub(crate) async fn run_on_sqlite(case: impl AsyncFnOnce(&TestDatabase)) {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(directory.path().join("claviger.db"));
    case(&TestDatabase::new(location, Some(directory))).await;
}

/// Runs a case on a PostgreSQL database of its own, which is dropped afterwards, come what may.
pub(crate) async fn run_on_postgres(case: impl AsyncFnOnce(&TestDatabase)) {
    let Some(server) = postgres_address() else { return };
    let mut unique = [0; 8];
    claviger_vault::SystemRandom.fill(&mut unique);
    let name = format!("store_{:016x}", u64::from_le_bytes(unique));
    let admin = Raw::postgres(&server).await;
    // As in production, and unlike the cluster's, its order of text is not that of the bytes: no list may lean
    // on either.
    admin
        .execute(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'"
        ))
        .await;
    let (base, _) = server.rsplit_once('/').expect("an address ends with a database");
    let db = TestDatabase::new(Location::Postgres(format!("{base}/{name}")), None);
    let outcome = AssertUnwindSafe(case(&db)).catch_unwind().await;
    admin.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// The server that lends databases; none where the PostgreSQL half was switched off by name.
fn postgres_address() -> Option<String> {
    let engines = std::env::var(ENGINES_VARIABLE).unwrap_or_default();
    match (std::env::var(POSTGRES_VARIABLE), engines.as_str()) {
        (Ok(address), _) => Some(address),
        (Err(_), "sqlite") => None,
        (Err(_), _) => panic!(
            "the store is tested on PostgreSQL too, and {POSTGRES_VARIABLE} names none: run `cargo xtask test`, \
             or set {ENGINES_VARIABLE}=sqlite to leave that half out"
        ),
    }
}

/// An empty database, and all that outlives a restart of the store on it.
pub(crate) struct TestDatabase {
    pub(crate) location: Location,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) random: Arc<SeededRandom>,
    keks: KekRing,
    _directory: Option<TempDir>,
}

impl TestDatabase {
    fn new(location: Location, directory: Option<TempDir>) -> Self {
        let random = Arc::new(SeededRandom::new(1));
        let keks = KekRing::generate(&*random);
        Self { location, clock: Arc::new(ManualClock::new(START)), random, keks, _directory: directory }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.location, Location::Sqlite(_))
    }

    pub(crate) fn path(&self) -> PathBuf {
        match &self.location {
            Location::Sqlite(path) => path.clone(),
            Location::Postgres(_) => panic!("only SQLite has a file"),
        }
    }

    pub(crate) fn address(&self) -> &str {
        match &self.location {
            Location::Postgres(address) => address,
            Location::Sqlite(_) => panic!("only PostgreSQL has an address"),
        }
    }

    pub(crate) async fn raw(&self) -> Raw {
        match &self.location {
            Location::Sqlite(path) => Raw::sqlite(path),
            Location::Postgres(address) => Raw::postgres(address).await,
        }
    }

    pub(crate) async fn open(&self) -> Result<Database, StoreError> {
        Database::open(&self.location, &*self.clock).await
    }

    /// A store that nobody follows yet.
    pub(crate) async fn start_unfollowed(&self) -> (Store, Feed, Arc<Vault>) {
        self.start_at(&self.location).await
    }

    /// Like [`Self::start_unfollowed`], by another way to the same database.
    pub(crate) async fn start_at(&self, location: &Location) -> (Store, Feed, Arc<Vault>) {
        let mut database = Database::open(location, &*self.clock).await.unwrap();
        let keys = database.list_vault_keys().await.unwrap();
        let vault = if keys.is_empty() {
            let (vault, keys) = Vault::create(self.keks.clone(), self.random.clone(), START);
            database.found(&keys).await.unwrap();
            vault
        } else {
            Vault::unlock(self.keks.clone(), self.random.clone(), keys).unwrap()
        };
        let vault = Arc::new(vault);
        let (store, feed) = database.start(vault.clone(), self.clock.clone()).await.unwrap();
        (store, feed, vault)
    }

    /// A store with a follower that acknowledges everything at once.
    pub(crate) async fn start(&self) -> Running {
        Running::follow(self.start_unfollowed().await, self)
    }

    /// A store with an org in it.
    pub(crate) async fn start_with_org(&self) -> (Running, Tenant) {
        let running = self.start().await;
        let tenant = running.found_org(OrgSettings::default()).await;
        (running, tenant)
    }
}

/// A store at work, and everything that came out of its feed.
pub(crate) struct Running {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
    followed: Arc<Mutex<Vec<Entry>>>,
    follower: JoinHandle<()>,
}

/// An org with an admin, an API key and an application key.
pub(crate) struct Tenant {
    pub(crate) org: Org,
    pub(crate) roles: Vec<Role>,
    pub(crate) admin: User,
    pub(crate) api_key: (Credential, NewSecret),
    pub(crate) app_key: (Credential, NewSecret),
}

impl Running {
    pub(crate) fn follow((store, mut feed, vault): (Store, Feed, Arc<Vault>), db: &TestDatabase) -> Self {
        let followed = Arc::new(Mutex::new(Vec::new()));
        let kept = followed.clone();
        let follower = tokio::spawn(async move {
            while let Some(batch) = feed.next().await {
                kept.lock().unwrap().extend_from_slice(batch.entries());
                batch.acknowledge();
            }
        });
        Self { store, vault, clock: db.clock.clone(), random: db.random.clone(), followed, follower }
    }

    /// What came out of the feed so far.
    pub(crate) fn followed(&self) -> Vec<Entry> {
        self.followed.lock().unwrap().clone()
    }

    pub(crate) async fn stop(self) {
        self.store.close().await;
        self.follower.await.unwrap();
    }

    /// Founds an org with its built-in roles, an admin, a service account, and two keys.
    pub(crate) async fn found_org(&self, settings: OrgSettings) -> Tenant {
        let draft = self.draft_org(settings);
        self.store.commit(self.founding(&draft)).await.unwrap();
        draft
    }

    pub(crate) fn founding(&self, draft: &Tenant) -> Change {
        let data_key = self.vault.generate_org_key(draft.org.id, START);
        self.vault.add_org_key(&data_key).unwrap();
        Change::create_org(
            &Founding {
                org: &draft.org,
                data_key: &data_key,
                roles: &draft.roles,
                users: std::slice::from_ref(&draft.admin),
                credentials: &[draft.api_key.clone(), draft.app_key.clone()],
                registrations: &[draft.app_key.0.id],
            },
            None,
            &Actor::SERVER,
        )
    }

    pub(crate) fn draft_org(&self, settings: OrgSettings) -> Tenant {
        let id = OrgId::generate(&*self.random);
        let org = Org {
            id,
            // Chosen by the database; the first is this.
            number: 100_001,
            name: "Ada's org".to_owned(),
            subdomain: None,
            private_reach: Default::default(),
            settings,
            created_at: START,
            modified_at: START,
            disabled_at: None,
        };
        let role = |managed: ManagedRole| Role {
            id: RoleId::generate(&*self.random),
            org: id,
            name: managed.role_name().to_owned(),
            managed: Some(managed),
            permissions: managed.permissions(),
            created_at: START,
            modified_at: START,
        };
        let roles: Vec<_> = ManagedRole::ALL.into_iter().map(role).collect();
        let user = UserId::generate(&*self.random);
        let admin = User {
            id: user,
            org: id,
            kind: UserKind::Human,
            email: "ada@example.com".to_owned(),
            handle: "ada@example.com".to_owned(),
            name: Some("Ada".to_owned()),
            title: None,
            verified: true,
            created_at: START,
            modified_at: START,
            disabled_at: None,
            roles: vec![roles[0].id],
        };
        let api_key = self.draft_api_key(id, user, "first");
        let app_key = self.draft_app_key(id, user, "first");
        Tenant { org, roles, admin, api_key, app_key }
    }

    pub(crate) fn draft_api_key(&self, org: OrgId, by: UserId, name: &str) -> (Credential, NewSecret) {
        let detail = CredentialDetail::ApiKey { category: "default".to_owned(), remote_config_read: true };
        self.draft(org, by, detail, name)
    }

    pub(crate) fn draft_app_key(&self, org: OrgId, owner: UserId, name: &str) -> (Credential, NewSecret) {
        let scopes = Scopes::parse(["monitors_read", "dashboards_read"]).unwrap();
        self.draft(org, owner, CredentialDetail::ApplicationKey { owner, scopes }, name)
    }

    pub(crate) fn draft(
        &self,
        org: OrgId,
        by: UserId,
        detail: CredentialDetail,
        name: &str,
    ) -> (Credential, NewSecret) {
        let now = claviger_model::Clock::now(&*self.clock);
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        let secret = NewSecret {
            digest: self.vault.digest(&bytes),
            digest_key: self.vault.digest_key_id(),
            sealed: Some(bytes.to_vec()),
        };
        let credential = Credential {
            id: CredentialId::generate(&*self.random),
            org,
            detail,
            name: name.to_owned(),
            last4: format!("{:02x}{:02x}", bytes[0], bytes[1]),
            revision: 1,
            created_at: now,
            created_by: by,
            modified_at: now,
            modified_by: by,
            expiry: Expiry::Never,
            guards: claviger_model::Guards::NONE,
            state: CredentialState::Live,
            last_used: None,
        };
        (credential, secret)
    }

    /// Commits, and returns what is stored.
    pub(crate) async fn create(&self, made: &(Credential, NewSecret)) -> Credential {
        self.store.commit(create(made)).await.unwrap();
        made.0.clone()
    }

    pub(crate) async fn revoke(&self, credential: &Credential) -> Result<Position, CommitError> {
        self.store.commit(revoke(credential)).await
    }

    /// Commits changes so that all but the first few share one commit. The answers are in their order.
    pub(crate) async fn commit_together(
        &self,
        db: &TestDatabase,
        changes: Vec<Change>,
    ) -> Vec<Result<Position, CommitError>> {
        let raw = db.raw().await;
        raw.hold().await;
        let mut all = pin!(join_all(changes.into_iter().map(|change| self.store.commit(change))));
        tokio::select! {
            biased;
            _ = &mut all => panic!("the writer is held up"),
            () = std::future::ready(()) => {}
        }
        raw.release().await;
        all.await
    }

    /// The writer's counter of that name.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let metrics = self.store.metrics().read();
        metrics.iter().find(|metric| metric.0 == name).expect("there is such a metric").2
    }
}

impl Tenant {
    /// Whoever presents the tenant's application key.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            user: Some(self.admin.id),
            credentials: vec![self.api_key.0.id, self.app_key.0.id],
            registered: None,
            from: Some("192.0.2.1".to_owned()),
            request: None,
        }
    }
}

pub(crate) fn create((credential, secret): &(Credential, NewSecret)) -> Change {
    Change::create_credential(credential, secret, Names::Any, &Actor::SERVER)
}

pub(crate) fn revoke(credential: &Credential) -> Change {
    Change::revoke_credential(
        credential,
        START + Duration::from_secs(60),
        credential.created_by,
        &Actor::SERVER,
    )
}

pub(crate) fn rename(credential: &Credential, name: &str) -> Change {
    let renamed = Credential { name: name.to_owned(), ..credential.clone() };
    let changed = serde_json::json!({ "name": name });
    Change::update_credential(&renamed, &[], changed, Names::Any, &Actor::SERVER)
}

pub(crate) fn refusal(result: &Result<Position, CommitError>) -> Option<Refusal> {
    match result {
        Err(CommitError::Refused(refusal)) => Some(*refusal),
        _ => None,
    }
}

pub(crate) fn is_failed(result: &Result<Position, CommitError>) -> bool {
    matches!(result, Err(CommitError::Failed(_)))
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, holds).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"));
}
