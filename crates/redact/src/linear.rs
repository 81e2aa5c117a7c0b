//! The work that texts cost which are made to cost much: bounded by their length, counted rather than timed.

use crate::needles::{Needles, Searched};
use crate::search::Search;

/// As a token.
const PLAIN: &str = "ghp-16C7e42F292c6912E7710c838347Ae178B4a";
/// How many beginnings may be looked at per byte of a text, for secrets that do not repeat themselves.
const PER_BYTE: u64 = 6;
/// And for secrets that do.
const PER_BYTE_REPEATING: u64 = 400;

/// How many beginnings are looked at in a text of this length, that is a part over and over, in chunks of that length.
fn work(needles: &Needles, part: &str, length: usize, chunk: usize) -> u64 {
    let searched: &Searched = needles.searched().unwrap();
    let text: Vec<u8> = part.bytes().cycle().take(length).collect();
    let mut search = Search::default();
    for (index, bytes) in text.chunks(chunk).enumerate() {
        // An escape that a chunk cuts is skipped here; it is held back in truth, which is not what is counted.
        search.at = search.at.max((index * chunk) as u64);
        search.run(searched, bytes, (index * chunk) as u64, false);
    }
    search.matcher.work
}

fn check(secret: &str, part: &str, per_byte: u64) {
    let needles = Needles::new(&[secret]);
    for (length, chunk) in [(400, 400), (4_000, 4_000), (4_000, 100)] {
        let work = work(&needles, part, length, chunk);
        assert!(work <= per_byte * length as u64, "{work} for {length} bytes of {part:?}");
    }
}

#[test]
fn of_beginnings_that_are_no_secrets() {
    let near = &PLAIN[..PLAIN.len() - 1];
    check(PLAIN, near, PER_BYTE);
    check(PLAIN, &PLAIN[..8], PER_BYTE);
    check(PLAIN, "g", PER_BYTE);
    check(PLAIN, &data_encoding::HEXLOWER.encode(near.as_bytes()), PER_BYTE);
    check(PLAIN, &near.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>(), PER_BYTE);
    check(PLAIN, &near.bytes().map(|byte| format!("\\u{byte:04x}")).collect::<String>(), PER_BYTE);
}

#[test]
fn of_escapes_that_never_end() {
    for part in [r"\", "%", "%25", "&", "&amp;", "&#", "&#0", r"\u", r"\ud83d", r"\\u0067"] {
        check(PLAIN, part, PER_BYTE);
    }
}

#[test]
fn of_secrets_that_repeat_themselves() {
    let all_one = "a".repeat(4_096);
    let in_pairs = "ab".repeat(2_048);
    let with_tail = format!("{}!", "x".repeat(4_096));
    let of_escapes = r"\".repeat(4_096);
    let of_percents = "%25".repeat(1_365);
    for secret in [all_one, in_pairs, with_tail, of_escapes, of_percents] {
        check(&secret, &secret[..16], PER_BYTE_REPEATING);
        check(&secret, &secret[..1], PER_BYTE_REPEATING);
        check(&secret, &secret[..3], PER_BYTE_REPEATING);
    }
}
