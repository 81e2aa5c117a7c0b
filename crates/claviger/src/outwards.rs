//! Whom the server calls while it runs: webhooks, authorization servers, and those that connections are for. There is one
//! way out for all, as the operator's settings have it.

use std::sync::Arc;
use std::time::Duration;

use claviger_egress::{Egress, Policy, Roots, Settings as EgressSettings, Upstream as EgressUpstream};
use claviger_engine::Engine;
use claviger_outbound::Client;
use claviger_webhooks::{Courier, Options};

use crate::error::StartError;
use crate::settings::Upstream;

/// How long one delivery may take, from the look-up of the name to the end of the answer: what the field gives.
const DEADLINE: Duration = Duration::from_secs(15);
/// What is read of an answer; its status is all that counts.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Begins to tell webhooks of events.
pub(crate) fn start_webhooks(engine: Arc<Engine>, egress: Egress, policy: Policy) -> Courier {
    let client = Client::new(egress, policy, DEADLINE, ANSWER_BYTES_MAX);
    Courier::start(engine, client, Options::default())
}

/// Opens the way out. What takes the guard's place is logged, so that nobody wonders where calls go.
///
/// # Errors
/// When a file of authorities cannot be read, or has none.
pub(crate) fn egress(upstreams: &[Upstream]) -> Result<Egress, StartError> {
    let roots = Roots::of_system().unwrap_or_else(|error| {
        // No reason not to serve: most servers call nobody, and whoever is called for tells why that fails.
        tracing::warn!(error = claviger_model::chain(&error), "nobody can be called over TLS");
        Roots::none()
    });
    let mut settings = EgressSettings::new(roots);
    for upstream in upstreams {
        let roots = match &upstream.ca_file {
            None => None,
            Some(path) => {
                let pem =
                    std::fs::read(path).map_err(|source| StartError::Read { path: path.clone(), source })?;
                let roots = Roots::parse(&pem)
                    .map_err(|source| StartError::Authorities { path: path.clone(), source })?;
                Some(roots)
            }
        };
        tracing::info!(host = %upstream.host, port = upstream.named_port, address = %upstream, own_ca = roots.is_some(), "an upstream of the operator's");
        let Upstream { host, named_port, address, port, .. } = upstream.clone();
        settings.upstreams.push(EgressUpstream { host, named_port, address, port, roots });
    }
    Ok(Egress::new(settings).expect("the settings name each host and port once"))
}
