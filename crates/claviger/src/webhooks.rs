//! Telling webhooks of events, while the server runs.

use std::sync::Arc;
use std::time::Duration;

use claviger_egress::{Egress, Policy};
use claviger_engine::Engine;
use claviger_outbound::Client;
use claviger_webhooks::{Courier, Options};

/// How long one delivery may take, from the look-up of the name to the end of the answer: what the field gives.
const DEADLINE: Duration = Duration::from_secs(15);
/// What is read of an answer; its status is all that counts.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Begins.
pub(crate) fn start(engine: Arc<Engine>, egress: Egress, policy: Policy) -> Courier {
    let client = Client::new(egress, policy, DEADLINE, ANSWER_BYTES_MAX);
    Courier::start(engine, client, Options::default())
}
