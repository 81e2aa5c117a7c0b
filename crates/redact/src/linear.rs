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
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let base = (index * chunk + done) as u64;
            search.at = search.at.max(base);
            done += search.run(searched, rest, base, false);
        }
    }
    search.matcher.work
}

fn check(secret: &str, part: &str, per_byte: u64) {
    check_all(&[secret], &[part], per_byte);
}

fn check_all(secrets: &[&str], parts: &[&str], per_byte: u64) {
    let needles = Needles::new(secrets);
    parts.iter().for_each(|part| check_part(&needles, part, per_byte));
}

fn check_part(needles: &Needles, part: &str, per_byte: u64) {
    for (length, chunk) in [(400, 400), (4_000, 4_000), (4_000, 100)] {
        let work = work(needles, part, length, chunk);
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

/// All secrets together may not cost more than one does.
#[test]
fn of_many_secrets_that_begin_alike() {
    let alike = |beginning: &str| (10..110).map(|at| format!("{beginning}{at}")).collect::<Vec<_>>();
    for (secrets, parts) in [
        (alike(&"a".repeat(64)), &["a", "aaaa!", "YWFh", "61", "%61", r"\u0061"][..]),
        (alike("-----BEGIN PRIVATE KEY-----"), &["-----BEGIN PRIVATE KEY-----", "-", "--"]),
        (alike(r#"{"type":"service_account","project_id":""#), &[r#"{"type":"service_account","#]),
    ] {
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        check_all(&secrets, parts, PER_BYTE_REPEATING);
    }
}

/// Nor where they do not begin alike, but each is within the others.
#[test]
fn of_many_secrets_within_each_other() {
    let whole: String = (0..400_u64).map(|at| char::from(b'a' + (mixed(at) % 23) as u8)).collect();
    let secrets: Vec<&str> = (0..100).map(|at| &whole[at * 3..]).collect();
    check_all(&secrets, &[&whole], PER_BYTE_REPEATING);
    let periods: Vec<String> = (1..=20).map(|period| format!("{}b", "a".repeat(period)).repeat(20)).collect();
    let secrets: Vec<&str> = periods.iter().map(String::as_str).collect();
    check_all(&secrets, &secrets, PER_BYTE_REPEATING);
}

/// One text that is, read in one way or another, any of very many.
#[test]
fn of_texts_that_can_be_read_in_many_ways() {
    for (one, other) in [("\"", r#"\""#), ("%", "%25"), ("&", "&amp;"), (" ", "+")] {
        let secrets: Vec<String> = (0..20_u64)
            .map(|which| {
                let parts = (0..300_u64).map(|at| mixed(which * 300 + at));
                parts.map(|random| if random & 1 == 0 { one } else { other }).collect()
            })
            .collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        check_all(&secrets, &[other], PER_BYTE_REPEATING);
        check(secrets[0], other, PER_BYTE_REPEATING);
    }
}

fn mixed(value: u64) -> u64 {
    let value = (value + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value >> 40
}
