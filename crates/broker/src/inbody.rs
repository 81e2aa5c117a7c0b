//! A caller's body on its way in: as it comes, or in memory already.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claviger_http::discard;
use claviger_model::OrgId;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::memory::{Held, Memory, SMALL_BYTES_MAX};
use crate::refusal::Refusal;

/// The longest body that is read whole: to be signed, to have a template's parts added, or to be sent once more.
pub(crate) const WHOLE_BYTES_MAX: usize = 1024 * 1024;

/// The room that a body takes, until it is dropped.
pub(crate) struct Room {
    _place: OwnedSemaphorePermit,
    _held: Option<Held>,
}

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

    pub(crate) fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// As long as it says that it is at most, but no longer than what is read whole.
    fn longest(&self) -> usize {
        let longest = match self {
            Self::Coming(body) => body.size_hint().upper().and_then(|longest| longest.try_into().ok()),
            Self::Here(body) => Some(body.len()),
        };
        longest.unwrap_or(WHOLE_BYTES_MAX).min(WHOLE_BYTES_MAX)
    }

    /// Waits for room for it among those of its connection that are held, and for memory, where it is not small.
    ///
    /// # Errors
    /// [`Refusal::Busy`], [`Refusal::OrgBusy`], [`Refusal::ServerBusy`]: there is none for as long as a body may take to
    /// come.
    pub(crate) async fn room(
        &self,
        room: &Arc<Semaphore>,
        memory: &Memory,
        org: OrgId,
        patience: Duration,
    ) -> Result<Option<Room>, Refusal> {
        let longest = self.longest();
        if longest <= SMALL_BYTES_MAX {
            return Ok(None);
        }
        let deadline = Instant::now() + patience;
        let place = tokio::time::timeout_at(deadline, room.clone().acquire_owned()).await;
        let _place = place.ok().and_then(Result::ok).ok_or(Refusal::Busy)?;
        let _held = match self {
            Self::Coming(_) => Some(memory.take(org, longest, deadline).await?),
            // Whoever read it has taken its memory before.
            Self::Here(_) => None,
        };
        Ok(Some(Room { _place, _held }))
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
