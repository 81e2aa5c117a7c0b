//! A request as it will go out, but for what an exchange must give first: written once more where that must be renewed.

use std::sync::Arc;

use bytes::Bytes;
use claviger_catalog::{Catalog, Signing};
use claviger_engine::{UsableConnection, UsableSettings};
use claviger_exchange::aws::{self, Payload, SignError, sign, takes_unsigned};
use claviger_model::Clock;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, StatusCode, Uri, Version};
use hyper::body::Incoming;
use zeroize::Zeroizing;

use crate::broker::Broker;
use crate::faults::Guard;
use crate::forward::{Call, Passage};
use crate::headers;
use crate::inbody::{InBody, Room, whole};
use crate::mint::{Credential, Minted};
use crate::outbody::{OutBody, Sent};
use crate::prepared::{Added, Prepared, TOKEN, header_value, render, value_of};
use crate::query;
use crate::refusal::Refusal;
use crate::rules::BodyCheck;
use crate::template::TemplateBody;
use crate::voucher::{Voucher, X_ZIS_AUTHORIZATION};

/// See the module's documentation.
pub(crate) struct Draft {
    method: Method,
    path: PathAndQuery,
    query: Zeroizing<String>,
    headers: HeaderMap,
    body: Content,
    late: Vec<Late>,
    signing: Option<Signing>,
    sent: Arc<Sent>,
    has_waited: bool,
    /// The room that the body takes.
    held: Option<Room>,
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

impl Draft {
    /// Makes one; `body` is taken where it is looked at.
    ///
    /// # Errors
    /// Where the caller's request does not fit what the connection adds to it.
    pub(crate) async fn new(
        broker: &Broker,
        call: &Call<'_>,
        passage: &Passage<'_>,
        body: &mut Option<InBody>,
    ) -> Result<Self, Refusal> {
        let mut draft = Self::of_caller(broker, call, passage);
        draft.add_credentials(broker.app.engine().catalog(), call.usable, passage);
        let template = draft.add_template(passage.prepared)?;
        draft.take_body(broker, call, passage, template, body).await?;
        Ok(draft)
    }

    /// What of the caller's request goes on, but for its body.
    fn of_caller(broker: &Broker, call: &Call<'_>, passage: &Passage<'_>) -> Self {
        let Call { parts, address, .. } = *call;
        let Passage { prepared, aim, .. } = passage;
        let faults = &broker.options.faults;
        let mut headers = match faults.stands(Guard::HeaderStrip) {
            true => headers::outwards(&parts.headers, &prepared.strip_headers),
            false => parts.headers.clone(),
        };
        #[cfg(feature = "faults")]
        if !faults.stands(Guard::Template) {
            headers.values_mut().for_each(|value| crate::template::fill_callers(value, call.usable));
        }
        headers.insert(HOST, aim.host.clone());
        let query = address.query.unwrap_or_default();
        let query = match faults.stands(Guard::QueryStrip) {
            true => query::without(query, &prepared.strip_query),
            false => query.into(),
        };
        Self {
            method: parts.method.clone(),
            path: aim.path.clone(),
            query: Zeroizing::new(query.into_owned()),
            headers,
            body: Content::Whole(Bytes::new()),
            late: Vec::new(),
            signing: None,
            sent: passage.sent.clone(),
            has_waited: false,
            held: None,
        }
    }

    /// What the connection shows of its credential, but for what must be exchanged first.
    fn add_credentials(&mut self, catalog: &Catalog, usable: &UsableConnection, passage: &Passage<'_>) {
        let Passage { prepared, aim, destination, .. } = passage;
        // Few additions depend on it.
        let url = match prepared.added.iter().any(|addition| addition.condition.is_some()) {
            true => format!("{}{}", aim.origin, aim.path),
            false => String::new(),
        };
        for addition in prepared.additions(catalog, usable, &url) {
            match &addition.what {
                Added::Header(name, _) if addition.if_absent && self.headers.contains_key(name) => {}
                Added::Header(name, value) => drop(self.headers.insert(name, value.clone())),
                Added::Query(pair) => add_pair(&mut self.query, pair),
                Added::WithToken(place) => self.late.push(Late::Injection(*place)),
                Added::OAuthToken => self.late.push(Late::Bearer),
                Added::AwsSignature => self.signing.clone_from(&destination.signing),
            }
        }
    }

    /// Headers and parameters of an HTTP connection. Gives its body, where the caller's is to be put together with it.
    fn add_template<'p>(&mut self, prepared: &'p Prepared) -> Result<Option<&'p TemplateBody>, Refusal> {
        let Some(template) = &prepared.template else { return Ok(None) };
        for (name, value) in &template.headers {
            self.headers.insert(name, value.clone());
        }
        template.parameters.iter().for_each(|(_, pair)| add_pair(&mut self.query, pair));
        let has_body = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.method);
        let body = template.body.as_ref().filter(|_| has_body);
        if let Some(body) = body {
            let media_type = body.media_type(&self.headers)?;
            media_type.map(|it| self.headers.insert(CONTENT_TYPE, it));
        }
        Ok(body)
    }

    /// The body: read whole where it must be, checked, and put together with the connection's; else as it comes.
    async fn take_body(
        &mut self,
        broker: &Broker,
        call: &Call<'_>,
        passage: &Passage<'_>,
        template: Option<&TemplateBody>,
        body: &mut Option<InBody>,
    ) -> Result<(), Refusal> {
        let may_be_repeated = passage.retries.may_come() || passage.prepared.source.is_some();
        let is_hashed = self.signing.as_ref().is_some_and(|signing| !takes_unsigned(signing));
        // By what the third party is told that it is.
        let check = if passage.is_method_bound { BodyCheck::of(&self.headers) } else { None };
        let is_whole =
            template.is_some() || check.is_some() || is_hashed || (may_be_repeated && is_short(body));
        if !is_whole {
            if let Some(here) = body.as_ref().filter(|body| body.is_here()) {
                self.held = Box::pin(self.room(broker, call, here)).await?;
                self.has_waited = self.held.is_some();
            }
            self.body = match body.take().filter(|body| !body.is_empty()) {
                Some(InBody::Coming(body)) => Content::Streamed(Some(body)),
                Some(InBody::Here(body)) => Content::Whole(body),
                None => Content::Whole(Bytes::new()),
            };
            return Ok(());
        }
        self.has_waited = true;
        // Apart, since few calls need it.
        let read = async {
            if let Some(body) = body.as_ref() {
                self.held = self.room(broker, call, body).await?;
            }
            whole(body, broker.options.whole_patience).await
        };
        let mut content = Box::pin(read).await?;
        if let Some(template) = template {
            let types: Vec<_> = call.parts.headers.get_all(CONTENT_TYPE).into_iter().collect();
            let (joined, own) = template.join(&content, &types, broker.app.engine().random())?;
            own.map(|it| self.headers.insert(CONTENT_TYPE, it));
            content = joined;
        }
        if let Some(check) = check {
            check.check(&content)?;
        }
        self.body = Content::Whole(content);
        Ok(())
    }

    /// Waits for room for a body that is held whole.
    async fn room(&self, broker: &Broker, call: &Call<'_>, body: &InBody) -> Result<Option<Room>, Refusal> {
        let places = call.used.room.for_bodies();
        let org = call.usable.connection.org;
        body.room(places, &broker.bodies, org, broker.options.whole_patience).await
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
        let host =
            http::HeaderValue::from_str(&target.origin().authority()).map_err(|_| Refusal::Internal)?;
        self.headers.insert(HOST, host);
        self.path = PathAndQuery::try_from(target.path_and_query()).map_err(|_| Refusal::Internal)?;
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
        let target = with_query(&self.path, &query)?;
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
            let mut call = aws::Call {
                method,
                host: &host,
                path_and_query: target.as_str(),
                headers: &mut headers,
                payload,
            };
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
        *request.uri_mut() = Uri::from(target);
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

fn with_query(path: &PathAndQuery, query: &str) -> Result<PathAndQuery, Refusal> {
    match query.is_empty() {
        true => Ok(path.clone()),
        false => PathAndQuery::try_from(format!("{path}?{query}")).map_err(|_| Refusal::Internal),
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
