//! Which connections a list is asked for.

use claviger_engine::{ConnectionFilter, ConnectionSort, Page, SortBy};
use claviger_http::openapi::Query;
use claviger_model::{ConnectionDialect, Health, Timestamp};
use http::Uri;
use serde_json::{Value, json};

use crate::Error;
use crate::reading::Parameters;

/// What a list is asked for.
pub(super) struct Asked {
    pub(super) filter: ConnectionFilter,
    pub(super) sort: SortBy<ConnectionSort>,
    pub(super) page: Page,
}

const SORTS: [(&str, ConnectionSort, bool); 4] = [
    ("name", ConnectionSort::Name, false),
    ("-name", ConnectionSort::Name, true),
    ("created_at", ConnectionSort::CreatedAt, false),
    ("-created_at", ConnectionSort::CreatedAt, true),
];

pub(super) fn read(uri: &Uri) -> Result<Asked, Error> {
    let mut query = Parameters::of(uri);
    let page = query.page();
    let filter = ConnectionFilter {
        text: query.read("name", printable),
        dialect: query.read("dialect", str::parse::<ConnectionDialect>),
        integration: query.read("type", printable),
        used_since: query.read("used_since", moment),
        unused_since: query.read("unused_since", moment),
        health: query.read("health", str::parse::<Health>),
        ..ConnectionFilter::default()
    };
    let sort = query.read("sort", |text| {
        let found = SORTS.iter().find(|(name, ..)| *name == text);
        found.map(|(_, key, descending)| SortBy { key: *key, descending: *descending }).ok_or_else(|| {
            let names: Vec<_> = SORTS.iter().map(|(name, ..)| *name).collect();
            format!("must be one of {}", names.join(", "))
        })
    });
    query.check()?;
    Ok(Asked { filter, sort: sort.unwrap_or(SortBy { key: ConnectionSort::Name, descending: false }), page })
}

/// No name has control characters, and not every database can be asked for them.
fn printable(text: &str) -> Result<String, &'static str> {
    match text.chars().any(char::is_control) {
        true => Err("must not contain control characters"),
        false => Ok(text.to_owned()),
    }
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse_rfc3339(text).ok_or("must be a moment as in 2030-01-02T03:04:05Z")
}

/// The parameters beside the page's, as the API's description has them.
pub(super) fn parameters() -> Vec<Query> {
    let query = |name, description: &str, schema| Query { name, description: description.to_owned(), schema };
    let text = || json!({ "type": "string" });
    let moment = || json!({ "type": "string", "format": "date-time" });
    let one_of = |names: &[&str]| -> Value { json!({ "type": "string", "enum": names }) };
    let sorts: Vec<_> = SORTS.iter().map(|(name, ..)| *name).collect();
    let mut sort = one_of(&sorts);
    sort["default"] = json!("name");
    vec![
        query("type", "Only of this type of integration", text()),
        query("name", "A part of the name in any case", text()),
        query("dialect", "Only those that were made by this API", one_of(&["datadog", "zendesk"])),
        query("used_since", "Only those that were used then or later", moment()),
        query("unused_since", "Only those that were not used then or later", moment()),
        query("health", "Only those whose last test said this", one_of(&["ok", "bad", "limited", "unknown"])),
        query("sort", "By what, with - for the other way round", sort),
    ]
}
