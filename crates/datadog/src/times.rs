//! How the vendor writes moments, as recorded. All are UTC.

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

/// Tokens, when they are made and used: RFC 3339, nine digits, `Z`.
pub(crate) fn nanos(moment: Timestamp) -> String {
    format!("{}.{:09}Z", seconds(moment), moment.utc().nanosecond())
}

/// Tokens, as they are read: microseconds without the zeros at their end, and no fraction where there is none, `Z`.
pub(crate) fn trimmed(moment: Timestamp) -> String {
    let fraction = format!(".{:06}", moment.utc().microsecond());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{}{fraction}Z", seconds(moment))
}

/// Connections: as Go prints times, microseconds without the zeros at their end, and no fraction where there is none.
pub(crate) fn go(moment: Timestamp) -> String {
    let fraction = format!(".{:06}", moment.utc().microsecond());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{}{fraction} +0000 UTC", v1(moment))
}

fn seconds(moment: Timestamp) -> String {
    v1(moment).replacen(' ', "T", 1)
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

    #[test]
    fn connections_have_gos_form() {
        let shown = |text: &str| go(Timestamp::parse_rfc3339(text).unwrap());
        assert_eq!(shown("2026-01-02T03:04:05.678901Z"), "2026-01-02 03:04:05.678901 +0000 UTC");
        assert_eq!(shown("2026-01-02T03:04:05.5Z"), "2026-01-02 03:04:05.5 +0000 UTC");
        assert_eq!(shown("2026-01-02T03:04:05Z"), "2026-01-02 03:04:05 +0000 UTC");
    }

    #[test]
    fn tokens_have_forms_of_their_own() {
        let check = |text: &str, long: &str, short: &str| {
            let moment = Timestamp::parse_rfc3339(text).unwrap();
            assert_eq!((nanos(moment).as_str(), trimmed(moment).as_str()), (long, short));
        };
        check("2026-04-08T16:45:59.747202Z", "2026-04-08T16:45:59.747202000Z", "2026-04-08T16:45:59.747202Z");
        check("2027-04-08T16:45:59.540Z", "2027-04-08T16:45:59.540000000Z", "2027-04-08T16:45:59.54Z");
        check("2026-04-09T10:58:54+02:00", "2026-04-09T08:58:54.000000000Z", "2026-04-09T08:58:54Z");
    }
}
