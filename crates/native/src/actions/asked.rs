//! What the body of an action says. Its members are those of HTTP actions in ZIS flows, as far as they do not belong
//! to flows (source: Zendesk's guide "ZIS custom actions").

use std::collections::BTreeMap;

use bytes::Bytes;
use claviger_broker::{Place, PlaceFault};
use claviger_engine::{FieldError, UseKey};
use claviger_http::BodyError;
use claviger_model::{ConnectionId, RETRIES_MAX, ZisConnectionName, ZisName};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;
use serde_json::value::RawValue;

use super::pairs::{pairs, read_headers, unknown};
use crate::Error;
use crate::reading::{Faults, text};

/// What the door passes on, but for what nobody can be asked for in JSON.
pub(super) const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];

/// A body, read.
pub(super) struct Asked {
    pub(super) connection: Meant,
    pub(super) method: Method,
    pub(super) place: Place,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) retries: Option<u8>,
}

/// Which connection is meant.
pub(super) enum Meant {
    Id(ConnectionId),
    Zis { integration: String, name: String },
}

impl Meant {
    pub(super) fn key(&self) -> UseKey<'_> {
        match self {
            Self::Id(id) => UseKey::Id(*id),
            Self::Zis { integration, name } => UseKey::Zis { integration, name },
        }
    }
}

/// The members, each as far as it could be read.
#[derive(Default)]
struct Members {
    connection: Option<ConnectionId>,
    name: Option<String>,
    integration: Option<String>,
    method: Option<Method>,
    place: Option<Place>,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    body: Bytes,
    retries: Option<u8>,
    is_json: bool,
    /// Where a place is none.
    misplaced: Option<Error>,
    faults: Faults,
}

impl Asked {
    /// Reads a body. `bound` is the integration that the caller's token is bound to.
    ///
    /// # Errors
    /// Names every member that is wrong, missing or not known.
    pub(super) fn read(body: &[u8], bound: Option<&str>) -> Result<Self, Error> {
        let given: BTreeMap<String, &RawValue> = serde_json::from_slice(body).map_err(unreadable)?;
        let mut members = Members::default();
        for (name, value) in &given {
            members.read(name, value);
        }
        let is_given = |name: &str| given.contains_key(name);
        let connection = members.connection(is_given, bound);
        members.check_place(is_given);
        if !is_given("method") {
            members.faults.add("method", "must be there");
        }
        let Members { method, place, mut headers, body, retries, is_json, misplaced, faults, .. } = members;
        let invalid = (!faults.0.is_empty()).then(|| Error::invalid(faults.0));
        if let Some(error) = misplaced.into_iter().chain(invalid).reduce(Error::and) {
            return Err(error);
        }
        if is_json {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        let (Some(connection), Some(method), Some(place)) = (connection, method, place) else {
            return Err(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal server error"));
        };
        Ok(Self { connection, method, place, headers, body, retries })
    }
}

impl Members {
    fn read(&mut self, name: &str, raw: &RawValue) {
        if name == "requestBody" {
            return self.read_body(raw);
        }
        let value: Value = match serde_json::from_str(raw.get()) {
            Ok(value) => value,
            Err(_) => return self.faults.add(name, "is nested too deeply, or has a number that is none"),
        };
        let faults = &mut self.faults;
        match name {
            "method" => self.method = faults.note(name, text(&value, read_method)),
            "url" | "path" => match text(&value, |text| Ok::<_, String>(text.to_owned())) {
                Ok(text) => self.read_place(name, &text),
                Err(reason) => faults.add(name, reason),
            },
            "headers" => self.headers = read_headers(&value, faults),
            "query" => self.query = pairs(name, &value, faults).into_iter().map(|(_, pair)| pair).collect(),
            "connection" => {
                let id = |text: &str| text.parse().map_err(|_| "must be the id of a connection");
                self.connection = faults.note(name, text(&value, id));
            }
            "connectionName" => {
                let read = |text| ZisConnectionName::parse(text).map(|name| name.as_str().to_owned());
                self.name = faults.note(name, text(&value, read));
            }
            "integration" => {
                let read = |text| ZisName::parse(text).map(|name| name.as_str().to_owned());
                self.integration = faults.note(name, text(&value, read));
            }
            "retries" => self.retries = faults.note(name, read_retries(&value)),
            name => faults.add(name, unknown(name)),
        }
    }

    /// A text stands for itself, null for nothing, and all else for its JSON, as it is written.
    fn read_body(&mut self, raw: &RawValue) {
        match raw.get() {
            "null" => {}
            text if text.starts_with('"') => {
                let read = serde_json::from_str::<String>(text);
                let read = self.faults.note("requestBody", read.map_err(|_| "is no text"));
                self.body = read.unwrap_or_default().into();
            }
            json => (self.body, self.is_json) = (Bytes::copy_from_slice(json.as_bytes()), true),
        }
    }

    fn read_place(&mut self, field: &str, text: &str) {
        let read = if field == "url" { Place::at(text) } else { Place::below(text) };
        self.note_place(field, read);
    }

    fn note_place(&mut self, field: &str, read: Result<Place, PlaceFault>) {
        match read {
            Ok(place) => self.place = Some(place),
            Err(fault) => {
                let error = Error::new(StatusCode::BAD_REQUEST, fault.code(), fault.to_string()).of(field);
                self.misplaced = Some(match self.misplaced.take() {
                    Some(other) => other.and(error),
                    None => error,
                });
            }
        }
    }

    /// There is one place, and the query is added to it.
    fn check_place(&mut self, is_given: impl Fn(&str) -> bool) {
        let field = match (is_given("url"), is_given("path")) {
            (true, true) => return self.faults.add("path", "must not be there beside url"),
            (false, false) => return self.faults.add("url", "must be there, or path"),
            (true, false) => "url",
            (false, true) => "path",
        };
        let Some(mut place) = self.place.take() else { return };
        for (name, value) in &self.query {
            place = match place.with_parameter(name, value) {
                Ok(place) => place,
                Err(fault) => return self.note_place("query", Err(fault)),
            };
        }
        self.note_place(field, Ok(place));
    }

    fn connection(&mut self, is_given: impl Fn(&str) -> bool, bound: Option<&str>) -> Option<Meant> {
        let faults = &mut self.faults;
        match (is_given("connection"), is_given("connectionName")) {
            (false, false) => faults.add("connection", "must be there, or connectionName"),
            (true, true) => faults.add("connectionName", "must not be there beside connection"),
            (true, false) if is_given("integration") => {
                faults.add("integration", "must not be there without connectionName");
            }
            (true, false) => return self.connection.map(Meant::Id),
            (false, true) => {
                let of_token = || bound.filter(|_| !is_given("integration")).map(str::to_owned);
                let Some(integration) = self.integration.take().or_else(of_token) else {
                    if !is_given("integration") {
                        faults.add("integration", "must be there beside connectionName: no token implies it");
                    }
                    return None;
                };
                return self.name.take().map(|name| Meant::Zis { integration, name });
            }
        }
        None
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    if error.is_data() {
        let reason = "the body must be an object".to_owned();
        return Error::invalid(vec![FieldError { field: String::new(), reason }]);
    }
    BodyError::NotJson { line: error.line(), column: error.column() }.into()
}

fn read_retries(value: &Value) -> Result<u8, String> {
    let retries = value.as_u64().and_then(|retries| u8::try_from(retries).ok());
    let known = retries.filter(|retries| *retries <= RETRIES_MAX);
    known.ok_or_else(|| format!("must be a whole number from 0 to {RETRIES_MAX}"))
}

fn read_method(text: &str) -> Result<Method, String> {
    let known = METHODS.into_iter().find(|method| method.as_str() == text);
    known.ok_or_else(|| {
        let names: Vec<_> = METHODS.iter().map(Method::as_str).collect();
        format!("must be one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::schema;
    use super::*;

    #[test]
    fn what_is_described_is_what_is_known() {
        let told = |name: &str| {
            let body = json!({ name: {} }).to_string();
            format!("{:?}", Asked::read(body.as_bytes(), None).err())
        };
        for name in schema()["properties"].as_object().unwrap().keys() {
            assert!(!told(name).contains("is not known here"), "{name}");
        }
        assert!(told("other").contains("is not known here"));
    }

    #[test]
    fn a_token_implies_its_integration() {
        let read = |more: &str, bound| {
            let body = format!(r#"{{"connectionName": "mine", "method": "GET", "path": ""{more}}}"#);
            let asked = Asked::read(body.as_bytes(), bound).ok()?;
            match asked.connection {
                Meant::Zis { integration, name } => Some((integration, name)),
                Meant::Id(_) => None,
            }
        };
        let meant = |integration: &str| Some((integration.to_owned(), "mine".to_owned()));
        assert_eq!(read("", Some("bound")), meant("bound"));
        // What is named is meant, and refused later where the token may not.
        assert_eq!(read(r#", "integration": "named""#, Some("bound")), meant("named"));
        assert_eq!(read(r#", "integration": "named""#, None), meant("named"));
        assert_eq!(read("", None), None);
        assert_eq!(read(r#", "integration": "Not One""#, Some("bound")), None);
    }
}
