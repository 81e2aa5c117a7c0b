//! The headers, URL parameters and body of HTTP connections, with their tokens filled in.
//!
//! Only the connection's own texts are read as templates, never the caller's. In a JSON body the tokens are filled
//! into the texts within it, so that a quote in a secret cannot end a text. A text of JSON names a token only where
//! the content shows the name as it is written: by that the catalog knows who moved a token. Sources: the vendor's
//! documentation, "HTTP Requests", and its open-source runner (DataDog/datadog-agent, `pkg/privateactionrunner`),
//! which reads the caller's texts as templates too, and fills in nothing where a token is not there.

use bytes::Bytes;
use claviger_catalog::template::{Piece, parse};
use claviger_catalog::{HttpBody, Setting, Settings};
use claviger_model::Random;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::headers;
use crate::multipart::{self, Fields};
use crate::prepared::header_value;
use crate::query;
use crate::refusal::Refusal;

/// What an HTTP connection adds to requests.
pub(crate) struct HttpTemplate {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Names, and pairs as they stand in a query.
    pub(crate) parameters: Vec<(String, Zeroizing<String>)>,
    pub(crate) body: Option<TemplateBody>,
}

/// What it adds to bodies.
pub(crate) struct TemplateBody {
    content: Content,
    media_type: Option<HeaderValue>,
}

enum Content {
    Json(Value),
    /// Pairs of a form, as they stand in one.
    Form(Zeroizing<String>),
    /// Fields, each a part.
    Multipart(Fields),
    Text(Zeroizing<String>),
}

const UNUSABLE: Refusal =
    Refusal::ConnectionUnusable("A text of the connection names a token that it does not have");

impl HttpTemplate {
    pub(crate) fn new<'t>(
        settings: &Settings,
        token: impl Fn(&str) -> Option<&'t str> + Copy,
    ) -> Result<Self, Refusal> {
        let header = |item: &claviger_catalog::NamedValue| {
            let name =
                item.name.parse().map_err(|_| Refusal::ConnectionUnusable("A header's name is none"))?;
            Ok::<_, Refusal>((name, header_value(&fill(item.value.as_deref().unwrap_or_default(), token)?)?))
        };
        let parameter = |item: &claviger_catalog::NamedValue| {
            let value = fill(item.value.as_deref().unwrap_or_default(), token)?;
            Ok::<_, Refusal>((item.name.clone(), query::pair(&item.name, &value)))
        };
        let body = match settings.field("body") {
            Some(Setting::Body(body)) => TemplateBody::new(body, token)?,
            _ => None,
        };
        let own = settings.list("headers").iter();
        let own = own.filter(|item| !headers::is_ours_to_say(&item.name.to_ascii_lowercase()));
        Ok(Self {
            headers: own.map(header).collect::<Result<_, _>>()?,
            parameters: settings.list("url_parameters").iter().map(parameter).collect::<Result<_, _>>()?,
            body,
        })
    }
}

fn fill<'t>(text: &str, token: impl Fn(&str) -> Option<&'t str>) -> Result<Zeroizing<String>, Refusal> {
    let pieces = parse(text).map_err(|_| UNUSABLE)?;
    let value = |piece: &Piece<'_>| match piece {
        Piece::Literal(text) => Some(text.len()),
        Piece::Token(name) => token(name).map(str::len),
    };
    let length = pieces.iter().map(value).sum::<Option<usize>>().ok_or(UNUSABLE)?;
    let mut filled = Zeroizing::new(String::with_capacity(length));
    for piece in pieces {
        match piece {
            Piece::Literal(text) => filled.push_str(text),
            Piece::Token(name) => filled.push_str(token(name).ok_or(UNUSABLE)?),
        }
    }
    Ok(filled)
}

/// Reads a caller's text as a template: the mistake that the tests exist to catch.
#[cfg(feature = "faults")]
pub(crate) fn fill_callers(value: &mut HeaderValue, usable: &claviger_engine::UsableConnection) {
    let name_of = |name: &str| claviger_catalog::SecretName::item("tokens", name);
    let token = |name: &str| usable.secrets.get(&name_of(name)).map(|secret| secret.reveal());
    let filled = value.to_str().ok().and_then(|text| fill(text, token).ok());
    if let Some(filled) = filled.and_then(|filled| header_value(&filled).ok()) {
        *value = filled;
    }
}

/// A form with its tokens filled in, encoded as values of forms are: a `&` in a secret ends nothing.
fn fill_form<'t>(text: &str, token: impl Fn(&str) -> Option<&'t str>) -> Result<Zeroizing<String>, Refusal> {
    let pieces = parse(text).map_err(|_| UNUSABLE)?;
    let mut filled = Zeroizing::new(String::new());
    for piece in pieces {
        match piece {
            Piece::Literal(text) => filled.push_str(text),
            Piece::Token(name) => filled.push_str(&query::encoded(token(name).ok_or(UNUSABLE)?)),
        }
    }
    Ok(filled)
}

impl TemplateBody {
    fn new<'t>(
        body: &HttpBody,
        token: impl Fn(&str) -> Option<&'t str> + Copy,
    ) -> Result<Option<Self>, Refusal> {
        let Some(content) = body.content.as_deref().filter(|content| !content.is_empty()) else {
            return Ok(None);
        };
        let media_type = body.content_type.as_deref();
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| UNUSABLE);
        // As they are written in the content: an escape of JSON's would hide a name from whoever checks the content.
        let named: Vec<_> = parse(content).map_err(|_| UNUSABLE)?;
        let written = |name: &str| token(name).filter(|_| named.contains(&Piece::Token(name)));
        let mut media_type = media_type.map(value).transpose()?;
        let content = match kind(body.content_type.as_deref()) {
            Kind::Json => {
                let unusable = Refusal::ConnectionUnusable("The body of the connection is no JSON object");
                let mut json: Value = serde_json::from_str(content).map_err(|_| unusable.clone())?;
                if !json.is_object() {
                    return Err(unusable);
                }
                fill_json(&mut json, &written)?;
                Content::Json(json)
            }
            Kind::Form => Content::Form(fill_form(content, token)?),
            Kind::Multipart => {
                // Whatever else it says, the boundary among it, is for us to say.
                media_type = Some(HeaderValue::from_static(multipart::MEDIA_TYPE));
                Content::Multipart(Fields::new(content, |text| fill(text, written))?)
            }
            Kind::Other => Content::Text(fill(content, token)?),
        };
        Ok(Some(Self { content, media_type }))
    }

    /// The body that goes out, the connection's and the caller's together, and the media type that only it has, if it has
    /// one. Where both say the same thing, the connection's word counts. `media_types` are the caller's.
    ///
    /// # Errors
    /// [`Refusal::Body`] where the caller's cannot be put together with it.
    pub(crate) fn join(
        &self,
        callers: &[u8],
        media_types: &[&HeaderValue],
        random: &dyn Random,
    ) -> Result<(Bytes, Option<HeaderValue>), Refusal> {
        match &self.content {
            Content::Multipart(fields) => {
                let (body, media_type) = fields.with(callers, media_types, random)?;
                Ok((body, Some(media_type)))
            }
            _ => Ok((self.with(callers)?, None)),
        }
    }

    fn with(&self, callers: &[u8]) -> Result<Bytes, Refusal> {
        match &self.content {
            Content::Multipart(_) => Err(Refusal::Internal),
            Content::Json(own) => {
                let no_object =
                    Refusal::Body("The body must be a JSON object: the connection adds members to it");
                let mut merged: Map<String, Value> = match callers.is_empty() {
                    true => Map::new(),
                    false => serde_json::from_slice(callers).map_err(|_| no_object)?,
                };
                merged.extend(
                    own.as_object().into_iter().flatten().map(|(name, it)| (name.clone(), it.clone())),
                );
                let written = serde_json::to_vec(&merged);
                Ok(written.map_err(|_| Refusal::Internal)?.into())
            }
            Content::Form(own) => {
                let callers = std::str::from_utf8(callers)
                    .map_err(|_| Refusal::Body("The body must be a form: the connection adds to it"))?;
                let names = own.split('&').map(query::name).collect();
                let left = query::without(callers, &names);
                let parted = if left.is_empty() { "" } else { "&" };
                Ok(Bytes::from(format!("{left}{parted}{}", own.as_str())))
            }
            Content::Text(own) if callers.is_empty() => Ok(Bytes::copy_from_slice(own.as_bytes())),
            Content::Text(own) => Ok([own.as_bytes(), b"\r\n", callers].concat().into()),
        }
    }

    /// The media type that it then has, unless the caller's says more of the same.
    ///
    /// # Errors
    /// [`Refusal::Body`] where the caller names another.
    pub(crate) fn media_type(&self, callers: Option<&HeaderValue>) -> Result<Option<HeaderValue>, Refusal> {
        let Some(own) = &self.media_type else { return Ok(callers.cloned()) };
        match callers {
            None => Ok(Some(own.clone())),
            Some(callers) if is_same_type(own.as_bytes(), callers.as_bytes()) => Ok(Some(callers.clone())),
            Some(_) => Err(Refusal::Body("The body's media type is another than the connection's")),
        }
    }
}

/// Whether the caller's begins with the connection's, parameters aside.
fn is_same_type(own: &[u8], callers: &[u8]) -> bool {
    let (own, rest) = (own.trim_ascii(), callers.trim_ascii());
    let begins = rest.len() >= own.len() && rest[..own.len()].eq_ignore_ascii_case(own);
    begins && rest[own.len()..].trim_ascii_start().first().is_none_or(|next| *next == b';')
}

enum Kind {
    Json,
    Form,
    Multipart,
    Other,
}

/// A body whose type nobody names is JSON.
fn kind(media_type: Option<&str>) -> Kind {
    let Some(media_type) = media_type else { return Kind::Json };
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        "application/x-www-form-urlencoded" => Kind::Form,
        multipart::MEDIA_TYPE => Kind::Multipart,
        name if name == "application/json" || name.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

fn fill_json<'t>(value: &mut Value, token: &impl Fn(&str) -> Option<&'t str>) -> Result<(), Refusal> {
    match value {
        Value::String(text) => *text = fill(text, token)?.to_string(),
        Value::Array(items) => return items.iter_mut().try_for_each(|item| fill_json(item, token)),
        Value::Object(members) => {
            return members.values_mut().try_for_each(|member| fill_json(member, token));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A template whose body is this, with a token that could end texts and pairs.
    fn body(content: &str, media_type: &str) -> TemplateBody {
        let settings = serde_json::json!({ "integration": "HTTP", "credentials": "HTTPTokenAuth", "fields": {
            "body": { "content": content, "content_type": media_type } } });
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let token = |name: &str| (name == "t").then_some(r#"a"&b=c\d"#);
        HttpTemplate::new(&settings, token).ok().and_then(|template| template.body).unwrap()
    }

    #[test]
    fn a_secret_ends_no_text_and_no_pair() {
        let json = body(r#"{"key": "x{{ t }}", "list": ["{{t}}"], "number": 1}"#, "application/json");
        let out: Value =
            serde_json::from_slice(&json.with(br#"{"key": "mine", "own": 2}"#).unwrap()).unwrap();
        assert_eq!(
            out,
            serde_json::json!({ "key": r#"xa"&b=c\d"#, "list": [r#"a"&b=c\d"#], "number": 1, "own": 2 })
        );
        let form = body("key={{ t }}&x=1", "application/x-www-form-urlencoded");
        assert_eq!(form.with(b"own=2&%4Bey=mine").unwrap(), "own=2&key=a%22%26b%3Dc%5Cd&x=1");
        let text = body("<key>{{ t }}</key>", "application/xml");
        assert_eq!(text.with(b"<own/>").unwrap(), "<key>a\"&b=c\\d</key>\r\n<own/>");
        assert_eq!(text.with(b"").unwrap(), "<key>a\"&b=c\\d</key>");
    }

    #[test]
    fn an_escape_hides_no_tokens_name() {
        let made = |content: &str, media_type: &str| {
            let settings = serde_json::json!({ "integration": "HTTP", "credentials": "HTTPTokenAuth", "fields": {
                "body": { "content": content, "content_type": media_type } } });
            let settings: Settings = serde_json::from_value(settings).unwrap();
            HttpTemplate::new(&settings, |name: &str| (name == "t").then_some("secret")).map(drop)
        };
        for (content, is_good) in [
            (r#"{"a": "{{ t }}"}"#, true),
            (r#"{"a": "\u007b{ t }}"}"#, false),
            (r#"{"a": "{{ \u0074 }}"}"#, false),
            // It is named beside: whoever changes this content brings the token.
            (r#"{"a": "\u007b{ t }}", "b": "{{ t }}"}"#, true),
        ] {
            let fields = format!("[{}]", content.replace("{\"a\": ", "{\"key\": \"a\", \"value\": "));
            assert_eq!(made(content, "application/json").is_ok(), is_good, "{content}");
            if !content.contains("\"b\"") {
                assert_eq!(made(&fields, "multipart/form-data").is_ok(), is_good, "{fields}");
            }
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let json = body(r#"{"key": "{{ t }}"}"#, "application/json");
        for callers in [&b"[1]"[..], b"1", b"{", b"\"x\""] {
            assert!(matches!(json.with(callers), Err(Refusal::Body(_))));
        }
        let named = |text: &'static str| json.media_type(Some(&HeaderValue::from_static(text)));
        for fits in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(named(fits).unwrap().unwrap(), fits);
        }
        for other in ["text/plain", "application/jsonp", "application/json-patch+json"] {
            assert!(matches!(named(other), Err(Refusal::Body(_))), "{other}");
        }
        assert_eq!(json.media_type(None).unwrap().unwrap(), "application/json");
    }

    #[test]
    fn a_token_that_is_not_there_makes_it_unusable() {
        let settings = serde_json::json!({ "integration": "HTTP", "credentials": "HTTPTokenAuth", "fields": {
            "headers": [{ "name": "x-key", "value": "{{ gone }}" }] } });
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let made = HttpTemplate::new(&settings, |_: &str| None);
        assert!(matches!(made, Err(Refusal::ConnectionUnusable(_))));
    }
}
