//! A request as it will go out, but for what an exchange must give first: written once more where that must be renewed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claviger_catalog::{Catalog, Destination, Signing};
use claviger_engine::{UsableConnection, UsableSettings};
use claviger_exchange::aws::{Call, Payload, SignError, sign, takes_unsigned};
use claviger_model::{Clock, Origin, Random};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version, request};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::faults::{Faults, Guard};
use crate::headers;
use crate::inbody::{InBody, Room, whole};
use crate::memory::Memory;
use crate::mint::{Credential, Minted};
use crate::outbody::{OutBody, Sent};
use crate::prepared::{Added, Prepared, TOKEN, header_value, render, value_of};
use crate::query;
use crate::refusal::Refusal;
use crate::rules::BodyCheck;
use crate::voucher::{Voucher, X_ZIS_AUTHORIZATION};

/// See the module's documentation.
pub(crate) struct Draft {
    method: Method,
    path: String,
    query: Zeroizing<String>,
    headers: HeaderMap,
    body: Content,
    late: Vec<Late>,
    signing: Option<Signing>,
    sent: Arc<Sent>,
    has_waited: bool,
    /// The room that the body takes.
    _held: Option<Room>,
}

/// What needs the token.
#[derive(Debug, Clone, Copy)]
enum Late {
    /// The injection of the catalog at this place.
    Injection(usize),
    /// `Authorization: Bearer …`.
    Bearer,
}

enum Content {
    Whole(Bytes),
    /// What goes through as it comes, once.
    Streamed(Option<Incoming>),
}

/// What a draft is made of.
pub(crate) struct Material<'a> {
    pub(crate) parts: &'a request::Parts,
    pub(crate) address: &'a Address<'a>,
    pub(crate) prepared: &'a Prepared,
    pub(crate) usable: &'a UsableConnection,
    pub(crate) catalog: &'a Catalog,
    pub(crate) origin: &'a Origin,
    /// Its host and port, for the header.
    pub(crate) host: HeaderValue,
    pub(crate) path: String,
    pub(crate) destination: Destination,
    pub(crate) sent: Arc<Sent>,
    /// Whether the connection's rules name methods, and the body could name another.
    pub(crate) is_method_bound: bool,
    /// Whether the body is to be kept, if it is short.
    pub(crate) is_kept: bool,
    /// Room for bodies that are held whole and are not small.
    pub(crate) room: &'a Arc<Semaphore>,
    /// How long such a body may take to come.
    pub(crate) patience: Duration,
    /// And memory for these.
    pub(crate) memory: &'a Memory,
    pub(crate) faults: &'a Faults,
    pub(crate) random: &'a dyn Random,
}

impl Draft {
    /// Makes one; `body` is taken where it is looked at.
    ///
    /// # Errors
    /// Where the caller's request does not fit what the connection adds to it.
    pub(crate) async fn new(material: Material<'_>, body: &mut Option<InBody>) -> Result<Self, Refusal> {
        let Material { parts, address, prepared, usable, catalog, origin, host, path, destination, .. } =
            material;
        let (sent, faults, patience) = (material.sent, material.faults, material.patience);
        let mut headers = match faults.stands(Guard::HeaderStrip) {
            true => headers::outwards(&parts.headers, &prepared.strip_headers),
            false => parts.headers.clone(),
        };
        #[cfg(feature = "faults")]
        if !faults.stands(Guard::Template) {
            headers.values_mut().for_each(|value| crate::template::fill_callers(value, usable));
        }
        headers.insert(HOST, host);
        let callers = address.query.unwrap_or_default();
        let callers = match faults.stands(Guard::QueryStrip) {
            true => query::without(callers, &prepared.strip_query),
            false => callers.into(),
        };
        let mut query = Zeroizing::new(callers.into_owned());
        let (mut late, mut is_signed) = (Vec::new(), false);
        // Few additions depend on it.
        let url = match prepared.added.iter().any(|addition| addition.condition.is_some()) {
            true => format!("{origin}{path}"),
            false => String::new(),
        };
        for addition in prepared.additions(catalog, usable, &url) {
            match &addition.what {
                Added::Header(name, _) if addition.if_absent && headers.contains_key(name) => {}
                Added::Header(name, value) => drop(headers.insert(name, value.clone())),
                Added::Query(pair) => add_pair(&mut query, pair),
                Added::WithToken(place) => late.push(Late::Injection(*place)),
                Added::OAuthToken => late.push(Late::Bearer),
                Added::AwsSignature => is_signed = true,
            }
        }
        let mut templated = None;
        if let Some(template) = &prepared.template {
            for (name, value) in &template.headers {
                headers.insert(name, value.clone());
            }
            template.parameters.iter().for_each(|(_, pair)| add_pair(&mut query, pair));
            let has_body = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method);
            templated = template.body.as_ref().filter(|_| has_body);
        }
        let signing = destination.signing.filter(|_| is_signed);
        if let Some(template) = templated {
            let media_type = template.media_type(&headers)?;
            media_type.map(|it| headers.insert(CONTENT_TYPE, it));
        }
        let is_kept = (material.is_kept || prepared.source.is_some()) && is_short(body);
        // By what the third party is told that it is.
        let check = if material.is_method_bound { BodyCheck::of(&headers) } else { None };
        let is_hashed = signing.as_ref().is_some_and(|signing| !takes_unsigned(signing));
        let is_whole = templated.is_some() || check.is_some() || is_kept || is_hashed;
        let held = match body.as_ref().filter(|body| is_whole || body.is_here()) {
            Some(body) => body.room(material.room, material.memory, usable.connection.org, patience).await?,
            None => None,
        };
        let body = match templated {
            Some(template) => {
                let callers = whole(body, patience).await?;
                let types: Vec<_> = parts.headers.get_all(CONTENT_TYPE).into_iter().collect();
                let (body, own) = template.join(&callers, &types, material.random)?;
                own.map(|it| headers.insert(CONTENT_TYPE, it));
                Content::Whole(body)
            }
            None if is_whole => Content::Whole(whole(body, patience).await?),
            None => match body.take().filter(|body| !body.is_empty()) {
                Some(InBody::Coming(body)) => Content::Streamed(Some(body)),
                Some(InBody::Here(body)) => Content::Whole(body),
                None => Content::Whole(Bytes::new()),
            },
        };
        if let (Some(check), Content::Whole(body)) = (check, &body) {
            check.check(body)?;
        }
        Ok(Self {
            method: parts.method.clone(),
            path,
            query,
            headers,
            body,
            late,
            signing,
            sent,
            has_waited: is_whole || held.is_some(),
            _held: held,
        })
    }

    /// Adds a ZIS connection's token: once the body is there, since it is good for a minute at most.
    pub(crate) fn vouch(&mut self, voucher: &Voucher) {
        self.headers.insert(X_ZIS_AUTHORIZATION, voucher.header.clone());
    }

    /// Whether the caller's body may have been waited for.
    pub(crate) fn has_waited(&self) -> bool {
        self.has_waited
    }

    /// Whether it can be written once more.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self.body, Content::Whole(_))
    }

    /// Whether a server that answers like this may have left its body unread, and would take it for the next request over the
    /// same connection: its method gives none a meaning (RFC 9110, 9.3), or is one that few know; or the answer came before all
    /// of it was out, or is that of a server which looks no further.
    pub(crate) fn may_be_unread(&self, status: StatusCode) -> bool {
        let has_body = match &self.body {
            Content::Whole(body) => !body.is_empty(),
            Content::Streamed(_) => true,
        };
        let is_usual = || [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
        let is_error = status.is_client_error() || status.is_server_error();
        has_body && (!is_usual() || is_error || !self.sent.is_over())
    }

    /// Turns it to another target.
    #[cfg(feature = "faults")]
    pub(crate) fn turn_to(&mut self, target: &claviger_model::Target) -> Result<(), Refusal> {
        let host = HeaderValue::from_str(&target.origin().authority()).map_err(|_| Refusal::Internal)?;
        self.headers.insert(HOST, host);
        self.path = target.path_and_query();
        Ok(())
    }

    /// Whether doing it twice is as good as once, and it can be written once more (RFC 9110, 9.2.2).
    pub(crate) fn is_idempotent(&self) -> bool {
        self.is_repeatable() && self.method.is_idempotent()
    }

    /// Writes it, with what was exchanged.
    ///
    /// # Errors
    /// Where it cannot be written so.
    pub(crate) fn write(
        &mut self,
        minted: Option<&Minted>,
        usable: &UsableConnection,
        catalog: &Catalog,
        clock: &dyn Clock,
    ) -> Result<Request<OutBody>, Refusal> {
        let (mut headers, mut query) = (self.headers.clone(), self.query.clone());
        for late in &self.late {
            match token_in(*late, minted, usable, catalog)? {
                Added::Header(name, value) => drop(headers.insert(name, value)),
                Added::Query(pair) => add_pair(&mut query, &pair),
                Added::WithToken(_) | Added::OAuthToken | Added::AwsSignature => {
                    return Err(Refusal::Internal);
                }
            }
        }
        let target = match query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, query.as_str()),
        };
        if let Some(signing) = &self.signing {
            let Some(Minted { credential: Credential::Aws(credentials), .. }) = minted else {
                return Err(Refusal::Internal);
            };
            let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
            let payload = match &self.body {
                Content::Whole(body) => Payload::Whole(body),
                Content::Streamed(_) => Payload::Unsigned,
            };
            let method = &self.method;
            let mut call =
                Call { method, host: &host, path_and_query: &target, headers: &mut headers, payload };
            sign(&mut call, signing, credentials, clock.now()).map_err(|error| match error {
                SignError::Unsigned => Refusal::BodyTooLarge,
                SignError::Plus => Refusal::Body("A + in the path of a request to S3 must be written as %2B"),
                SignError::Streaming => Refusal::Body("A body whose pieces are signed cannot be passed on"),
                SignError::Credentials => Refusal::Exchange("exchange_garbage"),
            })?;
        }
        let body = match &mut self.body {
            Content::Whole(body) => OutBody::whole(body.clone(), self.sent.clone()),
            Content::Streamed(body) => {
                OutBody::streamed(body.take().ok_or(Refusal::Internal)?, self.sent.clone())
            }
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::try_from(target).map_err(|_| Refusal::Internal)?;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

fn add_pair(query: &mut Zeroizing<String>, pair: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(pair);
}

/// An injection with its token.
fn token_in(
    late: Late,
    minted: Option<&Minted>,
    usable: &UsableConnection,
    catalog: &Catalog,
) -> Result<Added, Refusal> {
    let token = minted.and_then(Minted::token).ok_or(Refusal::Internal)?;
    let (place, settings) = match (late, &usable.settings) {
        (Late::Bearer, UsableSettings::Zis(..)) => {
            let value = Zeroizing::new(format!("Bearer {token}"));
            return Ok(Added::Header(AUTHORIZATION, header_value(&value)?));
        }
        (Late::Injection(place), UsableSettings::Catalogued(settings)) => (place, settings),
        // What was prepared is of another kind of connection: no token goes out by a guess.
        (Late::Bearer, UsableSettings::Catalogued(_)) | (Late::Injection(_), UsableSettings::Zis(..)) => {
            return Err(Refusal::Internal);
        }
    };
    let entry = catalog.connection(settings).map_err(|_| Refusal::Internal)?;
    let injection = entry.credential().injections().get(place).ok_or(Refusal::Internal)?;
    render(&injection.what, |name| match name {
        TOKEN => Some(token),
        name => value_of(usable, settings, name),
    })
}

/// Whether a body is short enough to be kept, so that it can be sent once more, be it with another token.
fn is_short(body: &Option<InBody>) -> bool {
    body.as_ref().is_none_or(InBody::is_short)
}
