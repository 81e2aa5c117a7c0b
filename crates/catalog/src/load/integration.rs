//! Integrations: base URL, hosts, schemes, and what all their credential types share.

use claviger_model::Scheme;

use super::raw::{RawIntegration, RawRetry, RawStrip};
use super::{Formats, Wrong, credentials, field, wrong};
use crate::entry::{CredentialType, HostRule, HostText, Integration};
use crate::field::{Field, Place, Shape, StandsFor};
use crate::format::Check;
use crate::host::{BaseUrl, HostPattern};
use crate::inject::{Retry, Strip, Wait};
use crate::placeholder::Text;

pub(super) fn check(raw: RawIntegration, formats: &Formats) -> Result<Integration, Wrong> {
    if raw.kind.is_empty() || !raw.kind.chars().all(|c| c.is_ascii_alphanumeric()) {
        return wrong("type", "must be letters and digits");
    }
    let host_rule = raw.host_rule.as_deref().map(host_rule).transpose()?;
    let base_url = raw.base_url.as_deref().map(|text| parse("base_url", text)).transpose()?;
    let hosts = hosts(&raw.hosts, host_rule)?;
    let schemes = schemes(raw.schemes)?;
    let own: Result<Vec<Field>, Wrong> =
        raw.settings.into_iter().map(|raw| field::check(raw, Place::Integration, false, formats)).collect();
    let own = own.map_err(|e| e.within("settings"))?;
    let mut made = Integration {
        kind: raw.kind,
        title: raw.title,
        docs: raw.docs,
        base_url,
        hosts,
        host_rule,
        schemes,
        strip: strip(raw.strip),
        retry: retry(raw.retry)?,
        credentials: Vec::new(),
    };
    if raw.credentials.is_empty() {
        return wrong("credentials", "must be one or more");
    }
    for raw in raw.credentials {
        let kind = raw.kind.clone();
        let credential = credentials::check(raw, &own, &made, formats)
            .and_then(|credential| fit(credential, &made))
            .map_err(|e| e.within(&kind))?;
        if made.credential(&kind).is_some() {
            return wrong(kind, "is there twice");
        }
        made.credentials.push(credential);
    }
    Ok(made)
}

fn host_rule(name: &str) -> Result<HostRule, Wrong> {
    HostRule::named(name).map_or_else(|| wrong("host_rule", "there is no such code"), Ok)
}

pub(super) fn parse(field: &str, text: &str) -> Result<Text, Wrong> {
    Text::parse(text).or_else(|reason| wrong(field, reason))
}

fn hosts(texts: &[String], rule: Option<HostRule>) -> Result<Vec<HostText>, Wrong> {
    match (texts.is_empty(), rule == Some(HostRule::HttpOrigin)) {
        (true, false) => return wrong("hosts", "must not be empty: they are what a secret is bound to"),
        (false, true) => return wrong("hosts", "cannot stand beside `http_origin`"),
        _ => {}
    }
    texts.iter().map(|text| host(text)).collect()
}

fn host(text: &str) -> Result<HostText, Wrong> {
    let parsed = parse("hosts", text)?;
    if parsed.fields().next().is_some() {
        return Ok(HostText::Settings(parsed));
    }
    match HostPattern::parse(text) {
        // Below a top-level domain anybody can have a host.
        Ok(HostPattern::Below(ending)) if !ending[1..].contains('.') => {
            wrong("hosts", format!("{text} is below a single label"))
        }
        Ok(pattern) if pattern.to_string() != text => {
            wrong("hosts", format!("{text} must be written as {pattern}"))
        }
        Ok(pattern) => Ok(HostText::Fixed(pattern)),
        Err(error) => wrong("hosts", format!("{text} {error}")),
    }
}

fn schemes(names: Option<Vec<String>>) -> Result<Vec<Scheme>, Wrong> {
    let names = names.unwrap_or_else(|| vec!["https".to_owned()]);
    let read = |name: &String| match name.as_str() {
        "https" => Ok(Scheme::Https),
        "http" => Ok(Scheme::Http),
        _ => wrong("schemes", format!("{name} is neither https nor http")),
    };
    match names.is_empty() {
        true => wrong("schemes", "must not be empty"),
        false => names.iter().map(read).collect(),
    }
}

fn strip(raw: RawStrip) -> Strip {
    Strip { headers: raw.headers.iter().map(|name| name.to_ascii_lowercase()).collect(), query: raw.query }
}

fn retry(raw: RawRetry) -> Result<Retry, Wrong> {
    let statuses = raw.statuses.unwrap_or_else(Retry::usual_statuses);
    if !statuses.iter().all(|status| (400..600).contains(status)) {
        return wrong("retry.statuses", "must be statuses of errors");
    }
    let waits = raw.wait.map(|waits| {
        waits
            .into_iter()
            .map(|raw| Wait { header: raw.header.to_ascii_lowercase(), unit: raw.unit })
            .collect()
    });
    Ok(Retry { statuses, waits: waits.unwrap_or_else(Retry::usual_waits), longest: raw.longest })
}

/// A credential type whose fields give every host and URL of the integration, and only such as are bounded.
fn fit(credential: CredentialType, integration: &Integration) -> Result<CredentialType, Wrong> {
    for (part, text) in integration.base_url.iter().map(|text| ("base_url", text)) {
        named(part, text.fields(), &credential)?;
    }
    for host in &integration.hosts {
        named("hosts", host.fields(), &credential)?;
    }
    if let Some(rule) = integration.host_rule {
        named("host_rule", rule.fields().iter().copied(), &credential)?;
    }
    let origin = integration.host_rule == Some(HostRule::HttpOrigin);
    if origin && !credential.field("base_url").is_some_and(is_url) {
        return wrong(
            "host_rule",
            "needs the setting base_url, not optional, of a format with the check `url`",
        );
    }
    base_url_is_allowed(&credential, integration)?;
    Ok(credential)
}

fn named<'f>(
    part: &str,
    mut fields: impl Iterator<Item = &'f str>,
    credential: &CredentialType,
) -> Result<(), Wrong> {
    let unfit = |name: &str| !credential.field(name).is_some_and(|field| names_a_host(field, part));
    match fields.find(|name| unfit(name)) {
        Some(name) => wrong(part, format!("{name} is no setting that can name a host")),
        None => Ok(()),
    }
}

/// A setting that can stand in a host: not a secret, always there, and nothing but a host. What code reads by itself,
/// it checks by itself.
fn names_a_host(field: &Field, part: &str) -> bool {
    let bounded = match &field.shape {
        Shape::Text { stands_for: StandsFor::Itself, format } => {
            format.name == "host" || format.check.is_some()
        }
        Shape::Text { .. } => true,
        _ => false,
    };
    !field.secret && (part == "host_rule" || (bounded && field.required))
}

fn is_url(field: &Field) -> bool {
    field.required && matches!(&field.shape, Shape::Text { format, .. } if format.check == Some(Check::Url))
}

/// With sample values for its fields, the base URL must be one, towards a host that is allowed.
fn base_url_is_allowed(credential: &CredentialType, integration: &Integration) -> Result<(), Wrong> {
    let Some(text) = &integration.base_url else { return Ok(()) };
    if integration.host_rule == Some(HostRule::HttpOrigin) {
        return Ok(());
    }
    let samples: Vec<(&str, String)> =
        credential.fields.iter().map(|field| (field.name.as_str(), sample(field))).collect();
    let value_of =
        |name: &str| samples.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
    let Some(url) = text.fill(value_of) else { return wrong("base_url", "names a field that is not there") };
    let url = BaseUrl::parse(&url).or_else(|error| wrong("base_url", error.to_string()))?;
    if !integration.schemes.contains(&url.origin.scheme()) {
        return wrong("base_url", "has a scheme that is not among `schemes`");
    }
    let allows = |host: &HostText| match host {
        HostText::Fixed(pattern) => pattern.matches(url.origin.host()),
        HostText::Settings(text) => text
            .fill(value_of)
            .and_then(|host| HostPattern::parse(&host).ok())
            .is_some_and(|pattern| pattern.matches(url.origin.host())),
    };
    match integration.hosts.iter().any(allows) {
        true => Ok(()),
        false => wrong("base_url", "is at a host that is not among `hosts`"),
    }
}

fn sample(field: &Field) -> String {
    match &field.shape {
        Shape::Text { stands_for: StandsFor::Row(rows), .. } => {
            rows.values().next().cloned().unwrap_or_default()
        }
        _ => field.stands_for("sample"),
    }
}
