//! What is almost a secret goes through byte for byte.

use crate::{PLAIN, SECRET, masked};

/// Whichever byte of a text is changed or left out, nothing of it is masked.
fn untouched(secret: &str, written: &str) {
    for at in 0..written.len() {
        let mut changed = written.as_bytes().to_vec();
        // A byte that no secret here has: a letter of the other case would be the same hex.
        changed[at] = 1;
        assert_eq!(masked(&[secret], &changed), String::from_utf8_lossy(&changed));
        let mut without = written.as_bytes().to_vec();
        without.remove(at);
        assert_eq!(masked(&[secret], &without), String::from_utf8_lossy(&without));
    }
}

#[test]
fn of_the_secret_itself() {
    untouched(PLAIN, PLAIN);
    untouched(SECRET, SECRET);
}

#[test]
fn of_hex() {
    untouched(PLAIN, &data_encoding::HEXLOWER.encode(PLAIN.as_bytes()));
}

#[test]
fn of_escapes() {
    untouched(PLAIN, &PLAIN.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>());
    untouched(PLAIN, &PLAIN.bytes().map(|byte| format!("\\u{byte:04x}")).collect::<String>());
    untouched(PLAIN, &PLAIN.bytes().map(|byte| format!("&#{byte};")).collect::<String>());
}

/// Case counts, but in digits of hex.
#[test]
fn of_another_case() {
    for written in [PLAIN.to_uppercase(), PLAIN.to_lowercase()] {
        assert_eq!(masked(&[PLAIN], written.as_bytes()), written);
    }
}

#[test]
fn secrets_below_eight_bytes_are_not_searched_and_said_so() {
    let needles = claviger_redact::Needles::new(&["hunter2", PLAIN, "", "8 bytes!"]);
    assert_eq!(needles.unsearched(), [0, 2]);
    assert_eq!(masked(&["hunter2", PLAIN, "", "8 bytes!"], b"hunter2, 8 bytes!"), "hunter2, ********");
}

#[test]
fn without_secrets_everything_goes_through_at_once() {
    let needles = claviger_redact::Needles::new::<&str>(&[]);
    assert_eq!(needles.held_max(), 0);
    assert_eq!(masked(&[], b"%41 & \\"), "%41 & \\");
}

/// Names of headers have lost their case, and cannot be masked.
#[test]
fn a_header_name_is_known_by_the_secret_in_it() {
    let mixed = "Plain-SECRET-7Qx2hK91";
    let names = [(mixed.to_lowercase(), true), (format!("x-{}-y", mixed.to_lowercase()), true)];
    let hex = data_encoding::HEXLOWER.encode(mixed.as_bytes());
    let others = [(hex, true), (mixed[1..].to_lowercase(), false), ("x-request-id".to_owned(), false)];
    for (name, is_in) in names.into_iter().chain(others) {
        let mut redactor = claviger_redact::Redactor::new(claviger_redact::Needles::new(&[mixed]));
        assert_eq!(redactor.is_in_name(name.as_bytes()), is_in, "{name}");
        assert_eq!(redactor.found().map(|(_, times)| times).sum::<u64>(), u64::from(is_in));
    }
}
