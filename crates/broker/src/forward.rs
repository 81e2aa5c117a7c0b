//! A call's way to its third party, once its connection is known: admitted, drafted, sent.

use std::sync::Arc;

use claviger_catalog::Destination;
use claviger_engine::UsableConnection;
use claviger_model::{Audit, Origin};
use http::{Response, StatusCode, request};
use hyper::body::Incoming;

use crate::address::Address;
use crate::aim::{Aim, target};
use crate::broker::{Broker, Used};
use crate::door::Who;
use crate::draft::Draft;
use crate::faults::Guard;
use crate::inbody::InBody;
use crate::link::Link;
use crate::mint::{Key, Minted};
use crate::onward::{Onward, check_answer};
use crate::outbody::Sent;
use crate::pool::Slot;
use crate::prepared::Prepared;
use crate::record::Noted;
use crate::redaction::Redaction;
use crate::refusal::Refusal;
use crate::retry::Retries;
use crate::right::Right;
use crate::room::Seat;
use crate::rules::Asked;
use crate::send::Way;
use crate::voucher::Voucher;

/// A call, and the connection that it goes through.
pub(crate) struct Call<'a> {
    pub(crate) parts: &'a request::Parts,
    pub(crate) address: &'a Address<'a>,
    pub(crate) usable: &'a Arc<UsableConnection>,
    /// What was worked out of the connection.
    pub(crate) used: &'a Used,
}

/// The way of a call that its connection and the terms of that admit.
pub(crate) struct Passage<'a> {
    pub(crate) prepared: &'a Prepared,
    pub(crate) aim: Aim,
    pub(crate) destination: Destination,
    /// Whether the connection's rules name methods, and the body could name another.
    pub(crate) is_method_bound: bool,
    pub(crate) retries: Retries,
    /// How far the request's body has got.
    pub(crate) sent: Arc<Sent>,
    slot: Arc<Slot>,
    right: Box<Right>,
    seat: Seat,
}

/// What a call shows that is good for a while only.
struct Tokens {
    minted: Option<(Key, Arc<Minted>)>,
    voucher: Option<Arc<Voucher>>,
}

impl Broker {
    /// Passes a call on. What goes on while its answer is read comes with the answer.
    ///
    /// # Errors
    /// Why it is not passed on, or why its answer cannot be handed back.
    pub(crate) async fn forward(
        &self,
        call: Call<'_>,
        who: Who,
        body: &mut Option<InBody>,
        noted: &mut Noted,
    ) -> Result<(Response<Incoming>, Onward), Refusal> {
        let mut passage = self.admit(&call, who, noted)?;
        let mut draft = Draft::new(self, &call, &passage, body).await?;
        let mut tokens = self.make_ready(&call, &mut passage, &mut draft, noted).await?;
        if passage.right.by.is_use() {
            self.app.engine().note_connection_used(call.usable.connection.id);
        }
        let (answer, link) = self.ask_third_party(&call, &mut passage, &mut draft, &mut tokens).await?;
        #[cfg(feature = "faults")]
        let (answer, link) = self.follow(answer, link, &call, &mut passage, &mut draft).await?;
        check_answer(&answer)?;
        let redaction = self.redaction(&call, &passage, &tokens);
        let may_be_unread = draft.may_be_unread(answer.status());
        Ok((answer, passage.onward(link, may_be_unread, redaction)))
    }

    /// Whether the call may be made at all, and where it goes. Nothing is waited for.
    fn admit<'a>(&self, call: &Call<'a>, who: Who, noted: &mut Noted) -> Result<Passage<'a>, Refusal> {
        let Call { parts, address, usable, used } = *call;
        let connection = &usable.connection;
        let prepared = used.prepared.as_ref().map_err(Clone::clone)?;
        if !who.found.fits(&prepared.credential_headers) {
            return Err(claviger_engine::AuthFailure::NothingPresented.into());
        }
        if connection.is_over(self.app.engine().clock().now()) {
            return Err(Refusal::ConnectionExpired);
        }
        let seat = used.room.take(used.seats)?;
        let aim = target(parts, address, prepared)?;
        noted.aimed_at(aim.host.clone(), aim.path.clone());
        let destination = match prepared.check(&aim.origin) {
            Err(_) if !self.options.faults.stands(Guard::Host) => Destination::default(),
            checked => checked?,
        };
        let retries = Retries::of(&parts.headers, &connection.terms)?;
        let asked = Asked::new(&parts.method, &aim);
        let is_method_bound = asked.check(&connection.terms, parts, address.query)?;
        let slot = self.slot(used, connection, &aim.origin);
        let (app, by, usable) = (self.app.clone(), who.by, usable.clone());
        let right = Box::new(Right { app, by, usable, slot: slot.clone(), asked });
        let sent = noted.sent();
        Ok(Passage { prepared, aim, destination, is_method_bound, retries, sent, slot, right, seat })
    }

    /// Does what comes between the drafting of a call and its sending: it is written down where that is wanted, and gets its
    /// tokens.
    async fn make_ready(
        &self,
        call: &Call<'_>,
        passage: &mut Passage<'_>,
        draft: &mut Draft,
        noted: &mut Noted,
    ) -> Result<Tokens, Refusal> {
        let Call { usable, used, .. } = *call;
        let is_strict = usable.connection.terms.audit == Audit::Strict;
        if is_strict {
            // Here and below, what is large is kept apart from the calls that need none of it.
            Box::pin(noted.begin()).await?;
        }
        let minted = match passage.prepared.source {
            Some(source) => {
                Some(Box::pin(self.mint.token(usable, used, source, &passage.destination)).await?)
            }
            None => None,
        };
        let voucher = self.vouch(draft, usable, &passage.aim.origin).await?;
        // The body, the record or a token may have been waited for, and the right may have ended meanwhile.
        let has_waited = is_strict || draft.has_waited() || minted.is_some() || voucher.is_some();
        if has_waited {
            Box::pin(passage.right.check_unsent(usable)).await?;
        }
        Ok(Tokens { minted, voucher })
    }

    /// Sends what was drafted; once more, with another token, where the third party took that one back before its time.
    async fn ask_third_party(
        &self,
        call: &Call<'_>,
        passage: &mut Passage<'_>,
        draft: &mut Draft,
        tokens: &mut Tokens,
    ) -> Result<(Response<Incoming>, Link), Refusal> {
        let Call { usable, used, .. } = *call;
        let Passage { prepared, aim, destination, slot, sent, right, retries, .. } = passage;
        let way = Way { broker: self, slot, sent, patience: used.patience };
        let (answer, link) = self.send_again(draft, tokens.token(), usable, &way, right, retries).await?;
        let is_refused = answer.status() == StatusCode::UNAUTHORIZED && draft.is_repeatable();
        let renewable = tokens.minted.as_ref().zip(prepared.source).filter(|_| is_refused);
        let Some(((key, refused), source)) = renewable else { return Ok((answer, link)) };
        if !Box::pin(self.mint.reject(&usable.connection, key, refused)).await {
            return Ok((answer, link));
        }
        drop((answer, link));
        tokens.minted = Some(Box::pin(self.mint.token(usable, used, source, destination)).await?);
        tokens.voucher = self.vouch(draft, usable, &aim.origin).await?;
        Box::pin(right.check_unsent(usable)).await?;
        retries.note_another_token();
        Box::pin(self.send_again(draft, tokens.token(), usable, &way, right, retries)).await
    }

    /// What is masked in the answer; none where there is nothing to search for.
    fn redaction(&self, call: &Call<'_>, passage: &Passage<'_>, tokens: &Tokens) -> Option<Redaction> {
        let minted = tokens.minted.as_ref().map(|(_, minted)| minted);
        let of_voucher = |voucher: &Arc<Voucher>| voucher.needles(call.usable, passage.prepared, minted);
        let vouched = tokens.voucher.as_ref().map(of_voucher);
        let needles =
            vouched.as_ref().or(minted.map(|minted| &minted.needles)).or(call.used.needles.as_ref());
        needles.filter(|_| self.options.faults.stands(Guard::Redaction)).map(Redaction::new)
    }

    /// Goes where an answer points to, with all that the draft has: the mistake that the tests exist to catch.
    #[cfg(feature = "faults")]
    async fn follow(
        &self,
        answer: Response<Incoming>,
        link: Link,
        call: &Call<'_>,
        passage: &mut Passage<'_>,
        draft: &mut Draft,
    ) -> Result<(Response<Incoming>, Link), Refusal> {
        let is_followed = !self.options.faults.stands(Guard::Redirect);
        let location = answer.headers().get(http::header::LOCATION).and_then(|it| it.to_str().ok());
        let target = location.and_then(|it| it.parse::<claviger_model::Target>().ok());
        let Some(target) = target.filter(|_| is_followed) else { return Ok((answer, link)) };
        draft.turn_to(&target)?;
        // Whoever it leads to now, nobody else calls over it.
        passage.slot = Arc::new(passage.slot.apart(target.origin().clone()));
        let Passage { slot, sent, right, retries, .. } = passage;
        let way = Way { broker: self, slot, sent, patience: call.used.patience };
        Ok(self.send(draft, None, call.usable, &way, right, retries).await?)
    }
}

impl Tokens {
    fn token(&self) -> Option<&Minted> {
        self.minted.as_ref().map(|(_, minted)| &**minted)
    }
}

impl Passage<'_> {
    /// What of it goes on while the answer is read.
    fn onward(self, link: Link, may_be_unread: bool, redaction: Option<Redaction>) -> Onward {
        let slot = match may_be_unread {
            // Nobody else calls over it.
            true => Arc::new(self.slot.apart(Origin::clone(&self.aim.origin))),
            false => self.slot,
        };
        let (right, seat) = (self.right, self.seat);
        Onward { link, slot, right, redaction, seat, attempts: self.retries.attempts() }
    }
}
