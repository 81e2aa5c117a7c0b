//! Fields.

use std::sync::Arc;

use claviger_model::Host;

use super::format::pattern;
use super::raw::RawField;
use super::{Formats, Wrong, wrong};
use crate::field::{Field, Made, Place, Shape, StandsFor};
use crate::format::Format;

pub(super) fn check(raw: RawField, place: Place, secret: bool, formats: &Formats) -> Result<Field, Wrong> {
    let name = raw.name.clone();
    let checked = shape(&raw, secret, formats).and_then(|shape| {
        let hint = raw.hint.as_deref().map(|hint| pattern("hint", hint)).transpose()?;
        let required = !raw.optional && !matches!(shape, Shape::Made(_));
        Ok(Field { name: raw.name, place, secret, required, shape, hint })
    });
    let checked = checked.map_err(|e| e.within(&name))?;
    // The names of secrets and of places in texts are made of these.
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return wrong(name, "a field's name has lower-case letters and underscores only");
    }
    if ["type", "credentials", "token"].contains(&name.as_str()) {
        return wrong(name, "this name means something else");
    }
    Ok(checked)
}

fn shape(raw: &RawField, secret: bool, formats: &Formats) -> Result<Shape, Wrong> {
    if let Some(code) = &raw.code {
        return coded(raw, code, secret);
    }
    let Some(format) = &raw.format else { return wrong("format", "is required") };
    let format = find("format", format, formats)?;
    match &raw.list {
        Some(_) if raw.values.is_some() || raw.host_suffixes.is_some() || raw.hint.is_some() => {
            wrong("list", "a list has neither `values` nor `host_suffixes` nor a `hint`")
        }
        Some(names) => Ok(Shape::List { names: find("list", names, formats)?, values: format }),
        None => Ok(Shape::Text { stands_for: stands_for(raw, secret, &format)?, format }),
    }
}

fn coded(raw: &RawField, code: &str, secret: bool) -> Result<Shape, Wrong> {
    let alone =
        raw.format.is_none() && raw.list.is_none() && raw.values.is_none() && raw.host_suffixes.is_none();
    if !alone || secret || raw.hint.is_some() {
        return wrong("code", "a field in code is a setting, and has no other rules");
    }
    match (code, Made::named(code)) {
        ("http_body", _) => Ok(Shape::HttpBody),
        (_, Some(made)) => Ok(Shape::Made(made)),
        (_, None) => wrong("code", "there is no such code"),
    }
}

fn find(field: &str, name: &str, formats: &Formats) -> Result<Arc<Format>, Wrong> {
    match formats.get(name) {
        Some(format) => Ok(Arc::clone(format)),
        None => wrong(field, format!("there is no format {name}")),
    }
}

fn stands_for(raw: &RawField, secret: bool, format: &Format) -> Result<StandsFor, Wrong> {
    match (&raw.values, &raw.host_suffixes) {
        (None, None) => Ok(StandsFor::Itself),
        (Some(_), Some(_)) => wrong("values", "cannot stand beside `host_suffixes`"),
        _ if secret => wrong("format", "a secret has neither `values` nor `host_suffixes`"),
        (Some(rows), None) if rows.is_empty() => wrong("values", "must not be empty"),
        (Some(rows), None) => match rows.keys().find(|text| !format.accepts(text)) {
            Some(text) => wrong("values", format!("{text} is not {}", format.says())),
            None => Ok(StandsFor::Row(rows.clone())),
        },
        (None, Some(suffixes)) => host_below(suffixes, format),
    }
}

fn host_below(suffixes: &[String], format: &Format) -> Result<StandsFor, Wrong> {
    // Below a top-level domain anybody can have a host.
    let is_name =
        |text: &str| text.contains('.') && text.parse().is_ok_and(|host: Host| host.name() == Some(text));
    let is_suffix = |text: &String| text.strip_prefix('.').is_some_and(is_name);
    if suffixes.is_empty() || !suffixes.iter().all(is_suffix) {
        return wrong(
            "host_suffixes",
            "must be one or more, each a dot and a domain of two labels or more in lower case",
        );
    }
    if format.name != "host" {
        return wrong("format", "of a field with `host_suffixes` must be `host`");
    }
    Ok(StandsFor::HostBelow(suffixes.to_vec()))
}
