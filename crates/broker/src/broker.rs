//! What all calls share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_egress::{Clear, Egress, Network, Policy};
use claviger_engine::UsableConnection;
use claviger_http::App;
use claviger_model::{CONCURRENCY_MAX, Connection, Origin, PrivateReach};
use claviger_oauth::OAuth;
use claviger_redact::Needles;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::task::coop::unconstrained;

use crate::check;
use crate::faults::{Faults, Guard};
use crate::memory::Memory;
use crate::mint::{Mint, Minted};
use crate::pool::{IDLE_MAX, Pool, Slot};
use crate::prepared::Prepared;
use crate::record::{self, Recorder};
use crate::redaction::searched_for;
use crate::refusal::Refusal;
use crate::room::{Room, Rooms};
use crate::voucher::Vouchers;

/// How often idle connections are looked through.
const SWEEP_PERIOD: Duration = Duration::from_secs(10);

const MIB: usize = 1024 * 1024;

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a third party may take to begin its answer, where the connection's terms say nothing of it.
    pub patience: Duration,
    /// How long a body that must be read whole may take to come, once there is room for it, and as long for that.
    pub whole_patience: Duration,
    /// How many calls of one connection may be under way, whatever its terms allow.
    pub calls_per_connection_max: usize,
    /// How many calls of one org may be under way.
    pub calls_per_org_max: usize,
    /// How many calls may be under way in all.
    pub calls_max: usize,
    /// How many bytes of bodies that are read whole are held for one org, and as many of answers to actions.
    pub held_bytes_per_org_max: usize,
    /// The same in all.
    pub held_bytes_max: usize,
    /// How often the server looks which connections it is to test by itself.
    pub check_period: Duration,
    /// Guards that a test build switches off.
    pub faults: Faults,
}

impl Default for Options {
    /// A minute, as most load balancers wait; as many calls as a busy service makes with streams open, and of an org no more
    /// than half of all, so that one alone stops nobody else.
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(60),
            whole_patience: Duration::from_secs(30),
            calls_per_connection_max: CONCURRENCY_MAX.into(),
            calls_per_org_max: 2048,
            calls_max: 4096,
            held_bytes_per_org_max: 128 * MIB,
            held_bytes_max: 256 * MIB,
            check_period: Duration::from_secs(1),
            faults: Faults::default(),
        }
    }
}

impl Options {
    /// How many connections to third parties may be open at a time.
    pub fn links_max(&self) -> usize {
        self.calls_max + IDLE_MAX
    }
}

/// The broker.
pub struct Broker {
    pub(crate) app: App,
    pub(crate) egress: Egress,
    pub(crate) options: Options,
    pub(crate) pool: Pool,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) mint: Mint,
    rooms: Rooms,
    /// Memory for bodies that are read whole.
    pub(crate) bodies: Memory,
    /// Memory for answers that are.
    pub(crate) answers: Memory,
    pub(crate) vouchers: Vouchers,
}

/// The broker's work in the background.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
    stop_checks: watch::Sender<bool>,
    checker: JoinHandle<()>,
}

/// What is worked out of a connection once, for all of its calls.
pub(crate) struct Used {
    pub(crate) prepared: Result<Prepared, Refusal>,
    /// Its secrets, to be masked in answers; none where there is nothing to search.
    pub(crate) needles: Option<Needles>,
    /// Of an OAuth connection, the token that was used last, with what it is searched by.
    pub(crate) of_oauth: Mutex<Option<Arc<Minted>>>,
    /// Where the last call went: most go where the one before went.
    slot: Mutex<Option<Arc<Slot>>>,
    /// Its calls that are under way, and how many there may be.
    pub(crate) room: Arc<Room>,
    pub(crate) seats: usize,
    /// How long the third party may take to begin its answer.
    pub(crate) patience: Duration,
}

impl Broker {
    /// Begins to record.
    pub fn start(app: App, egress: Egress, oauth: OAuth, options: Options) -> (Arc<Self>, Background) {
        let recorder = Arc::new(Recorder::default());
        let (stop, stopping) = watch::channel(false);
        let writer = tokio::spawn(record::write_on(recorder.clone(), app.clone(), stopping));
        let mint = Mint::new(app.clone(), egress.clone(), oauth);
        let vouchers = Vouchers::new(app.clone());
        let (pool, rooms) = (Pool::default(), Rooms::new(options.calls_per_org_max, options.calls_max));
        let memory = || Memory::new(options.held_bytes_per_org_max, options.held_bytes_max);
        let (bodies, answers) = (memory(), memory());
        let broker =
            Arc::new(Self { app, egress, options, pool, recorder, mint, rooms, bodies, answers, vouchers });
        let swept = Arc::downgrade(&broker);
        let sweeper = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP_PERIOD).await;
                match swept.upgrade() {
                    // However many there are: what makes tasks take turns would hide what came over the last of them.
                    Some(broker) => unconstrained(async { broker.pool.sweep() }).await,
                    None => return,
                }
            }
        });
        let (stop_checks, stopping) = watch::channel(false);
        let period = broker.options.check_period;
        let checker = tokio::spawn(check::check_on(Arc::downgrade(&broker), period, stopping));
        (broker, Background { stop, tasks: [writer, sweeper], stop_checks, checker })
    }

    /// How far calls may go that may reach these private places.
    pub(crate) fn policy(&self, reach: Option<&PrivateReach>) -> Policy {
        if !self.options.faults.stands(Guard::Address) {
            return Policy::private_too().with_clear(Clear::Private);
        }
        let Some(reach) = reach else { return Policy::public() };
        // One that is none of private addresses any more allows nothing.
        let allow = |policy: Policy, network: &Network| policy.clone().allow(*network).unwrap_or(policy);
        let policy = reach.networks.iter().fold(Policy::public(), allow);
        policy.with_clear(Clear::Hosts(reach.clear_hosts.iter().cloned().collect()))
    }

    /// What is open for a connection to a target, as old as what its org may reach.
    pub(crate) fn slot(&self, used: &Used, of: &Connection, origin: &Origin) -> Arc<Slot> {
        #[cfg(feature = "faults")]
        if !self.options.faults.stands(Guard::Pool)
            && let Some(anybodys) = self.pool.slot_in_use(origin)
        {
            return anybodys;
        }
        let reach = self.app.engine().private_reach(of.org);
        let mut last = used.slot.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(slot) if slot.is_to(origin, reach.as_ref()) => slot.clone(),
            _ => {
                let slot = self.pool.slot((of.org, of.id, origin.clone(), reach));
                last.insert(slot).clone()
            }
        }
    }

    pub(crate) fn used<'u>(&self, usable: &'u UsableConnection) -> &'u Used {
        usable.prepared(|usable| {
            let prepared = Prepared::new(self.app.engine().catalog(), usable);
            let terms = &usable.connection.terms;
            let wanted = terms.concurrency.map_or(usize::MAX, usize::from);
            let patience = terms.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into()));
            Used {
                needles: needles(usable, prepared.as_ref().ok()),
                prepared,
                room: self.rooms.of(usable.connection.id, usable.connection.org),
                seats: wanted.min(self.options.calls_per_connection_max),
                patience: patience.unwrap_or(self.options.patience),
                of_oauth: Mutex::default(),
                slot: Mutex::default(),
            }
        })
    }
}

/// None where there is nothing to search for.
fn needles(usable: &UsableConnection, prepared: Option<&Prepared>) -> Option<Needles> {
    let secrets = searched_for(usable, prepared, None);
    (!secrets.is_empty()).then(|| Needles::new(&secrets))
}

impl Background {
    /// Gives up the server's own tests, writes what is not written yet, and stops. To be called once no request is left.
    pub async fn stop(self) {
        let _ = self.stop_checks.send(true);
        let _ = self.checker.await;
        let _ = self.stop.send(true);
        let [writer, sweeper] = self.tasks;
        let _ = writer.await;
        sweeper.abort();
        let _ = sweeper.await;
    }
}
