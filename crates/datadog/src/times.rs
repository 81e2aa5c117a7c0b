//! How the vendor writes moments (fact sheet 1.6). All are UTC.

use claviger_model::Timestamp;

/// Version 2 of keys and users: RFC 3339, six digits, `+00:00`.
pub(crate) fn v2(moment: Timestamp) -> String {
    let t = moment.utc();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        t.microsecond()
    )
}

/// Roles, and whatever else is written as JSON:API: RFC 3339, six digits, `Z`.
pub(crate) fn vendor_json(moment: Timestamp) -> String {
    v2(moment).replace("+00:00", "Z")
}

/// Version 1 of API keys: no fraction and no zone.
pub(crate) fn v1(moment: Timestamp) -> String {
    let t = moment.utc();
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_the_recorded_ones() {
        let moment = Timestamp::parse_rfc3339("2025-09-10T21:40:08.000976Z").unwrap();
        assert_eq!(v2(moment), "2025-09-10T21:40:08.000976+00:00");
        assert_eq!(vendor_json(moment), "2025-09-10T21:40:08.000976Z");
        assert_eq!(v1(moment), "2025-09-10 21:40:08");
    }
}
