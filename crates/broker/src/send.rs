//! The exchange with the third party: over a connection that is open already, or a new one.

use std::sync::Arc;
use std::time::Duration;

use claviger_egress::{Egress, Policy};
use claviger_model::Origin;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::outbody::OutBody;
use crate::pool::{Link, Slot};
use crate::refusal::Refusal;
use crate::right::{PERIOD, Right};

/// The most bytes of an answer's headers; well above what servers send, and bounded since it is kept in memory.
const HEADER_BYTES_MAX: usize = 128 * 1024;
/// The most headers of an answer.
const HEADERS_MAX: usize = 256;

/// A way to one target for one org.
pub(crate) struct Way<'a> {
    pub(crate) egress: &'a Egress,
    pub(crate) policy: &'a Policy,
    pub(crate) origin: &'a Origin,
    pub(crate) slot: &'a Arc<Slot>,
    /// How long the third party may take to begin its answer.
    pub(crate) patience: Duration,
}

impl Way<'_> {
    /// Sends a request, and returns the answer once it begins, with the connection that it comes over.
    ///
    /// # Errors
    /// When there is none, or the call's right ended meanwhile.
    pub(crate) async fn send(
        &self,
        request: Request<OutBody>,
        right: &mut Right,
    ) -> Result<(Response<Incoming>, Link), Refusal> {
        let mut exchange = std::pin::pin!(self.exchange(request));
        let mut waited = Duration::ZERO;
        loop {
            match tokio::time::timeout(PERIOD, &mut exchange).await {
                Ok(answer) => return answer,
                Err(_) if !right.holds().await => return Err(Refusal::Ended),
                Err(_) => waited += PERIOD,
            }
            if waited >= self.patience {
                return Err(Refusal::UpstreamTimeout);
            }
        }
    }

    async fn exchange(&self, mut request: Request<OutBody>) -> Result<(Response<Incoming>, Link), Refusal> {
        loop {
            let (mut link, is_fresh) = match self.slot.take() {
                Some(link) => (link, false),
                None => (self.connect().await?, true),
            };
            if link.sender.ready().await.is_err() {
                if is_fresh {
                    return Err(Refusal::UpstreamBroken);
                }
                continue;
            }
            match link.sender.try_send_request(request).await {
                Ok(response) => return Ok((response, link)),
                Err(mut error) => {
                    link.work.abort();
                    // The third party closed a connection that was kept for long, before a byte went out.
                    match error.take_message() {
                        Some(unsent) if !is_fresh => request = unsent,
                        _ => return Err(broken(&error.into_error())),
                    }
                }
            }
        }
    }

    async fn connect(&self) -> Result<Link, Refusal> {
        let stream = self.egress.connect(self.origin, self.policy).await?;
        let mut builder = http1::Builder::new();
        builder.max_headers(HEADERS_MAX).max_header_size(HEADER_BYTES_MAX);
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| broken(&error))?;
        // How it ends, whoever waits for the answer is told.
        let work = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Link { sender, work })
    }
}

fn broken(error: &hyper::Error) -> Refusal {
    tracing::debug!(error = claviger_model::chain(error), "an exchange with a third party broke off");
    Refusal::UpstreamBroken
}
