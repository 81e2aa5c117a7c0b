//! Whom the server calls while it runs: webhooks, and authorization servers.

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

/// Begins to tell webhooks of events.
pub(crate) fn start_webhooks(engine: Arc<Engine>, policy: Policy) -> Courier {
    let client = Client::new(egress("webhook"), policy, DEADLINE, ANSWER_BYTES_MAX);
    Courier::start(engine, client, Options::default())
}

/// The way out for asking third parties' authorization servers for tokens.
pub(crate) fn exchange(policy: Policy) -> Client {
    claviger_exchange::client(egress("authorization server"), policy)
}

fn egress(whom: &str) -> Egress {
    Egress::trusting(Roots::of_system().unwrap_or_else(|error| {
        // No reason not to serve: most servers have nobody to call, and calls tell why they fail.
        tracing::warn!(error = claviger_model::chain(&error), "no {whom} can be called over TLS");
        Roots::none()
    }))
}
