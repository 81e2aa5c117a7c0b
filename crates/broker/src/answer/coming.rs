//! What comes of an answer, and all that is held meanwhile.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};

use super::Broken;
use crate::link::Link;
use crate::pool::Slot;
use crate::record::Noted;
use crate::redaction::Redaction;
use crate::room::Seat;

/// See the module's documentation.
pub(crate) struct Coming {
    body: Incoming,
    redaction: Option<Redaction>,
    /// What is searched by nobody.
    untouched: Option<Bytes>,
    /// The connection, until it is known whether it can serve another call. An answer that nobody reads to its end takes it
    /// along.
    link: Option<(Link, Arc<Slot>)>,
    noted: Noted,
    /// The call's place among those of the connection, until the third party has said all.
    seat: Option<Seat>,
    /// Why nothing more will come.
    failed: Option<hyper::Error>,
    is_over: bool,
}

impl Coming {
    pub(crate) fn new(
        body: Incoming,
        redaction: Option<Redaction>,
        link: (Link, Arc<Slot>),
        noted: Noted,
        seat: Seat,
    ) -> Self {
        let (link, seat, untouched, failed, is_over) = (Some(link), Some(seat), None, None, false);
        let mut coming = Self { body, redaction, untouched, link, noted, seat, failed, is_over };
        if coming.body.is_end_stream() {
            coming.finish();
        }
        coming
    }

    /// Takes what is there already: of most answers, all.
    pub(crate) fn begin(&mut self, context: &mut Context<'_>) {
        if !self.is_over {
            let _ = self.fetch(context);
        }
    }

    /// What comes next.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        loop {
            let next = match &mut self.redaction {
                Some(redaction) => ready!(redaction.poll_next(context)),
                None => self.untouched.take(),
            };
            if let Some(data) = next {
                self.noted.received(data.len());
                return Poll::Ready(Some(Ok(data)));
            }
            if let Some(error) = self.failed.take() {
                let why = Broken::Upstream(error);
                self.broke_off(why.code());
                return Poll::Ready(Some(Err(why)));
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            ready!(self.fetch(context));
        }
    }

    /// Takes the next part of what comes. Trailers go no further.
    fn fetch(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match ready!(self.poll_body(context)) {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    // Whoever knows the length does not ask again once it has all.
                    let is_last = self.body.is_end_stream();
                    match &mut self.redaction {
                        Some(redaction) => redaction.push(data),
                        None => self.untouched = Some(data),
                    }
                    if is_last {
                        self.finish();
                    }
                }
            }
            Some(Err(error)) => self.failed = Some(error),
            None => self.finish(),
        }
        Poll::Ready(())
    }

    /// What comes next of the third party's answer, over a connection whose work is done meanwhile.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let body = &mut self.body;
        match &mut self.link {
            Some((link, _)) => {
                link.poll_beside(context, |_, context| Pin::new(&mut *body).poll_frame(context))
            }
            None => Pin::new(body).poll_frame(context),
        }
    }

    /// The third party said all: its connection can be used again.
    fn finish(&mut self) {
        self.is_over = true;
        self.seat = None;
        self.noted.finished();
        if let Some(redaction) = &mut self.redaction {
            redaction.finish();
        }
        if let Some((link, slot)) = self.link.take() {
            slot.take_back(link);
        }
    }

    /// For the record.
    pub(super) fn broke_off(&mut self, code: &'static str) {
        self.noted.broke_off(code);
    }

    /// Whether the third party said all.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether all of it was told. With a redaction, only its last part tells.
    pub(super) fn is_told(&self) -> bool {
        self.is_over && self.redaction.is_none() && self.untouched.is_none()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match &self.redaction {
            // What is held back for the moment is not in the rest of the body. The answer's headers tell the length.
            Some(_) => SizeHint::default(),
            None => {
                let ahead = self.untouched.as_ref().map_or(0, |data| data.len() as u64);
                let mut hint = self.body.size_hint();
                if let Some(upper) = hint.upper() {
                    hint.set_upper(upper + ahead);
                }
                hint.set_lower(hint.lower() + ahead);
                hint
            }
        }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        if let Some(redaction) = &self.redaction {
            self.noted.masked(redaction.found());
        }
    }
}
