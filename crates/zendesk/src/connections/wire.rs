//! Connections as they are shown: no secret takes part in it.

use claviger_catalog::ZisType;
use claviger_engine::ShownZisConnection;
use claviger_model::Timestamp;
use serde_json::{Map, Value, json};

/// In place of a secret, whatever its length.
pub(crate) const MASK: &str = "*****";

/// A connection under its type's name.
pub(crate) fn enveloped(shown: &ShownZisConnection) -> Value {
    Value::Object(Map::from_iter([(shown.of.as_str().to_owned(), bare(shown))]))
}

/// A connection without that.
pub(crate) fn bare(shown: &ShownZisConnection) -> Value {
    let mut object = json!({
        "allowed_domain": shown.settings.allowed_domain(),
        "created_at": millis(shown.connection.created_at),
        "name": shown.connection.name,
        "updated_at": millis(shown.connection.modified_at),
        shown.of.secret(): MASK,
    });
    if let Some(header) = shown.settings.header_name() {
        object["header_name"] = json!(header);
    }
    if let Some(username) = shown.settings.username() {
        object["username"] = json!(username);
    }
    object
}

pub(crate) fn bare_schema(of: ZisType) -> Value {
    let mut names = vec!["allowed_domain", "created_at", "name", "updated_at", of.secret()];
    names.extend(of.clear_member());
    let members: Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "type": "object", "properties": members, "required": names })
}

pub(crate) fn envelope_schema(of: ZisType) -> Value {
    json!({ "type": "object", "properties": { of.as_str(): bare_schema(of) }, "required": [of.as_str()] })
}

/// RFC 3339 in UTC with as many digits of a second as it takes, three at most.
pub(crate) fn millis(moment: Timestamp) -> String {
    let utc = moment.utc();
    let seconds = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        utc.year(),
        u8::from(utc.month()),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    );
    match utc.millisecond() {
        0 => format!("{seconds}Z"),
        millis => format!("{seconds}.{}Z", format!("{millis:03}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_as_many_digits_as_it_takes() {
        for (text, told) in [
            ("2026-03-04T05:06:07.123456Z", "2026-03-04T05:06:07.123Z"),
            ("1985-04-12T23:20:50.520000Z", "1985-04-12T23:20:50.52Z"),
            ("2026-03-04T05:06:07.000999Z", "2026-03-04T05:06:07Z"),
        ] {
            assert_eq!(millis(Timestamp::parse_rfc3339(text).unwrap()), told);
        }
    }
}
