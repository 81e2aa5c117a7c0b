//! A caller's body on its way in: as it comes, or in memory already.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claviger_http::discard;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::Refusal;

/// The longest body that is read whole: to be signed, to have a template's parts added, or to be sent once more.
const WHOLE_BYTES_MAX: usize = 1024 * 1024;
/// What is no longer than this is held without being counted.
const SMALL_BYTES_MAX: u64 = 16 * 1024;
/// See the module's documentation.
pub(crate) enum InBody {
    /// It comes as it is read.
    Coming(Incoming),
    /// It is here.
    Here(Bytes),
}

impl InBody {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Coming(body) => body.is_end_stream(),
            Self::Here(body) => body.is_empty(),
        }
    }

    /// Whether it says that it is short enough to be read whole.
    pub(crate) fn is_short(&self) -> bool {
        match self {
            Self::Coming(body) => body.size_hint().upper().is_some_and(|it| it <= WHOLE_BYTES_MAX as u64),
            Self::Here(body) => body.len() <= WHOLE_BYTES_MAX,
        }
    }

    /// Whether it may be held without being counted: it says so, or is held already.
    pub(crate) fn is_small(&self) -> bool {
        match self {
            Self::Coming(body) => body.size_hint().upper().is_some_and(|longest| longest <= SMALL_BYTES_MAX),
            Self::Here(_) => true,
        }
    }

    /// Waits for room for one that is not small.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where there is none for as long as a body may take to come.
    pub(crate) async fn room(
        room: &Arc<Semaphore>,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit, Refusal> {
        let room = tokio::time::timeout(patience, room.clone().acquire_owned()).await;
        room.ok().and_then(Result::ok).ok_or(Refusal::Busy)
    }

    /// Reads it for nobody.
    pub(crate) async fn discard(self) {
        if let Self::Coming(body) = self {
            discard(body).await;
        }
    }
}

/// All of a body; it is taken where it is looked at.
///
/// # Errors
/// [`Refusal::BodyTooLarge`]; [`Refusal::BodyTimeout`]; [`Refusal::Body`] where it breaks off.
pub(crate) async fn whole(body: &mut Option<InBody>, patience: Duration) -> Result<Bytes, Refusal> {
    let is_within = |body: &InBody| match body {
        InBody::Coming(body) => body.size_hint().lower() <= WHOLE_BYTES_MAX as u64,
        InBody::Here(body) => body.len() <= WHOLE_BYTES_MAX,
    };
    let body = match body.take_if(|body| is_within(body)) {
        Some(InBody::Coming(body)) => body,
        Some(InBody::Here(body)) => return Ok(body),
        None if body.is_none() => return Ok(Bytes::new()),
        None => return Err(Refusal::BodyTooLarge),
    };
    let read = tokio::time::timeout(patience, Limited::new(body, WHOLE_BYTES_MAX).collect());
    match read.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        Ok(Err(_)) => Err(Refusal::BODY_BROKEN),
        Err(_) => Err(Refusal::BodyTimeout),
    }
}
