//! What all calls share.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_egress::{Clear, Egress, Network, Policy};
use claviger_engine::UsableConnection;
use claviger_http::App;
use claviger_model::PrivateReach;
use claviger_oauth::OAuth;
use claviger_redact::Needles;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::faults::{Faults, Guard};
use crate::mint::{Mint, Minted};
use crate::pool::Pool;
use crate::prepared::Prepared;
use crate::record::{self, Recorder};
use crate::refusal::Refusal;
use crate::voucher::Vouchers;

/// How often idle connections are looked through.
const SWEEP_PERIOD: Duration = Duration::from_secs(10);

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a third party may take to begin its answer.
    pub patience: Duration,
    /// How many calls of one connection may be under way.
    pub calls_per_connection_max: usize,
    /// Guards that a test build switches off.
    pub faults: Faults,
}

impl Default for Options {
    /// A minute, as most load balancers wait; as many calls as a busy service makes with streams open.
    fn default() -> Self {
        Self { patience: Duration::from_secs(60), calls_per_connection_max: 2048, faults: Faults::default() }
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
    pub(crate) vouchers: Vouchers,
    public: Policy,
}

/// The broker's work in the background.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

/// What is worked out of a connection once, for all of its calls.
pub(crate) struct Used {
    pub(crate) prepared: Result<Prepared, Refusal>,
    /// Its secrets, to be masked in answers; none where there is nothing to search.
    pub(crate) needles: Option<Needles>,
    /// Of an OAuth connection, the token that was used last, with what it is searched by.
    pub(crate) of_oauth: Mutex<Option<Arc<Minted>>>,
    /// Room for calls.
    pub(crate) room: Arc<Semaphore>,
}

impl Broker {
    /// Begins to record.
    pub fn start(app: App, egress: Egress, oauth: OAuth, options: Options) -> (Arc<Self>, Background) {
        let recorder = Arc::new(Recorder::default());
        let (stop, stopping) = watch::channel(false);
        let writer = tokio::spawn(record::write_on(recorder.clone(), app.clone(), stopping));
        let mint = Mint::new(app.clone(), egress.clone(), oauth);
        let vouchers = Vouchers::new(app.clone());
        let (pool, public) = (Pool::default(), Policy::public());
        let broker = Arc::new(Self { app, egress, options, pool, recorder, mint, vouchers, public });
        let swept = Arc::downgrade(&broker);
        let sweeper = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP_PERIOD).await;
                match swept.upgrade() {
                    Some(broker) => broker.pool.sweep(),
                    None => return,
                }
            }
        });
        (broker, Background { stop, tasks: [writer, sweeper] })
    }

    /// How far calls may go that may reach these private places.
    pub(crate) fn policy(&self, reach: Option<&PrivateReach>) -> Cow<'_, Policy> {
        if !self.options.faults.stands(Guard::Address) {
            return Cow::Owned(Policy::private_too().with_clear(Clear::Private));
        }
        let Some(reach) = reach else { return Cow::Borrowed(&self.public) };
        // One that is none of private addresses any more allows nothing.
        let allow = |policy: Policy, network: &Network| policy.clone().allow(*network).unwrap_or(policy);
        let policy = reach.networks.iter().fold(Policy::public(), allow);
        Cow::Owned(policy.with_clear(Clear::Hosts(reach.clear_hosts.iter().cloned().collect())))
    }

    pub(crate) fn used<'u>(&self, usable: &'u UsableConnection) -> &'u Used {
        usable.prepared(|usable| {
            let prepared = Prepared::new(self.app.engine().catalog(), usable);
            let room = Arc::new(Semaphore::new(self.options.calls_per_connection_max));
            Used {
                needles: needles(usable, prepared.as_ref().ok()),
                prepared,
                room,
                of_oauth: Mutex::default(),
            }
        })
    }
}

/// Each secret, and what is made of several: a user and password stand in one base64.
fn needles(usable: &UsableConnection, prepared: Option<&Prepared>) -> Option<Needles> {
    let mut secrets: Vec<&[u8]> = usable.secrets.values().map(|secret| secret.reveal().as_bytes()).collect();
    secrets.extend(prepared.into_iter().flat_map(Prepared::presented));
    (!secrets.is_empty()).then(|| Needles::new(&secrets))
}

impl Background {
    /// Writes what is not written yet, and stops. To be called once no request is left.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let [writer, sweeper] = self.tasks;
        let _ = writer.await;
        sweeper.abort();
        let _ = sweeper.await;
    }
}
