//! Credential types: fields, exchange, injections, probes, and that they fit together.

use std::collections::BTreeSet;

use super::format::pattern;
use super::integration::parse;
use super::raw::{RawCredentials, RawInjection, RawProbe, RawWhen};
use super::{Formats, Wrong, field, wrong};
use crate::entry::{CredentialType, HostText, Integration};
use crate::exchange::Exchange;
use crate::field::{Field, Made, Place, Shape};
use crate::inject::{Injection, Presentation, Probe, Test, When};
use crate::placeholder::Text;

/// Where a credential's exchange stands in texts.
const TOKEN: &str = "token";

pub(super) fn check(
    raw: RawCredentials,
    own: &[Field],
    integration: &Integration,
    formats: &Formats,
) -> Result<CredentialType, Wrong> {
    if raw.kind.is_empty() || !raw.kind.chars().all(|c| c.is_ascii_alphanumeric()) {
        return wrong("type", "must be letters and digits");
    }
    let mut fields = own.to_vec();
    for (part, raws, secret) in [("settings", raw.settings, false), ("secrets", raw.secrets, true)] {
        for raw in raws {
            let made = field::check(raw, Place::Credentials, secret, formats).map_err(|e| e.within(part))?;
            if fields.iter().any(|field| field.name == made.name) {
                return wrong(format!("{part}.{}", made.name), "is there twice");
            }
            fields.push(made);
        }
    }
    let exchange = match raw.exchange.as_deref() {
        None => None,
        Some(name) => match Exchange::named(name) {
            Some(exchange) => Some(exchange),
            None => return wrong("exchange", "there is no such code"),
        },
    };
    let mut made = CredentialType {
        kind: raw.kind,
        host_fields: host_fields(integration, exchange),
        fields,
        exchange,
        injections: Vec::new(),
        probes: Vec::new(),
    };
    has_what_code_needs(&made)?;
    for (index, raw) in raw.inject.into_iter().enumerate() {
        let injection = injection(raw, &made).map_err(|e| e.within(&format!("inject[{index}]")))?;
        made.injections.push(injection);
    }
    for (index, raw) in raw.probe.into_iter().enumerate() {
        let probe = probe(raw, &made, integration).map_err(|e| e.within(&format!("probe[{index}]")))?;
        made.probes.push(probe);
    }
    every_secret_goes_somewhere(&made)?;
    lists_are_a_templates(&made)?;
    Ok(made)
}

fn host_fields(integration: &Integration, exchange: Option<Exchange>) -> BTreeSet<String> {
    let in_url = integration.base_url.iter().flat_map(|text| text.fields());
    let in_hosts = integration.hosts.iter().flat_map(HostText::fields);
    let in_rule = integration.host_rule.iter().flat_map(|rule| rule.fields().iter().copied());
    let in_exchange = exchange.iter().flat_map(|exchange| exchange.url_fields().iter().copied());
    in_url.chain(in_hosts).chain(in_rule).chain(in_exchange).map(str::to_owned).collect()
}

fn has_what_code_needs(credential: &CredentialType) -> Result<(), Wrong> {
    let Some(exchange) = credential.exchange else { return Ok(()) };
    let (settings, secrets) = exchange.needs();
    for (names, secret) in [(settings, false), (secrets, true)] {
        let absent = |name: &&&str| credential.field(name).is_none_or(|field| field.secret != secret);
        if let Some(name) = names.iter().find(absent) {
            let kind = if secret { "secret" } else { "setting" };
            return wrong("exchange", format!("needs the {kind} {name}"));
        }
    }
    let is_host = |field: &Field| matches!(&field.shape, Shape::Text { format, .. } if format.name == "host");
    match exchange.url_fields().iter().find(|name| !credential.field(name).is_some_and(is_host)) {
        Some(name) => wrong("exchange", format!("puts {name} into a URL: its format must be `host`")),
        None => Ok(()),
    }
}

fn injection(raw: RawInjection, credential: &CredentialType) -> Result<Injection, Wrong> {
    let when = match (raw.when, raw.unless) {
        (Some(_), Some(_)) => return wrong("when", "cannot stand beside `unless`"),
        (Some(raw), None) => Some(when(raw, false, credential).map_err(|e| e.within("when"))?),
        (None, Some(raw)) => Some(when(raw, true, credential).map_err(|e| e.within("unless"))?),
        (None, None) => None,
    };
    let what = match (raw.header, raw.query, raw.value, raw.bearer, raw.basic, raw.code.as_deref()) {
        (Some(name), None, Some(value), None, None, None) => {
            Presentation::Header { name: header(name)?, value: parse("value", &value)? }
        }
        (None, Some(name), Some(value), None, None, None) => {
            Presentation::Query { name: parameter(name)?, value: parse("value", &value)? }
        }
        (None, None, None, Some(value), None, None) => Presentation::Bearer(parse("bearer", &value)?),
        (None, None, None, None, Some([user, password]), None) => {
            Presentation::Basic { user: parse("basic", &user)?, password: parse("basic", &password)? }
        }
        (None, None, None, None, None, Some("aws_signature")) => Presentation::AwsSignature,
        (None, None, None, None, None, Some("http_template")) => Presentation::HttpTemplate,
        (None, None, None, None, None, Some(_)) => return wrong("code", "there is no such code"),
        _ => return wrong("", "must be one of header + value, query + value, bearer, basic, code"),
    };
    for name in what.texts().into_iter().flat_map(|text| text.fields()) {
        may_be_sent(name, credential)?;
    }
    if let Presentation::Basic { user, .. } = &what {
        has_no_colon(user, credential)?;
    }
    if what.texts().is_empty() && !(what_code_fits(&what, credential)) {
        return wrong("code", "needs the exchange `aws`, or the lists and the body of an HTTP connection");
    }
    if raw.if_absent && !matches!(what, Presentation::Header { .. }) {
        return wrong("if_absent", "is for headers");
    }
    Ok(Injection { what, if_absent: raw.if_absent, when })
}

fn header(name: String) -> Result<String, Wrong> {
    let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fits { Ok(name) } else { wrong("header", "is no name of a header") }
}

fn parameter(name: String) -> Result<String, Wrong> {
    let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c));
    if fits { Ok(name) } else { wrong("query", "is no plain name of a parameter") }
}

/// RFC 7617: what stands before the colon has none.
fn has_no_colon(user: &Text, credential: &CredentialType) -> Result<(), Wrong> {
    let colon = |name: &&str| {
        let field = credential.field(name);
        field.is_some_and(|field| matches!(&field.shape, Shape::Text { format, .. } if format.accepts("a:b")))
    };
    match user.fields().find(colon) {
        Some(name) => wrong("basic", format!("{name} may have a colon, and cannot be a user")),
        None => Ok(()),
    }
}

/// A field that can stand in a header or URL: one line of text, always there.
fn may_be_sent(name: &str, credential: &CredentialType) -> Result<(), Wrong> {
    if name == TOKEN && credential.exchange.is_some() {
        return Ok(());
    }
    match credential.field(name) {
        Some(Field { shape: Shape::Text { format, .. }, required: true, .. }) => {
            match ["a\r\nb", "a\nb", "a\rb", "a\0b"].iter().any(|text| format.accepts(text)) {
                true => {
                    wrong("", format!("{name} may have several lines, and cannot be sent in a header or URL"))
                }
                false => Ok(()),
            }
        }
        Some(_) => wrong("", format!("{name} is no text that is always there")),
        None => wrong("", format!("there is no field {name}")),
    }
}

fn what_code_fits(what: &Presentation, credential: &CredentialType) -> bool {
    let list = |name: &str, secret: bool| {
        credential
            .field(name)
            .is_some_and(|field| field.secret == secret && matches!(field.shape, Shape::List { .. }))
    };
    match what {
        Presentation::AwsSignature => credential.exchange == Some(Exchange::AwsAssumeRole),
        _ => {
            let body = credential.field("body").is_some_and(|field| matches!(field.shape, Shape::HttpBody));
            list("tokens", true) && list("headers", false) && list("url_parameters", false) && body
        }
    }
}

fn when(raw: RawWhen, not: bool, credential: &CredentialType) -> Result<When, Wrong> {
    let test = match (raw.field, raw.matches, raw.url) {
        (Some(name), Some(matches), None) => {
            may_be_sent(&name, credential)?;
            Test::Field { name, matches: pattern("matches", &matches)? }
        }
        (None, None, Some(url)) if url.starts_with("https://") => Test::Url(url),
        (None, None, Some(_)) => return wrong("url", "must begin with https://"),
        _ => return wrong("", "must be field + matches, or url"),
    };
    Ok(When { test, not })
}

fn probe(raw: RawProbe, credential: &CredentialType, integration: &Integration) -> Result<Probe, Wrong> {
    if integration.base_url.is_none() {
        return wrong("path", "there is no base URL that it is relative to");
    }
    if !raw.path.starts_with('/')
        || raw.path.starts_with("//")
        || !raw.path.chars().all(|c| c.is_ascii_graphic())
    {
        return wrong("path", "must begin with a single slash and be visible ASCII");
    }
    let method = raw.method.unwrap_or_else(|| "GET".to_owned());
    if !["GET", "HEAD", "POST"].contains(&method.as_str()) {
        return wrong("method", "must be GET, HEAD or POST");
    }
    let all: Vec<u16> = [&raw.ok, &raw.bad, &raw.limited].into_iter().flatten().copied().collect();
    if raw.ok.is_empty() || all.iter().collect::<BTreeSet<_>>().len() < all.len() {
        return wrong("ok", "must not be empty, and a status stands in one of `ok`, `bad` and `limited`");
    }
    if !all.iter().all(|status| (200..600).contains(status)) {
        return wrong("ok", "statuses are 200 to 599");
    }
    let when = raw.when.map(|raw| when(raw, false, credential)).transpose().map_err(|e| e.within("when"))?;
    let check = raw.check.map(|check| (check.pointer, check.equals));
    if check.as_ref().is_some_and(|(pointer, _)| !pointer.starts_with('/')) {
        return wrong("check.pointer", "must be a JSON pointer");
    }
    Ok(Probe { method, path: raw.path, ok: raw.ok, bad: raw.bad, limited: raw.limited, check, when })
}

/// A secret that nothing uses is a typo, or one that is kept for nothing.
fn every_secret_goes_somewhere(credential: &CredentialType) -> Result<(), Wrong> {
    let sent: BTreeSet<&str> = credential
        .injections
        .iter()
        .flat_map(|injection| injection.what.texts())
        .flat_map(|text| text.fields())
        .chain(credential.exchange.iter().flat_map(|exchange| exchange.needs().1.iter().copied()))
        .collect();
    let idle =
        |field: &&Field| matches!(field.shape, Shape::Text { .. }) && !sent.contains(field.name.as_str());
    if let Some(field) = credential.secret_fields().find(idle) {
        return wrong(format!("secrets.{}", field.name), "is sent nowhere");
    }
    let token =
        sent.contains(TOKEN) || has_code(credential, |what| matches!(what, Presentation::AwsSignature));
    match credential.injections.is_empty() || (credential.exchange.is_some() && !token) {
        true => wrong("inject", "nothing that proves who calls is added to a request"),
        false => Ok(()),
    }
}

fn has_code(credential: &CredentialType, is: impl Fn(&Presentation) -> bool) -> bool {
    credential.injections.iter().any(|injection| is(&injection.what))
}

/// Lists and bodies mean nothing but to the code that fills them in; and only one flag renews what the server makes.
fn lists_are_a_templates(credential: &CredentialType) -> Result<(), Wrong> {
    let template = has_code(credential, |what| matches!(what, Presentation::HttpTemplate));
    let known = ["tokens", "headers", "url_parameters", "body"];
    let stray = credential.fields.iter().find(|field| match field.shape {
        Shape::List { .. } | Shape::HttpBody => !template || !known.contains(&field.name.as_str()),
        Shape::Made(Made::ExternalId) => credential.exchange != Some(Exchange::AwsAssumeRole),
        Shape::Made(Made::PrincipalId) | Shape::Text { .. } => false,
    });
    match stray {
        Some(field) => wrong(&field.name, "needs code that this credential type does not have"),
        None => Ok(()),
    }
}
