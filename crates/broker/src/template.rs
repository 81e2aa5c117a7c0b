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
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::charset;
use crate::headers;
use crate::members::{Member, members};
use crate::multipart::{self, Fields};
use crate::prepared::header_value;
use crate::query;
use crate::refusal::Refusal;

/// What an HTTP connection adds to requests.
pub(crate) struct HttpTemplate {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Those of them that a token stands in.
    pub(crate) credential_headers: Vec<HeaderName>,
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
    /// Names, and members as they are written.
    Json(Vec<(String, Zeroizing<String>)>),
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
            let value = header_value(&fill(item.value.as_deref().unwrap_or_default(), token)?)?;
            Ok::<_, Refusal>((name, value))
        };
        let plain = |(name, value): (HeaderName, HeaderValue)| match name {
            ACCEPT => headers::plain_accept(&value).map(|value| (ACCEPT, value)),
            name => Some((name, value)),
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
        let has_token = |item: &&claviger_catalog::NamedValue| {
            let pieces = parse(item.value.as_deref().unwrap_or_default()).unwrap_or_default();
            pieces.iter().any(|piece| matches!(piece, Piece::Token(_)))
        };
        let credentials = own.clone().filter(has_token).filter_map(|item| item.name.parse().ok());
        Ok(Self {
            credential_headers: credentials.collect(),
            headers: own
                .map(header)
                .filter_map(|made| made.map(plain).transpose())
                .collect::<Result<_, _>>()?,
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
                let mut own: Vec<(String, Zeroizing<String>)> = Vec::new();
                for member in members(content.as_bytes()).ok_or(unusable.clone())? {
                    // Of two of one name, the last counts.
                    own.retain(|(name, _)| *name != member.name);
                    let filled = filled_member(&member, &written)?.ok_or(unusable.clone())?;
                    own.push((member.name, filled));
                }
                Content::Json(own)
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
                let callers = match callers.is_empty() {
                    true => Vec::new(),
                    false => members(callers).ok_or(no_object)?,
                };
                let is_own = |callers: &Member<'_>| own.iter().any(|(name, _)| *name == callers.name);
                let callers = callers.iter().filter(|member| !is_own(member));
                let callers = callers.map(|member| format!("{}:{}", member.written_name, member.value));
                let all: Vec<_> = callers.chain(own.iter().map(|(_, written)| written.to_string())).collect();
                Ok(format!("{{{}}}", all.join(",")).into())
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

    /// The media type that it then has, unless that of the request so far says more of the same.
    ///
    /// # Errors
    /// [`Refusal::Body`] where it names another, or says that the body is written otherwise than in UTF-8, which what is
    /// added is.
    pub(crate) fn media_type(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        let is_encoded = headers.iter().any(|(name, value)| {
            headers::is_same(name, CONTENT_ENCODING.as_str())
                && !value.as_bytes().eq_ignore_ascii_case(b"identity")
        });
        if is_encoded || !charset::of_content(headers).iter().all(|name| charset::is_utf8(name)) {
            let words = "The body must be in UTF-8 and not compressed: the connection adds to it";
            return Err(Refusal::Body(words));
        }
        let callers = headers.get(CONTENT_TYPE);
        let Some(own) = &self.media_type else {
            return Ok(callers.cloned().or(Some(HeaderValue::from_static("application/json"))));
        };
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

/// A member with the tokens that its value names, as it is written where it names none; none where it is no JSON.
fn filled_member<'t>(
    member: &Member<'_>,
    token: &impl Fn(&str) -> Option<&'t str>,
) -> Result<Option<Zeroizing<String>>, Refusal> {
    let Ok(mut value) = serde_json::from_str::<Value>(member.value) else { return Ok(None) };
    let plain = value.clone();
    fill_json(&mut value, token)?;
    let name = member.written_name;
    Ok(Some(Zeroizing::new(match value == plain {
        true => format!("{name}:{}", member.value),
        false => format!("{name}:{value}"),
    })))
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

    /// What nobody means to change goes out digit for digit, in its order.
    #[test]
    fn members_go_out_as_they_are_written() {
        let json = body(r#"{"z": 1.10, "key": "{{ t }}", "big": 123456789012345678901}"#, "application/json");
        let own = r#""z":1.10,"key":"a\"&b=c\\d","big":123456789012345678901"#;
        for (callers, left) in [
            (
                r#"{"b": 9007199254740993, "a": 1.10, "c": 1e400}"#,
                r#""b":9007199254740993,"a":1.10,"c":1e400"#,
            ),
            (r#"{ "n" : { "y" : 0.10, "x":[ 1 ] } }"#, r#""n":{ "y" : 0.10, "x":[ 1 ] }"#),
            (r#"{"a":1,"a":2}"#, r#""a":1,"a":2"#),
            (r#"{"\u0061":"\u007b\/"}"#, r#""\u0061":"\u007b\/""#),
            // The connection's win, however the caller writes their names.
            (r#"{"key":1,"x":2,"k\u0065y":3,"z":0}"#, r#""x":2"#),
        ] {
            let out = json.with(callers.as_bytes()).unwrap();
            assert_eq!(out, format!("{{{left},{own}}}"));
        }
        assert_eq!(json.with(b"").unwrap(), format!("{{{own}}}"));
        assert_eq!(json.with(b" {} ").unwrap(), format!("{{{own}}}"));
        for callers in [r#"{"\ud800":1}"#, r#"{"a":01}"#, r#"{"a":1,}"#, r#"{"a":1} {}"#, "{\"a\":\"\n\"}"] {
            assert!(matches!(json.with(callers.as_bytes()), Err(Refusal::Body(_))), "{callers}");
        }
        assert!(matches!(json.with(b"{\"a\":\"\xff\"}"), Err(Refusal::Body(_))));
    }

    #[test]
    fn a_body_that_is_added_to_is_in_utf8() {
        let json = body(r#"{"key": "{{ t }}"}"#, "application/json");
        let told = |lines: &[(&'static str, &'static str)]| {
            let lines = lines
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            json.media_type(&lines.collect())
        };
        for (lines, is_good) in [
            (&[][..], true),
            (&[("content-type", "application/json; charset=UTF-8")], true),
            (&[("content-encoding", "identity")], true),
            (&[("content-type", "application/json; charset=utf-16")], false),
            (
                &[("content-type", "application/json"), ("content_type", "application/json;charset=utf-7")],
                false,
            ),
            (&[("content-encoding", "gzip")], false),
            (&[("content_encoding", "deflate")], false),
        ] {
            assert_eq!(told(lines).is_ok(), is_good, "{lines:?}");
        }
    }

    /// A body whose type nobody names is JSON, and says so.
    #[test]
    fn json_is_told_to_be_json() {
        let settings = serde_json::json!({ "integration": "HTTP", "credentials": "HTTPTokenAuth", "fields": {
            "body": { "content": "{\"a\": 1}" } } });
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let json =
            HttpTemplate::new(&settings, |_: &str| None).ok().and_then(|template| template.body).unwrap();
        assert_eq!(json.media_type(&HeaderMap::new()).unwrap().unwrap(), "application/json");
        let callers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/vnd.api+json"))]);
        assert_eq!(json.media_type(&callers).unwrap().unwrap(), "application/vnd.api+json");
    }

    #[test]
    fn a_header_with_a_token_is_a_credentials() {
        let settings = serde_json::json!({ "integration": "HTTP", "credentials": "HTTPTokenAuth", "fields": {
            "headers": [{ "name": "X-Key", "value": "Token {{ t }}" }, { "name": "X-Own", "value": "plain" },
                { "name": "Accept", "value": "text/plain;charset=utf-32" }] } });
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let template = HttpTemplate::new(&settings, |name: &str| (name == "t").then_some("secret")).unwrap();
        assert_eq!(template.credential_headers, ["x-key"]);
        assert_eq!(template.headers[2].1, "text/plain");
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let json = body(r#"{"key": "{{ t }}"}"#, "application/json");
        for callers in [&b"[1]"[..], b"1", b"{", b"\"x\""] {
            assert!(matches!(json.with(callers), Err(Refusal::Body(_))));
        }
        let named = |text: &'static str| {
            json.media_type(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]))
        };
        for fits in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(named(fits).unwrap().unwrap(), fits);
        }
        for other in ["text/plain", "application/jsonp", "application/json-patch+json"] {
            assert!(matches!(named(other), Err(Refusal::Body(_))), "{other}");
        }
        assert_eq!(json.media_type(&HeaderMap::new()).unwrap().unwrap(), "application/json");
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
