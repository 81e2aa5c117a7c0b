//! `/broker/{connection}/{path…}`: a call through a connection, streamed both ways.

use std::sync::Arc;

use axum::body::Body;
use claviger_catalog::Destination;
use claviger_engine::{
    AuthFailure, Caller, Origin as Whence, Permit, Source as _, UsableConnection, UseKey, rights,
};
use claviger_http::{
    Bucket, Door, OWN_REQUEST_ID, Opening, Peer, REQUEST_ID, Standing, awaits_asking, presented,
    request_id_header,
};
use claviger_model::Audit;
use http::header::{CONTENT_LENGTH, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, request};
use hyper::body::{Body as _, Incoming};

use crate::address::{Address, PREFIX};
use crate::aim::{Aim, target};
use crate::answer::Answer;
use crate::broker::{Broker, Used};
use crate::by::By;
use crate::credentials::Found;
use crate::draft::{Draft, Material};
use crate::faults::Guard;
use crate::headers::{self, no_page_of_ours};
use crate::inbody::InBody;
use crate::pool::{Link, Slot};
use crate::record::Noted;
use crate::redaction::Redaction;
use crate::refusal::Refusal;
use crate::retry::{ATTEMPTS, Retries};
use crate::right::Right;
use crate::room::Seat;
use crate::rules::Asked;
use crate::send::Way;

impl Door for Broker {
    fn is_for(&self, request: &Request<Incoming>) -> bool {
        request.uri().path().starts_with(PREFIX) || request.method() == Method::CONNECT
    }

    fn open(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Opening {
        Box::pin(async move {
            let id = self.app.request_ids().next();
            let (parts, body) = request.into_parts();
            let mut body = Some(InBody::Coming(body));
            let mut standing = None;
            let from = Whence { address: self.app.whence(&parts.headers, Some(peer)).address(), request: id };
            let mut answer = match self.call(&parts, &mut body, peer, from, &mut standing).await {
                Ok(mut answer) => {
                    no_page_of_ours(answer.headers_mut());
                    let attempts = answer.body().attempts();
                    if attempts > 1 {
                        answer.headers_mut().insert(ATTEMPTS, HeaderValue::from(u16::from(attempts)));
                    }
                    answer.map(Body::new)
                }
                Err(refusal) => {
                    self.app.metrics().count_brokered(refusal.code());
                    if let Some(body) =
                        body.take().filter(|it| !it.is_empty() && !awaits_asking(&parts.headers))
                    {
                        body.discard().await;
                    }
                    tracing::debug!(%id, code = refusal.code(), "a call was refused");
                    let mut answer = refusal.response();
                    answer.headers_mut().insert(REQUEST_ID, request_id_header(id));
                    // A third party's answer says where the caller stands with the third party.
                    if let Some(standing) = standing {
                        standing.write(answer.headers_mut());
                    }
                    answer
                }
            };
            answer.headers_mut().insert(OWN_REQUEST_ID, request_id_header(id));
            answer
        })
    }

    fn cut_off(&self) {
        self.recorder.cut_off();
    }
}

/// Who calls.
pub(crate) struct Who {
    pub(crate) by: By,
    pub(crate) found: Found,
}

impl Broker {
    async fn call(
        &self,
        parts: &request::Parts,
        body: &mut Option<InBody>,
        peer: Peer,
        from: Whence,
        standing: &mut Option<Standing>,
    ) -> Result<Response<Answer>, Refusal> {
        check_form(parts)?;
        let (who, caller) = self.authenticate(parts, peer, standing)?;
        let permit = caller.permit::<rights::ConnectionsResolve>(from)?;
        let (path, query) = (parts.uri.path(), parts.uri.query());
        let address = Address::read(path, query)?;
        let checked = if self.options.faults.stands(Guard::Path) { address.check() } else { Ok(()) };
        let (usable, admitted) = match self.usable(&permit, address.key).await {
            Ok(found) => found,
            // With nowhere to write it down. What is wrong with the path, whoever may know of no connection is told too.
            Err(refusal) => return Err(checked.err().unwrap_or(refusal)),
        };
        self.pass(parts, body, &address, who, &usable, checked.and(admitted)).await
    }

    /// Passes a call on, whoever's it is by now, if it is admitted so far, and its answer back.
    pub(crate) async fn pass(
        &self,
        parts: &request::Parts,
        body: &mut Option<InBody>,
        address: &Address<'_>,
        who: Who,
        usable: &Arc<UsableConnection>,
        admitted: Result<(), Refusal>,
    ) -> Result<Response<Answer>, Refusal> {
        // Before anything is noted: refused calls would fill what has no room.
        if !self.recorder.has_room() {
            return Err(admitted.err().unwrap_or(Refusal::Unrecorded));
        }
        let (method, recorder) = (parts.method.clone(), self.recorder.clone());
        let mut noted = Noted::new(self.app.clone(), recorder, &who.by, &usable.connection, method);
        let forwarded = match admitted {
            Ok(()) => self.forward(parts, body, address, who, usable, self.used(usable), &mut noted).await,
            Err(refusal) => Err(refusal),
        };
        match forwarded {
            Ok((answer, link)) => Ok(self.hand_back(answer, link, noted)),
            Err(refusal) => {
                let (status, code, _) = refusal.told();
                noted.refused(status.as_u16(), code);
                Err(refusal)
            }
        }
    }

    fn authenticate(
        &self,
        parts: &request::Parts,
        peer: Peer,
        standing: &mut Option<Standing>,
    ) -> Result<(Who, Caller), Refusal> {
        let app = &self.app;
        let usual = presented(&parts.headers);
        let found = Found::beside(&usual, &parts.headers);
        let whence = app.whence(&parts.headers, Some(peer));
        let authenticated = app.engine().authenticate_for_use(found.or_usual(usual), &whence);
        let (caller, proof) = authenticated.inspect_err(|failure| {
            app.refusals().note(*failure, app.engine().clock().now(), app.metrics());
            if let AuthFailure::Limited(exhausted) = failure {
                *standing = Some((*exhausted).into());
            }
        })?;
        *standing = app.limits().take(caller.org(), Bucket::BROKER, || app.engine().clock().now());
        match standing.is_some_and(|standing| standing.is_exceeded) {
            true => Err(Refusal::RateLimited),
            false => Ok((Who { by: By::caller(&caller, proof), found }, caller)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call, each with a life of its own")]
    async fn forward(
        &self,
        parts: &request::Parts,
        body: &mut Option<InBody>,
        address: &Address<'_>,
        who: Who,
        usable: &Arc<UsableConnection>,
        used: &Used,
        noted: &mut Noted,
    ) -> Result<(Response<Incoming>, Onward), Refusal> {
        let prepared = used.prepared.as_ref().map_err(Clone::clone)?;
        if !who.found.fits(&prepared.credential_headers) {
            return Err(AuthFailure::NothingPresented.into());
        }
        if usable.connection.is_over(self.app.engine().clock().now()) {
            return Err(Refusal::ConnectionExpired);
        }
        let seat = used.room.take(used.seats)?;
        let Aim { origin, host, path } = target(parts, address, prepared)?;
        noted.aimed_at(host.clone(), &path);
        let destination = match prepared.check(&origin) {
            Err(_) if !self.options.faults.stands(Guard::Host) => Destination::default(),
            checked => checked?,
        };
        let terms = &usable.connection.terms;
        let mut retries = Retries::of(&parts.headers, terms)?;
        let asked = Asked::new(&parts.method, &origin, &path);
        let is_method_bound = asked.check(terms, parts, address.query)?;
        let engine = self.app.engine();
        let slot = self.slot(used, &usable.connection, &origin);
        let sent = noted.sent();
        let way = Way { sent: &sent, broker: self, slot: &slot, patience: used.patience };
        let app = self.app.clone();
        let mut right =
            Box::new(Right { app, by: who.by, usable: usable.clone(), slot: slot.clone(), asked });
        let material = Material {
            parts,
            address,
            prepared,
            usable,
            catalog: engine.catalog(),
            origin: &origin,
            host,
            path,
            destination: destination.clone(),
            sent: sent.clone(),
            is_method_bound,
            is_kept: retries.may_come(),
            room: used.room.for_bodies(),
            patience: self.options.whole_patience,
            memory: &self.bodies,
            faults: &self.options.faults,
            random: engine.random(),
        };
        let mut draft = Draft::new(material, body).await?;
        let is_strict = terms.audit == Audit::Strict;
        if is_strict {
            // Here and below, what is large is kept apart from the calls that need none of it.
            Box::pin(noted.begin()).await?;
        }
        let mut minted = match prepared.source {
            Some(source) => Some(Box::pin(self.mint.token(usable, used, source, &destination)).await?),
            None => None,
        };
        let mut voucher = self.vouch(&mut draft, usable, &origin).await?;
        // The body, the record or a token may have been waited for, and the right may have ended meanwhile.
        let is_token_made = prepared.source.is_some() || voucher.is_some();
        if is_strict || draft.has_waited() || is_token_made {
            Box::pin(right.check_unsent(usable)).await?;
        }
        if right.by.is_use() {
            engine.note_connection_used(usable.connection.id);
        }
        let token = minted.as_ref().map(|(_, minted)| &**minted);
        let (mut answer, mut link) =
            self.send_again(&mut draft, token, usable, &way, &mut right, &mut retries).await?;
        // A token that was taken back before its time: once more, with another.
        if answer.status() == StatusCode::UNAUTHORIZED
            && let (Some((key, refused)), Some(source)) = (&minted, prepared.source)
            && draft.is_repeatable()
            && Box::pin(self.mint.reject(&usable.connection, key, refused)).await
        {
            drop(link);
            let renewed = Box::pin(self.mint.token(usable, used, source, &destination)).await?;
            voucher = self.vouch(&mut draft, usable, &origin).await?;
            Box::pin(right.check_unsent(usable)).await?;
            let token = Some(&*renewed.1);
            retries.note_another_token();
            (answer, link) =
                self.send_again(&mut draft, token, usable, &way, &mut right, &mut retries).await?;
            minted = Some(renewed);
        }
        #[cfg(feature = "faults")]
        let slot = match self.options.faults.stands(Guard::Redirect) {
            true => slot.clone(),
            false => {
                (answer, link) = self.follow(answer, link, &mut draft, usable, &way, &mut right).await?;
                // Whoever it leads to now, nobody else calls over it.
                Arc::new(slot.apart(origin.as_ref().clone()))
            }
        };
        // Nobody else calls over it.
        let slot = match draft.may_be_unread(answer.status()) {
            true => Arc::new(slot.apart(origin.into_owned())),
            false => slot,
        };
        let minted = minted.as_ref().map(|(_, minted)| minted);
        let vouched = voucher.as_ref().map(|voucher| voucher.needles(usable, prepared, minted));
        let needles = vouched.as_ref().or(minted.map(|minted| &minted.needles)).or(used.needles.as_ref());
        let needles = needles.filter(|_| self.options.faults.stands(Guard::Redaction));
        let redaction = needles.map(Redaction::new);
        let onward = Onward { link, slot, right, redaction, seat, attempts: retries.attempts() };
        check_answer(&answer)?;
        Ok((answer, onward))
    }

    /// The connection that is meant, and whether the caller may use it.
    pub(crate) async fn usable(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        key: UseKey<'_>,
    ) -> Result<(Arc<UsableConnection>, Result<(), Refusal>), Refusal> {
        #[cfg(feature = "faults")]
        {
            let stands = |guard| self.options.faults.stands(guard);
            let bounds = (stands(Guard::Binding), stands(Guard::Restriction));
            if bounds != (true, true) {
                return Ok((self.app.engine().usable_connection_without(permit, key, bounds).await?, Ok(())));
            }
        }
        let (usable, may) = self.app.engine().meant_connection(permit, key).await?;
        Ok((usable, may.map_err(Refusal::from)))
    }

    /// Goes where an answer points to, with all that the draft has: the mistake that the tests exist to catch.
    #[cfg(feature = "faults")]
    async fn follow(
        &self,
        answer: Response<Incoming>,
        link: Link,
        draft: &mut Draft,
        usable: &UsableConnection,
        way: &Way<'_>,
        right: &mut Right,
    ) -> Result<(Response<Incoming>, Link), Refusal> {
        let location = answer.headers().get(http::header::LOCATION).and_then(|it| it.to_str().ok());
        let Some(target) = location.and_then(|it| it.parse::<claviger_model::Target>().ok()) else {
            return Ok((answer, link));
        };
        draft.turn_to(&target)?;
        let slot = Arc::new(way.slot.apart(target.origin().clone()));
        let way = Way { slot: &slot, ..*way };
        Ok(self.send(draft, None, usable, &way, right, &mut Retries::default()).await?)
    }

    fn hand_back(&self, answer: Response<Incoming>, onward: Onward, mut noted: Noted) -> Response<Answer> {
        let (mut parts, body) = answer.into_parts();
        let Onward { link, slot, right, mut redaction, seat, attempts } = onward;
        if self.options.faults.stands(Guard::AnswerStrip) {
            headers::inwards(&mut parts.headers);
        }
        if let Some(redaction) = &mut redaction {
            redaction.mask_headers(&mut parts.headers, !body.is_end_stream());
        }
        if parts.status == StatusCode::NO_CONTENT {
            // Whatever a third party says, it has none (RFC 9110, 8.6).
            parts.headers.remove(CONTENT_LENGTH);
        }
        parts.version = Version::HTTP_11;
        // The words behind the status among them, in which a secret could stand.
        parts.extensions = http::Extensions::default();
        noted.handed_back(parts.status.as_u16());
        let answer = Answer::new(body, redaction, (link, slot), right, noted, (seat, attempts));
        Response::from_parts(parts, answer)
    }
}

/// What goes on while an answer is read.
struct Onward {
    link: Link,
    slot: Arc<Slot>,
    right: Box<Right>,
    redaction: Option<Redaction>,
    seat: Seat,
    attempts: u8,
}

/// The longest method: above every one that is registered (RFC 9110, 16.1), and kept with each call that is recorded.
pub(crate) const METHOD_BYTES_MAX: usize = 32;

/// Refuses what cannot be passed on whoever asks.
pub(crate) fn check_form(parts: &request::Parts) -> Result<(), Refusal> {
    // An offer of HTTP/2 in clear, which some clients make with every request, may be left unanswered (RFC 9113, 3.1).
    let is_offer = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"h2c");
    if parts.method == Method::CONNECT || parts.headers.get(UPGRADE).is_some_and(|value| !is_offer(value)) {
        return Err(Refusal::UpgradeUnsupported);
    }
    // It answers with the request's own headers, the credential among them.
    let (echoes, asked) = (["TRACE", "TRACK"], parts.method.as_str());
    if asked.len() > METHOD_BYTES_MAX || echoes.iter().any(|method| asked.eq_ignore_ascii_case(method)) {
        return Err(Refusal::MethodNotAllowed);
    }
    if parts.version < Version::HTTP_2 && parts.uri.authority().is_some() {
        return Err(Refusal::AbsoluteForm);
    }
    Ok(())
}

/// Refuses an answer that cannot be handed back.
fn check_answer(answer: &Response<Incoming>) -> Result<(), Refusal> {
    // Without a body, whatever is said of its encoding means nothing.
    if !answer.body().is_end_stream() {
        headers::check_searchable(answer.status(), answer.headers())?;
    }
    match answer.status() {
        StatusCode::SWITCHING_PROTOCOLS => Err(Refusal::UpstreamBroken),
        _ => Ok(()),
    }
}
