//! Telling webhooks of events, while the server runs.

use std::sync::Arc;
use std::time::Duration;

use claviger_egress::{Egress, Policy, Roots};
use claviger_engine::Engine;
use claviger_outbound::Client;
use claviger_webhooks::{Courier, Options};

/// How long one delivery may take, from the look-up of the name to the end of the answer: what the field gives.
const DEADLINE: Duration = Duration::from_secs(15);
/// What is read of an answer; its status is all that counts.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Begins.
pub(crate) fn start(engine: Arc<Engine>, policy: Policy) -> Courier {
    let roots = Roots::of_system().unwrap_or_else(|error| {
        // No reason not to serve: most servers have no webhooks, and theirs tell why they fail.
        tracing::warn!(error = claviger_model::chain(&error), "no webhook can be called over TLS");
        Roots::none()
    });
    let client = Client::new(Egress::trusting(roots), policy, DEADLINE, ANSWER_BYTES_MAX);
    Courier::start(engine, client, Options::default())
}
