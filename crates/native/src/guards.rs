//! Guards on the wire, the same for every kind of key: `allow_list`, `request_limit` and `expires_at`.

use claviger_engine::{FieldError, GuardsPatch};
use claviger_model::{AllowList, AllowListError, Credential, NETWORKS_MAX, RequestLimit, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

/// Guards as answers show them; null where there is none.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GuardsShown {
    /// The networks from which the key may be used; null for anywhere.
    allow_list: Option<Vec<String>>,
    /// How often the key may be used; null for no limit.
    request_limit: Option<LimitShown>,
    /// Until when the key is valid; null for no end.
    expires_at: Option<String>,
}

/// So many requests in so many seconds.
#[derive(Debug, Serialize, JsonSchema)]
struct LimitShown {
    requests: u32,
    period_seconds: u32,
}

impl From<&Credential> for GuardsShown {
    fn from(credential: &Credential) -> Self {
        let guards = &credential.guards;
        let texts = |list: &AllowList| list.networks().iter().map(ToString::to_string).collect();
        Self {
            allow_list: guards.allow_list.as_ref().map(texts),
            request_limit: guards.request_limit.map(|limit| LimitShown {
                requests: limit.requests(),
                period_seconds: limit.period_seconds(),
            }),
            expires_at: credential.expiry.timestamp().map(shown_time),
        }
    }
}

/// A moment as the native API shows it.
pub(crate) fn shown_time(moment: Timestamp) -> String {
    moment.utc().format(&Rfc3339).unwrap_or_default()
}

/// What [`read_guard`] takes, as the properties of a body's schema.
pub(crate) fn schema_properties() -> Value {
    let number = |max: u32| json!({ "type": "integer", "minimum": 1, "maximum": max });
    json!({
        "allow_list": {
            "type": ["array", "null"],
            "items": { "type": "string" },
            "minItems": 1,
            "maxItems": NETWORKS_MAX,
            "description": "Networks in CIDR notation, or single addresses; null for anywhere",
        },
        "request_limit": {
            "type": ["object", "null"],
            "properties": {
                "requests": number(RequestLimit::REQUESTS_MAX),
                "period_seconds": number(RequestLimit::PERIOD_SECONDS_MAX),
            },
            "required": ["requests", "period_seconds"],
            "additionalProperties": false,
        },
        "expires_at": { "type": ["string", "null"], "format": "date-time" },
    })
}

/// Reads a member of a body if it is one of the guards' and tells whether it is. What is wrong with it is added to
/// `faults`.
pub(crate) fn read_guard(
    field: &str,
    value: &Value,
    patch: &mut GuardsPatch,
    faults: &mut Vec<FieldError>,
) -> bool {
    match field {
        "allow_list" => patch.allow_list = or_null(value, faults, read_allow_list),
        "request_limit" => patch.request_limit = or_null(value, faults, read_limit),
        "expires_at" => patch.expires_at = or_null(value, faults, read_expiry),
        _ => return false,
    }
    true
}

/// Null takes a guard away.
fn or_null<T>(
    value: &Value,
    faults: &mut Vec<FieldError>,
    read: impl FnOnce(&Value) -> Result<T, Vec<FieldError>>,
) -> Option<Option<T>> {
    if value.is_null() {
        return Some(None);
    }
    read(value).map_err(|wrong| faults.extend(wrong)).ok().map(Some)
}

fn read_allow_list(value: &Value) -> Result<AllowList, Vec<FieldError>> {
    const FIELD: &str = "allow_list";
    let texts: Option<Vec<_>> = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
    let texts = texts.ok_or_else(|| fault(FIELD, "must be a list of networks, or null for anywhere"))?;
    AllowList::parse(texts).map_err(|error| match error {
        AllowListError::Empty => fault(FIELD, "must have a network, or be null for anywhere"),
        AllowListError::TooMany => fault(FIELD, format!("must have at most {NETWORKS_MAX} networks")),
        AllowListError::Networks(wrong) => wrong
            .into_iter()
            .map(|(place, error)| FieldError { field: format!("{FIELD}/{place}"), reason: error.to_string() })
            .collect(),
    })
}

fn read_limit(value: &Value) -> Result<RequestLimit, Vec<FieldError>> {
    const FIELD: &str = "request_limit";
    let Some(object) = value.as_object() else {
        return Err(fault(FIELD, "must be an object, or null for no limit"));
    };
    let mut faults = Vec::new();
    let mut number = |name: &str, max: u32| {
        let number = object.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (1..=max).contains(number));
        if number.is_none() {
            faults.extend(fault(&format!("{FIELD}/{name}"), format!("must be a number from 1 to {max}")));
        }
        number.unwrap_or_default()
    };
    let requests = number("requests", RequestLimit::REQUESTS_MAX);
    let period_seconds = number("period_seconds", RequestLimit::PERIOD_SECONDS_MAX);
    for name in object.keys().filter(|name| !["requests", "period_seconds"].contains(&name.as_str())) {
        let field = format!("{FIELD}/{}", claviger_model::excerpt(name));
        faults.extend(fault(&field, "is not a part of a limit"));
    }
    match RequestLimit::new(requests, period_seconds) {
        Ok(limit) if faults.is_empty() => Ok(limit),
        _ => Err(faults),
    }
}

fn read_expiry(value: &Value) -> Result<Timestamp, Vec<FieldError>> {
    let read = value.as_str().and_then(Timestamp::parse_rfc3339);
    read.ok_or_else(|| fault("expires_at", "must be a moment as in 2030-01-02T03:04:05Z, or null for no end"))
}

fn fault(field: &str, reason: impl Into<String>) -> Vec<FieldError> {
    vec![FieldError { field: field.to_owned(), reason: reason.into() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<GuardsPatch, Vec<String>> {
        let (mut patch, mut faults) = (GuardsPatch::default(), Vec::new());
        for (field, value) in body.as_object().unwrap() {
            assert!(read_guard(field, value, &mut patch, &mut faults), "{field}");
        }
        match faults.is_empty() {
            true => Ok(patch),
            false => Err(faults.into_iter().map(|fault| fault.field).collect()),
        }
    }

    #[test]
    fn guards_are_set_taken_away_and_left() {
        let body = json!({
            "allow_list": ["192.0.2.0/24", "::1"],
            "request_limit": { "requests": 5, "period_seconds": 60 },
            "expires_at": "2030-01-02T03:04:05+01:00",
        });
        let patch = read(&body).unwrap();
        assert_eq!(patch.allow_list.flatten().unwrap().to_list(), "192.0.2.0/24 ::1");
        assert_eq!(patch.request_limit.flatten(), RequestLimit::new(5, 60).ok());
        assert_eq!(patch.expires_at.flatten().map(shown_time), Some("2030-01-02T02:04:05Z".to_owned()));
        let patch = read(&json!({ "allow_list": null, "request_limit": null, "expires_at": null })).unwrap();
        assert_eq!(
            patch,
            GuardsPatch { allow_list: Some(None), request_limit: Some(None), expires_at: Some(None) }
        );
        assert_eq!(read(&json!({})), Ok(GuardsPatch::default()));
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let body = json!({
            "allow_list": ["192.0.2.1/24", "192.0.2.1", "x"],
            "request_limit": { "requests": 0, "period_seconds": "60", "burst": 1 },
            "expires_at": "tomorrow",
        });
        let named = [
            "allow_list/0",
            "allow_list/2",
            "expires_at",
            "request_limit/requests",
            "request_limit/period_seconds",
            "request_limit/burst",
        ];
        assert_eq!(read(&body), Err(named.map(str::to_owned).to_vec()));
        for (field, wrong) in [
            ("allow_list", vec![json!([]), json!("192.0.2.1"), json!([1]), json!(vec!["192.0.2.1"; 65])]),
            ("request_limit", vec![json!(5), json!([5, 60])]),
            ("expires_at", vec![json!(1_900_000_000), json!("")]),
        ] {
            for value in wrong {
                assert_eq!(read(&json!({ field: value })), Err(vec![field.to_owned()]), "{value}");
            }
        }
    }
}
