//! The engine itself: what use cases share, and the work in the background.

use std::sync::Arc;
use std::time::Duration;

use claviger_model::{Clock, Position};
use claviger_store::{Batch, Checkpoint, Entry, Feed, Store, StoreError, StoreMetrics};
use claviger_vault::{Digest, Vault};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Error;
use crate::connections::ConnectionOptions;
use crate::dead_list::{DeadList, NoDeadList};
use crate::directory::Directory;
use crate::hashing::Hashing;
use crate::sweeping::Sweeping;
use crate::usage::{self, ConnectionUsage, Usage, UsageNotes};
use crate::zis_signing::KeyMaking;

/// How often replaced secrets whose time is over are buried, and sessions that are over are ended. Both are refused from
/// their very end on.
const BURIAL_PERIOD: Duration = Duration::from_secs(30);
/// How often last-used times are written.
const FLUSH_PERIOD: Duration = Duration::from_secs(5);
/// The pause before entries that could not be applied are tried again; until then the server answers 503.
const APPLY_PAUSE: Duration = Duration::from_millis(100);
/// The pause before the dead are written again; until then no change is answered.
const DEAD_LIST_PAUSE: Duration = Duration::from_secs(1);

/// Everything that use cases need. Shared by all requests.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) directory: Directory,
    pub(crate) usage: Usage,
    pub(crate) connection_usage: Arc<ConnectionUsage>,
    /// Held by what makes or moves keys of the vault, of which there is one at a time.
    pub(crate) administration: tokio::sync::Mutex<()>,
    dead_list: Arc<dyn DeadList>,
    pub(crate) connections: ConnectionOptions,
    pub(crate) sweeping: Arc<Sweeping>,
    pub(crate) hashing: Hashing,
    pub(crate) key_making: KeyMaking,
}

/// What an engine may be given.
pub struct EngineOptions {
    /// Where the digests of dead secrets go.
    pub dead_list: Arc<dyn DeadList>,
    /// What connections may be made to, and as whom.
    pub connections: ConnectionOptions,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { dead_list: Arc::new(NoDeadList), connections: ConnectionOptions::default() }
    }
}

/// The work in the background: following the ledger, writing last-used times, and ending rotations.
pub struct Background {
    burier: JoinHandle<()>,
    follower: JoinHandle<()>,
    flusher: JoinHandle<UsageNotes>,
    stop: watch::Sender<bool>,
}

impl Engine {
    /// Loads the directory and begins to follow the ledger, with the default options.
    pub async fn start(
        store: Store,
        feed: Feed,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Self>, Background), StoreError> {
        Self::start_following(store, feed, vault, clock, EngineOptions::default(), follow_faithfully).await
    }

    /// Like [`Engine::start`], as the options say.
    pub async fn start_with(
        store: Store,
        feed: Feed,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        options: EngineOptions,
    ) -> Result<(Arc<Self>, Background), StoreError> {
        Self::start_following(store, feed, vault, clock, options, follow_faithfully).await
    }

    /// Like [`Engine::start`], but answers before the directory is applied: the mistake that the revocation
    /// test exists to catch.
    #[cfg(feature = "faults")]
    pub async fn start_answering_first(
        store: Store,
        feed: Feed,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Self>, Background), StoreError> {
        Self::start_following(store, feed, vault, clock, EngineOptions::default(), |engine, batch| {
            Box::pin(async move {
                let entries = batch.entries().to_vec();
                batch.acknowledge();
                apply(&engine, &entries).await;
            })
        })
        .await
    }

    async fn start_following(
        store: Store,
        mut feed: Feed,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        options: EngineOptions,
        follow: fn(Arc<Self>, Batch) -> Step,
    ) -> Result<(Arc<Self>, Background), StoreError> {
        let directory = Directory::load(&store).await?;
        let (usage, notes) = usage::channel();
        let engine = Arc::new(Self {
            store,
            vault,
            clock,
            directory,
            usage,
            connection_usage: Arc::default(),
            administration: tokio::sync::Mutex::default(),
            dead_list: options.dead_list,
            connections: options.connections,
            sweeping: Arc::default(),
            hashing: Hashing::default(),
            key_making: KeyMaking::default(),
        });
        let following = engine.clone();
        let (stop, stopping) = watch::channel(false);
        let follower = tokio::spawn(async move {
            while let Some(batch) = feed.next().await {
                follow(following.clone(), batch).await;
            }
        });
        let used = engine.connection_usage.clone();
        let flusher =
            tokio::spawn(flush(engine.store.clone(), notes, used, engine.sweeping.clone(), stopping));
        let burier = tokio::spawn(bury_replaced(engine.clone()));
        Ok((engine, Background { burier, follower, flusher, stop }))
    }

    /// Whether this server may answer from its directory.
    pub fn is_available(&self) -> bool {
        self.directory.is_current() && self.store.is_available()
    }

    /// The last position that this server has applied.
    pub fn applied(&self) -> Position {
        self.directory.applied()
    }

    /// How many live secrets the directory knows.
    pub fn known_secrets(&self) -> usize {
        self.directory.len()
    }

    /// The counters of the store's writer.
    pub fn store_metrics(&self) -> &StoreMetrics {
        self.store.metrics()
    }

    /// A signed word about where the ledger stands; none while it has no entry.
    pub async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.store.checkpoint(self.clock.now()).await?)
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Randomness, fit for keys.
    pub fn random(&self) -> &dyn claviger_model::Random {
        self.vault.random()
    }

    /// Waits until a position is applied.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it is not after `patience`.
    pub async fn wait_for(&self, position: Position, patience: Duration) -> Result<(), Error> {
        let mut applied = self.directory.watch();
        let reached = applied.wait_for(|applied| *applied >= position);
        match tokio::time::timeout(patience, reached).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Error::Unavailable(None)),
        }
    }

    /// For a change that finds nothing left to do: waits until what it found is applied, so that its answer is
    /// as good as the answer of the change that did the work.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        let head = self.store.head().await?;
        self.wait_for(head, SETTLE_PATIENCE).await
    }
}

/// How long an answer waits for what others have just committed to be applied.
const SETTLE_PATIENCE: Duration = Duration::from_secs(2);

type Step = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn follow_faithfully(engine: Arc<Engine>, batch: Batch) -> Step {
    Box::pin(async move {
        apply(&engine, batch.entries()).await;
        batch.acknowledge();
    })
}

/// Applies entries, however long it takes: without them the directory would give yesterday's answers. What died
/// by them is on the dead list before they count as applied.
async fn apply(engine: &Engine, entries: &[Entry]) {
    let Some(last) = entries.last() else { return };
    let mut dead = Vec::new();
    while let Err(error) = engine.directory.apply(&engine.store, entries, &mut dead).await {
        engine.directory.set_current(false);
        tracing::error!(
            error = claviger_model::chain(&error),
            "the directory could not be brought up to date"
        );
        tokio::time::sleep(APPLY_PAUSE).await;
    }
    engine.directory.set_current(true);
    bury(engine, dead, last.position).await;
    engine.directory.advance(last.position);
}

/// Puts the dead on their list, however long it takes. The directory refuses them already, so that verification
/// goes on meanwhile; whoever changes something waits.
async fn bury(engine: &Engine, dead: Vec<Digest>, through: Position) {
    let dead: Arc<[Digest]> = dead.into();
    loop {
        let (list, digests) = (engine.dead_list.clone(), dead.clone());
        let written = match digests.is_empty() {
            true => list.append(&[], through),
            // It waits for the disk.
            false => tokio::task::spawn_blocking(move || list.append(&digests, through))
                .await
                .unwrap_or_else(|panicked| Err(std::io::Error::other(panicked))),
        };
        let Err(error) = written else { return };
        tracing::error!(
            error = claviger_model::chain(&error),
            "the dead list could not be written: changes wait until it can"
        );
        tokio::time::sleep(DEAD_LIST_PAUSE).await;
    }
}

async fn flush(
    store: Store,
    mut notes: UsageNotes,
    used: Arc<ConnectionUsage>,
    sweeping: Arc<Sweeping>,
    mut stopping: watch::Receiver<bool>,
) -> UsageNotes {
    loop {
        let is_stopped = tokio::time::timeout(FLUSH_PERIOD, stopping.wait_for(|stop| *stop)).await.is_ok();
        if is_stopped {
            return notes;
        }
        notes.flush(&store).await;
        used.flush(&store).await;
        sweeping.sweep(&store).await;
    }
}

async fn bury_replaced(engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(BURIAL_PERIOD).await;
        engine.directory.used.sweep(engine.clock.now());
        if let Err(error) = engine.end_rotations().await {
            let error = claviger_model::chain(&error);
            tracing::warn!(error, "replaced secrets whose time is over could not be buried");
        }
        if let Err(error) = engine.end_sessions().await {
            tracing::warn!(
                error = claviger_model::chain(&error),
                "sessions that are over could not be ended"
            );
        }
        if let Err(error) = engine.store.sweep_zis_oauth_flows(engine.clock.now()).await {
            let error = claviger_model::chain(&error);
            tracing::warn!(error, "OAuth flows whose time is over could not be erased");
        }
    }
}

impl Background {
    /// Writes what is buffered, stops, and lets go of the database. To be called once no request is left.
    pub async fn stop(self, engine: Arc<Engine>) {
        let _ = self.stop.send(true);
        if let Ok(mut notes) = self.flusher.await {
            notes.flush(&engine.store).await;
        }
        engine.connection_usage.flush(&engine.store).await;
        // Nobody is left who waits for them, and they would go on for as long as they hold the engine.
        for task in [self.burier, self.follower] {
            task.abort();
            let _ = task.await;
        }
        if let Some(engine) = Arc::into_inner(engine) {
            engine.store.close().await;
        }
    }
}
