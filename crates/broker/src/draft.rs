//! A request as it will go out, but for what an exchange must give first: written once more where that must be renewed.

use std::sync::Arc;

use bytes::Bytes;
use claviger_catalog::{Catalog, Destination, Signing};
use claviger_engine::{UsableConnection, UsableSettings};
use claviger_exchange::aws::{Call, Payload, SignError, sign};
use claviger_model::{Origin, Random, Timestamp};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::faults::{Faults, Guard};
use crate::headers;
use crate::mint::{Credential, Minted};
use crate::outbody::{OutBody, Sent};
use crate::prepared::{Added, Prepared, TOKEN, header_value, render, value_of};
use crate::query;
use crate::refusal::Refusal;
use crate::voucher::{Voucher, X_ZIS_AUTHORIZATION};

/// The longest body that is read whole: to be signed, to have a template's parts added, or to be sent once more.
const WHOLE_BYTES_MAX: usize = 1024 * 1024;
/// How long a body that is read whole may take to come.
const WHOLE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

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
    pub(crate) path: String,
    pub(crate) destination: Destination,
    /// Of a ZIS connection.
    pub(crate) voucher: Option<&'a Voucher>,
    pub(crate) sent: Arc<Sent>,
    pub(crate) faults: &'a Faults,
    pub(crate) random: &'a dyn Random,
}

impl Draft {
    /// Makes one; `body` is taken where it is looked at.
    ///
    /// # Errors
    /// Where the caller's request does not fit what the connection adds to it.
    pub(crate) async fn new(material: Material<'_>, body: &mut Option<Incoming>) -> Result<Self, Refusal> {
        let Material { parts, address, prepared, usable, catalog, origin, path, destination, .. } = material;
        let (voucher, sent, faults) = (material.voucher, material.sent, material.faults);
        let random = material.random;
        let mut headers = match faults.stands(Guard::HeaderStrip) {
            true => headers::outwards(&parts.headers, &prepared.strip_headers),
            false => parts.headers.clone(),
        };
        headers.insert(HOST, HeaderValue::from_str(&origin.authority()).map_err(|_| Refusal::Internal)?);
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
        if let Some(voucher) = voucher {
            headers.insert(X_ZIS_AUTHORIZATION, voucher.header.clone());
        }
        let signing = destination.signing.filter(|_| is_signed);
        let body = match templated {
            Some(template) => {
                let media_type = template.media_type(headers.get(CONTENT_TYPE))?;
                let callers: Vec<_> = parts.headers.get_all(CONTENT_TYPE).into_iter().collect();
                let (body, own) = template.join(&whole(body).await?, &callers, random)?;
                own.or(media_type).map(|it| headers.insert(CONTENT_TYPE, it));
                Content::Whole(body)
            }
            // Kept, so that it can be sent once more with another token.
            None if prepared.source.is_some() && is_short(body) => Content::Whole(whole(body).await?),
            None => match body.take().filter(|body| !body.is_end_stream()) {
                Some(body) => Content::Streamed(Some(body)),
                None => Content::Whole(Bytes::new()),
            },
        };
        Ok(Self { method: parts.method.clone(), path, query, headers, body, late, signing, sent })
    }

    /// Whether it can be written once more.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self.body, Content::Whole(_))
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
        now: Timestamp,
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
            sign(&mut call, signing, credentials, now).map_err(|error| match error {
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
        *request.uri_mut() = target.parse::<Uri>().map_err(|_| Refusal::Internal)?;
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
    let (Late::Injection(place), UsableSettings::Catalogued(settings)) = (late, &usable.settings) else {
        let value = Zeroizing::new(format!("Bearer {token}"));
        return Ok(Added::Header(AUTHORIZATION, header_value(&value)?));
    };
    let entry = catalog.connection(settings).map_err(|_| Refusal::Internal)?;
    let injection = entry.credential().injections().get(place).ok_or(Refusal::Internal)?;
    render(&injection.what, |name| match name {
        TOKEN => Some(token),
        name => value_of(usable, settings, name),
    })
}

/// Whether a body says that it is short enough to be read whole.
fn is_short(body: &Option<Incoming>) -> bool {
    body.as_ref().is_none_or(|body| body.size_hint().upper().is_some_and(|it| it <= WHOLE_BYTES_MAX as u64))
}

async fn whole(body: &mut Option<Incoming>) -> Result<Bytes, Refusal> {
    let Some(body) = body.take_if(|body| body.size_hint().lower() <= WHOLE_BYTES_MAX as u64) else {
        return if body.is_none() { Ok(Bytes::new()) } else { Err(Refusal::BodyTooLarge) };
    };
    let read = tokio::time::timeout(WHOLE_PATIENCE, Limited::new(body, WHOLE_BYTES_MAX).collect());
    match read.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        Ok(Err(_)) | Err(_) => Err(Refusal::Body("The body did not come in time, or broke off")),
    }
}
