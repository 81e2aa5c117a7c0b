//! Lists of `{"key": …, "value": …}`, as actions have them: headers, and parameters of a query.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::reading::{Faults, text};

/// As many as the server takes of a request, and as long.
pub(super) const HEADERS_MAX: usize = 100;
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// So end the names of members that flows fill in.
const TEMPLATE: &str = ".$";

/// The headers of an action.
pub(super) fn read_headers(value: &Value, faults: &mut Faults) -> HeaderMap {
    let given = pairs("headers", value, faults);
    let length: usize = given.iter().map(|(_, (name, value))| name.len() + value.len()).sum();
    if given.len() > HEADERS_MAX || length > HEADER_BYTES_MAX {
        faults.add("headers", format!("must be at most {HEADERS_MAX}, of {HEADER_BYTES_MAX} bytes together"));
        return HeaderMap::new();
    }
    let mut headers = HeaderMap::with_capacity(given.len() + 2);
    for (place, (name, value)) in given {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is no name of a header");
        let name = faults.note(&format!("headers/{place}/key"), name);
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| "must have no line breaks and no other control characters");
        let value = faults.note(&format!("headers/{place}/value"), value);
        if let (Some(name), Some(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

/// A list of `{"key": …, "value": …}`, each with its place.
pub(super) fn pairs(field: &str, value: &Value, faults: &mut Faults) -> Vec<(usize, (String, String))> {
    let Some(items) = value.as_array() else {
        faults.add(field, "must be a list");
        return Vec::new();
    };
    let read = |(place, item): (usize, &Value)| match item.as_object() {
        Some(item) => Some((place, pair(&format!("{field}/{place}"), item, faults)?)),
        None => {
            faults.add(&format!("{field}/{place}"), "must be an object with key and value");
            None
        }
    };
    items.iter().enumerate().filter_map(read).collect()
}

fn pair(place: &str, item: &Map<String, Value>, faults: &mut Faults) -> Option<(String, String)> {
    for name in item.keys().filter(|name| !["key", "value"].contains(&name.as_str())) {
        faults.add(&format!("{place}/{name}"), unknown(name));
    }
    let mut member = |name: &str| match item.get(name) {
        Some(value) => {
            faults.note(&format!("{place}/{name}"), text(value, |text| Ok::<_, String>(text.to_owned())))
        }
        None => {
            faults.add(&format!("{place}/{name}"), "must be there");
            None
        }
    };
    let (key, value) = (member("key"), member("value"));
    Some((key?, value?))
}

/// What is wrong with a member of this name that there is none of.
pub(super) fn unknown(name: &str) -> &'static str {
    match name.ends_with(TEMPLATE) {
        true => "is a template, which flows fill in: give the value itself, without .$",
        false => "is not known here",
    }
}
