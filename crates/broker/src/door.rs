//! `/broker/{connection}/{path…}`: a call through a connection, streamed both ways.

use std::sync::Arc;

use axum::body::Body;
use claviger_catalog::Destination;
use claviger_engine::{
    Caller, Origin as Whence, Permit, Proof, Source as _, UsableConnection, UseKey, rights,
};
use claviger_http::{
    Bucket, Door, Opening, Peer, REQUEST_ID, Standing, awaits_asking, discard, request_id_header,
};
use claviger_model::{Host, Origin, Scheme};
use http::header::UPGRADE;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, request};
use hyper::body::{Body as _, Incoming};

use crate::address::{Address, PREFIX};
use crate::answer::Answer;
use crate::broker::{Broker, Used};
use crate::credentials::Found;
use crate::draft::{Draft, Material};
use crate::faults::Guard;
use crate::headers;
use crate::mint::Minted;
use crate::pool::{Link, Slot};
use crate::prepared::Prepared;
use crate::record::Noted;
use crate::redaction::Redaction;
use crate::refusal::Refusal;
use crate::right::Right;
use crate::send::{Over, Unanswered, Way};

/// The host that a caller means, of those that the connection allows.
const CLAVIGER_HOST: HeaderName = HeaderName::from_static("claviger-host");

impl Door for Broker {
    fn is_for(&self, request: &Request<Incoming>) -> bool {
        request.uri().path().starts_with(PREFIX) || request.method() == Method::CONNECT
    }

    fn open(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Opening {
        Box::pin(async move {
            let id = self.app.request_ids().next();
            let (parts, body) = request.into_parts();
            let mut body = Some(body);
            let mut standing = None;
            let from = Whence { address: self.app.whence(&parts.headers, Some(peer)).address(), request: id };
            let mut answer = match self.call(&parts, &mut body, peer, from, &mut standing).await {
                Ok(answer) => answer,
                Err(refusal) => {
                    self.app.metrics().count_brokered(refusal.code());
                    if let Some(body) =
                        body.take().filter(|it| !it.is_end_stream() && !awaits_asking(&parts.headers))
                    {
                        discard(body).await;
                    }
                    refusal.response()
                }
            };
            answer.headers_mut().insert(REQUEST_ID, request_id_header(id));
            if let Some(standing) = standing {
                standing.write(answer.headers_mut());
            }
            answer
        })
    }
}

/// Who calls.
pub(crate) struct Who {
    pub(crate) caller: Caller,
    pub(crate) proof: Proof,
    pub(crate) found: Found,
}

impl Broker {
    async fn call(
        &self,
        parts: &request::Parts,
        body: &mut Option<Incoming>,
        peer: Peer,
        from: Whence,
        standing: &mut Option<Standing>,
    ) -> Result<Response<Body>, Refusal> {
        check_form(parts)?;
        let who = self.authenticate(parts, peer, standing)?;
        let permit = who.caller.clone().permit::<rights::ConnectionsResolve>(from)?;
        let (path, query) = (parts.uri.path(), parts.uri.query());
        let address = match self.options.faults.stands(Guard::Path) {
            true => Address::parse(path, query)?,
            false => Address::read(path, query)?,
        };
        let usable = self.usable(&permit, address.key).await?;
        self.pass(parts, body, &address, who, &usable).await
    }

    /// Passes a call on, whoever's it is by now, and its answer back.
    pub(crate) async fn pass(
        &self,
        parts: &request::Parts,
        body: &mut Option<Incoming>,
        address: &Address<'_>,
        who: Who,
        usable: &Arc<UsableConnection>,
    ) -> Result<Response<Body>, Refusal> {
        // Before anything is noted: refused calls would fill what has no room.
        if !self.recorder.has_room() {
            return Err(Refusal::Unrecorded);
        }
        let used = self.used(usable);
        let (method, recorder) = (parts.method.clone(), self.recorder.clone());
        let mut noted = Noted::new(self.app.clone(), recorder, &who.caller, &usable.connection, method);
        let forwarded = self.forward(parts, body, address, who, usable, used, &mut noted).await;
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
    ) -> Result<Who, Refusal> {
        let app = &self.app;
        let found = Found::in_headers(&parts.headers);
        let whence = app.whence(&parts.headers, Some(peer));
        let authenticated = app.engine().authenticate_for_use(found.presented(&parts.headers), &whence);
        let (caller, proof) = authenticated.inspect_err(|failure| {
            app.refusals().note(*failure, app.engine().clock().now(), app.metrics())
        })?;
        *standing = app.limits().take(caller.org(), Bucket::BROKER, || app.engine().clock().now());
        match standing.is_some_and(|standing| standing.is_exceeded) {
            true => Err(Refusal::RateLimited),
            false => Ok(Who { caller, proof, found }),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call, each with a life of its own")]
    async fn forward(
        &self,
        parts: &request::Parts,
        body: &mut Option<Incoming>,
        address: &Address<'_>,
        who: Who,
        usable: &Arc<UsableConnection>,
        used: &Used,
        noted: &mut Noted,
    ) -> Result<(Response<Incoming>, Onward), Refusal> {
        let prepared = used.prepared.as_ref().map_err(Clone::clone)?;
        if !who.found.fits(&prepared.credential_headers) {
            return Err(claviger_engine::AuthFailure::NothingPresented.into());
        }
        let now = self.app.engine().clock().now();
        if usable.connection.expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::ConnectionExpired);
        }
        let room = used.room.clone().try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let (origin, path) = target(parts, address, prepared)?;
        noted.aimed_at(origin.authority(), &path);
        let destination = match prepared.check(&origin) {
            Err(_) if !self.options.faults.stands(Guard::Host) => Destination::default(),
            checked => checked?,
        };
        let (engine, org) = (self.app.engine(), usable.connection.org);
        let reach = engine.private_reach(org);
        let policy = self.policy(reach.as_deref());
        let slot = self.pool.slot(org, &origin, reach);
        let sent = noted.sent();
        let way = Way {
            sent: &sent,
            egress: &self.egress,
            policy: &policy,
            origin: &origin,
            slot: &slot,
            patience: self.options.patience,
        };
        let mut right = Box::new(Right {
            app: self.app.clone(),
            caller: who.caller,
            proof: who.proof,
            usable: usable.clone(),
        });
        let mut minted = match prepared.source {
            Some(source) => Some(self.mint.token(usable, used, source, &destination).await?),
            None => None,
        };
        let voucher = self.vouchers.of(usable, &origin).await?;
        let material = Material {
            parts,
            address,
            prepared,
            usable,
            catalog: engine.catalog(),
            origin: &origin,
            path,
            destination: destination.clone(),
            voucher: voucher.as_deref(),
            sent: sent.clone(),
            faults: &self.options.faults,
            random: engine.random(),
        };
        let mut draft = Draft::new(material, body).await?;
        engine.note_connection_used(usable.connection.id);
        let token = minted.as_ref().map(|(_, minted)| &**minted);
        let (mut answer, mut link) = self.send(&mut draft, token, usable, &way, &mut right).await?;
        // A token that was taken back before its time: once more, with another.
        if answer.status() == StatusCode::UNAUTHORIZED
            && let (Some((key, refused)), Some(source)) = (&minted, prepared.source)
            && draft.is_repeatable()
            && self.mint.reject(&usable.connection, key, refused).await
        {
            drop(link);
            let renewed = self.mint.token(usable, used, source, &destination).await?;
            (answer, link) = self.send(&mut draft, Some(&renewed.1), usable, &way, &mut right).await?;
            minted = Some(renewed);
        }
        #[cfg(feature = "faults")]
        let slot = match self.options.faults.stands(Guard::Redirect) {
            true => slot.clone(),
            false => {
                (answer, link) = self.follow(answer, link, &mut draft, usable, &way, &mut right).await?;
                // Whoever it leads to now, nobody else calls over it.
                Arc::default()
            }
        };
        let minted = minted.as_ref().map(|(_, minted)| minted);
        let vouched = voucher.as_ref().map(|voucher| voucher.needles(usable, prepared, minted));
        let needles = vouched.as_ref().or(minted.map(|minted| &minted.needles)).or(used.needles.as_ref());
        let needles = needles.filter(|_| self.options.faults.stands(Guard::Redaction));
        let onward = Onward { link, slot, right, redaction: needles.map(Redaction::new), room };
        // Without a body, whatever is said of its encoding means nothing.
        let is_encoded = headers::is_encoded(answer.headers());
        if is_encoded && !answer.body().is_end_stream() {
            return Err(Refusal::UpstreamEncoded);
        }
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Refusal::UpstreamBroken);
        }
        Ok((answer, onward))
    }

    /// Sends what was drafted, once more only where it cannot have been done twice by that, or does no harm.
    async fn send(
        &self,
        draft: &mut Draft,
        minted: Option<&Minted>,
        usable: &UsableConnection,
        way: &Way<'_>,
        right: &mut Right,
    ) -> Result<(Response<Incoming>, Link), Refusal> {
        let mut over = Over::AnyLink;
        loop {
            let engine = self.app.engine();
            let request = draft.write(minted, usable, engine.catalog(), engine.clock().now())?;
            match way.send(request, right, over).await {
                Ok(answered) => return Ok(answered),
                Err(Unanswered::Refused(refusal)) => return Err(refusal),
                Err(Unanswered::Stale) if over == Over::AnyLink && draft.is_idempotent() => {
                    over = Over::NewLink
                }
                Err(Unanswered::Stale) => return Err(Refusal::UpstreamBroken),
            }
        }
    }

    async fn usable(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        key: UseKey<'_>,
    ) -> Result<Arc<UsableConnection>, Refusal> {
        #[cfg(feature = "faults")]
        {
            let stands = |guard| self.options.faults.stands(guard);
            let bounds = (stands(Guard::Binding), stands(Guard::Restriction));
            if bounds != (true, true) {
                return Ok(self.app.engine().usable_connection_without(permit, key, bounds).await?);
            }
        }
        Ok(self.app.engine().usable_connection(permit, key).await?)
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
        let slot = Arc::default();
        let way = Way { origin: target.origin(), slot: &slot, ..*way };
        self.send(draft, None, usable, &way, right).await
    }

    fn hand_back(&self, answer: Response<Incoming>, onward: Onward, mut noted: Noted) -> Response<Body> {
        let (mut parts, body) = answer.into_parts();
        let Onward { link, slot, right, mut redaction, room } = onward;
        headers::inwards(&mut parts.headers);
        if let Some(redaction) = &mut redaction {
            redaction.mask_headers(&mut parts.headers);
        }
        parts.version = Version::HTTP_11;
        // The words behind the status among them, in which a secret could stand.
        parts.extensions = http::Extensions::default();
        noted.answered(parts.status.as_u16());
        self.app.metrics().count_brokered("forwarded");
        let answer = Answer::new(body, redaction, (link, slot), right, noted, room);
        Response::from_parts(parts, Body::new(answer))
    }
}

/// What goes on while an answer is read.
struct Onward {
    link: Link,
    slot: Arc<Slot>,
    right: Box<Right>,
    redaction: Option<Redaction>,
    room: tokio::sync::OwnedSemaphorePermit,
}

/// Refuses what cannot be passed on whoever asks.
fn check_form(parts: &request::Parts) -> Result<(), Refusal> {
    // An offer of HTTP/2 in clear, which some clients make with every request, may be left unanswered (RFC 9113, 3.1).
    let is_offer = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"h2c");
    if parts.method == Method::CONNECT || parts.headers.get(UPGRADE).is_some_and(|value| !is_offer(value)) {
        return Err(Refusal::UpgradeUnsupported);
    }
    // It answers with the request's own headers, the credential among them.
    let echoes = ["TRACE", "TRACK"];
    if echoes.iter().any(|method| parts.method.as_str().eq_ignore_ascii_case(method)) {
        return Err(Refusal::MethodNotAllowed);
    }
    if parts.version < Version::HTTP_2 && parts.uri.authority().is_some() {
        return Err(Refusal::AbsoluteForm);
    }
    Ok(())
}

/// Where a call goes: the connection's base URL, with the caller's path below it, or another host that the caller names,
/// from its root.
fn target(
    parts: &request::Parts,
    address: &Address<'_>,
    prepared: &Prepared,
) -> Result<(Origin, String), Refusal> {
    let mut named = parts.headers.get_all(CLAVIGER_HOST).into_iter();
    let slash = |path: &str| if path.is_empty() { "/".to_owned() } else { path.to_owned() };
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(Refusal::HostInvalid),
        (Some(host), None) => {
            let host: Host = host.to_str().ok().and_then(|it| it.parse().ok()).ok_or(Refusal::HostInvalid)?;
            Ok((Origin::new(Scheme::Https, host), slash(address.path)))
        }
        (None, _) => {
            let base = prepared.base.as_ref().ok_or(Refusal::HostNeeded)?;
            Ok((base.origin.clone(), slash(&format!("{}{}", base.path, address.path))))
        }
    }
}
