//! Reading bodies and queries of the native API: every bad field is named, with a JSON pointer into the body, without
//! its first slash.

use std::fmt::Display;

use claviger_engine::{FieldError, Page};
use claviger_http::openapi::Query;
use claviger_model::{OwnNumber, OwnPermissions, excerpt};
use http::Uri;
use serde_json::{Map, Value, json};

use crate::Error;

/// The largest page of a list, and the usual one.
const PAGE_MAX: i64 = 100;
/// How far into a list one can look; far beyond any.
const OFFSET_MAX: i64 = 1_000_000_000_000;

/// So many faults are told of one request.
const FAULTS_MAX: usize = 100;

/// What is wrong with a request.
#[derive(Default)]
pub(crate) struct Faults(pub(crate) Vec<FieldError>);

impl Faults {
    pub(crate) fn add(&mut self, field: &str, reason: impl Display) {
        // Who has more knows enough.
        if self.0.len() == FAULTS_MAX {
            return;
        }
        self.0.push(FieldError { field: excerpt(field), reason: reason.to_string() });
    }

    /// The value, where it could be read; what is wrong with it is noted.
    pub(crate) fn note<T>(&mut self, field: &str, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|reason| self.add(field, reason)).ok()
    }

    /// To be called last: refuses a request with faults.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::invalid(self.0)) }
    }
}

/// The members of a body, which must be an object.
pub(crate) fn members(body: &Value) -> Result<&Map<String, Value>, Error> {
    body.as_object().ok_or_else(|| {
        let reason = "the body must be an object".to_owned();
        Error::invalid(vec![FieldError { field: String::new(), reason }])
    })
}

/// Reads a text with a type of its own.
pub(crate) fn text<'a, T, E: Display>(
    value: &'a Value,
    parse: impl FnOnce(&'a str) -> Result<T, E>,
) -> Result<T, String> {
    let text = value.as_str().ok_or("must be a string")?;
    parse(text).map_err(|error| error.to_string())
}

/// Reads what null takes away.
pub(crate) fn or_null<'a, T>(
    value: &'a Value,
    read: impl FnOnce(&'a Value) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

/// Reads names of the org's own permissions.
pub(crate) fn own_permissions(
    field: &str,
    value: &Value,
    known: Option<&OwnPermissions>,
    faults: &mut Faults,
) -> Vec<OwnNumber> {
    let Some(items) = value.as_array() else {
        faults.add(field, "must be a list of permissions");
        return Vec::new();
    };
    let mut numbers = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let number = item.as_str().and_then(|name| known?.number(name));
        match number {
            Some(number) => numbers.push(number),
            None => faults.add(&format!("{field}/{place}"), "is not a permission that this org has defined"),
        }
    }
    numbers
}

/// The schema of such a list.
pub(crate) fn permissions_schema() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": "Names of the org's own permissions" })
}

/// The body that only has such a list, as `PUT` takes it.
pub(crate) fn only_permissions(
    body: &Value,
    known: Option<&OwnPermissions>,
) -> Result<Vec<OwnNumber>, Error> {
    let (mut faults, mut numbers) = (Faults::default(), None);
    for (field, value) in members(body)? {
        match field.as_str() {
            "permissions" => numbers = Some(own_permissions(field, value, known, &mut faults)),
            _ => faults.add(field, "is not known here"),
        }
    }
    if numbers.is_none() {
        faults.add("permissions", "must be there");
    }
    faults.check()?;
    Ok(numbers.unwrap_or_default())
}

/// The schema of such a body.
pub(crate) fn only_permissions_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "permissions": permissions_schema() },
        "required": ["permissions"],
        "additionalProperties": false,
    })
}

/// A query on its way to being understood.
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
    faults: Faults,
}

impl Parameters {
    pub(crate) fn of(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self { pairs: pairs.into_owned().collect(), faults: Faults::default() }
    }

    /// The last value of a parameter; an empty one counts as none.
    pub(crate) fn read<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (_, value) = self.pairs.iter().rev().find(|(key, _)| key == name)?;
        let read = (!value.is_empty()).then(|| parse(value))?;
        self.faults.note(name, read)
    }

    /// `limit` and `offset`.
    pub(crate) fn page(&mut self) -> Page {
        let number = |low: i64, high: i64| {
            move |text: &str| {
                let number = text.parse().ok().filter(|number| (low..=high).contains(number));
                number.ok_or_else(|| format!("must be a number from {low} to {high}"))
            }
        };
        let limit = self.read("limit", number(1, PAGE_MAX)).unwrap_or(PAGE_MAX);
        let offset = self.read("offset", number(0, OFFSET_MAX)).unwrap_or(0);
        Page { offset, limit }
    }

    /// To be called last: refuses a query with faults.
    pub(crate) fn check(self) -> Result<(), Error> {
        self.faults.check()
    }
}

/// `limit` and `offset`, as the API's description has them.
pub(crate) fn page_parameters() -> Vec<Query> {
    let number = |low: i64, high: i64, default: i64| json!({ "type": "integer", "minimum": low, "maximum": high, "default": default });
    let query = |name, description: &str, schema| Query { name, description: description.to_owned(), schema };
    vec![
        query("limit", "How many at most", number(1, PAGE_MAX, PAGE_MAX)),
        query("offset", "How many to pass over", number(0, OFFSET_MAX, 0)),
    ]
}
