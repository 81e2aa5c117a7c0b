//! The guard as hyper-util's client and tower call it.

use std::sync::Arc;
use std::task::{Context, Poll};

use claviger_model::{Origin, Scheme, TargetError};
use http::Uri;
use hyper_util::rt::TokioIo;
use tower::Service;

use crate::resolver::Soon;
use crate::{ConnectError, Connection, Egress, Policy};

/// Opens connections under one policy; made by [`Egress::connector`]. A pool of its connections belongs to whoever the
/// policy is for, and ends with the policy: what is in the pool was checked by it.
#[derive(Clone)]
pub struct Connector {
    egress: Egress,
    policy: Arc<Policy>,
}

impl Connector {
    pub(crate) fn new(egress: Egress, policy: Arc<Policy>) -> Self {
        Self { egress, policy }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Connection>;
    type Error = ConnectError;
    type Future = Soon<'static, Result<Self::Response, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { egress, policy } = self.clone();
        Box::pin(async move {
            let connection = egress.connect(&origin(&uri)?, &policy).await?;
            Ok(TokioIo::new(connection))
        })
    }
}

/// Read anew, whoever read it before: there is one canonicalisation, and it is ours.
fn origin(uri: &Uri) -> Result<Origin, TargetError> {
    let scheme = match uri.scheme_str() {
        Some("https") => Scheme::Https,
        Some("http") => Scheme::Http,
        _ => return Err(TargetError::Scheme),
    };
    Origin::parse(scheme, uri.authority().map_or("", |authority| authority.as_str()))
}
