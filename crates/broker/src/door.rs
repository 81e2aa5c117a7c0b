//! `/broker/{connection}/{path…}`: a call through a connection, streamed both ways.

use std::sync::Arc;

use axum::body::Body;
use claviger_engine::{
    AuthFailure, Caller, Origin as Whence, Permit, Source as _, UsableConnection, UseKey, rights,
};
use claviger_http::{
    Bucket, Door, OWN_REQUEST_ID, Opening, Peer, REQUEST_ID, Standing, awaits_asking, presented,
    request_id_header,
};
use http::header::UPGRADE;
use http::{HeaderValue, Method, Request, Response, Version, request};
use hyper::body::Incoming;

use crate::address::{Address, PREFIX};
use crate::answer::Answer;
use crate::broker::Broker;
use crate::by::By;
use crate::credentials::Found;
use crate::faults::Guard;
use crate::forward::Call;
use crate::headers::no_page_of_ours;
use crate::inbody::InBody;
use crate::record::Noted;
use crate::refusal::Refusal;
use crate::retry::ATTEMPTS;

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
            Ok(()) => {
                let call = Call { parts, address, usable, used: self.used(usable) };
                self.forward(call, who, body, &mut noted).await
            }
            Err(refusal) => Err(refusal),
        };
        match forwarded {
            Ok((answer, onward)) => Ok(self.hand_back(answer, onward, noted).await),
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
