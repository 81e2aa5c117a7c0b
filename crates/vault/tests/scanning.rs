//! What docs/secret-scanning.md says holds: its patterns find what is issued, and its vectors are as it says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]

use std::collections::BTreeMap;

use claviger_model::testing::SeededRandom;
use claviger_model::{CredentialKind, KeyPrefix};
use claviger_vault::IssuedSecret;
use regex_automata::meta::Regex;

const DOCUMENTATION: &str = include_str!("../../../docs/secret-scanning.md");
/// The pattern for native keys whose prefix is not known; it stands in the text, once.
const ANY_PREFIX: &str = r"\b[A-Za-z][0-9A-Za-z_]{0,15}_[0-9A-Za-z]{34}\b";

/// The rows of the table below a heading, without backticks.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = DOCUMENTATION.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells =
        |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    rows.map(cells).collect()
}

fn patterns() -> BTreeMap<String, (Regex, bool)> {
    let read = |row: Vec<String>| {
        let [kind, pattern, checksum] = row.try_into().unwrap();
        (kind, (Regex::new(&pattern).unwrap(), checksum == "yes"))
    };
    table("Patterns").into_iter().map(read).collect()
}

fn name(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "API key",
        CredentialKind::ApplicationKey => "application key",
        CredentialKind::PersonalAccessToken => "personal access token",
        CredentialKind::ServiceAccessToken => "service access token",
        CredentialKind::NativeKey => "native key",
        CredentialKind::IntegrationToken => "integration token",
        CredentialKind::Session => "session",
    }
}

fn is_whole(pattern: &Regex, text: &str) -> bool {
    pattern.find(text).is_some_and(|found| found.range() == (0..text.len()))
}

/// The checksum by the steps of the page, and not by our code.
fn has_checksum(secret: &str) -> bool {
    let is_token = secret.starts_with("ddpat_") || secret.starts_with("ddsat_");
    let rest = match secret.strip_prefix("clvsession_") {
        Some(rest) => rest,
        None if is_token => &secret[6..],
        None => &secret[secret.len() - 34..],
    };
    let (body, checksum) = rest.split_at(rest.len() - 6);
    let mut crc = u32::MAX;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let digits: Vec<u8> = (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z').collect();
    let mut number = !crc as usize;
    let mut written = [0; 6];
    for place in written.iter_mut().rev() {
        *place = digits[number % 62];
        number /= 62;
    }
    checksum.as_bytes() == written
}

#[test]
fn each_pattern_finds_its_kind_and_no_other() {
    let (patterns, random) = (patterns(), SeededRandom::new(1));
    assert_eq!(patterns.len(), CredentialKind::ALL.len());
    for kind in CredentialKind::ALL {
        for _ in 0..200 {
            let secret = IssuedSecret::generate(kind, &random);
            for (other, (pattern, _)) in &patterns {
                assert_eq!(is_whole(pattern, secret.reveal()), other == name(kind), "{kind} and {other}");
            }
            let (pattern, checksum) = &patterns[name(kind)];
            assert!(!checksum || has_checksum(secret.reveal()), "{kind}");
            // In the middle of something, too.
            let around = format!("key=\"{}\",", secret.reveal());
            let found = pattern.find(&around).unwrap();
            assert_eq!(&around[found.range()], secret.reveal());
        }
    }
}

#[test]
fn a_native_key_is_found_whatever_its_prefix() {
    assert_eq!(DOCUMENTATION.matches(ANY_PREFIX).count(), 1);
    let (any, random) = (Regex::new(ANY_PREFIX).unwrap(), SeededRandom::new(2));
    for prefix in ["clv", "a", "acme_live", "abcdefghijklmnop", "A_1_b"] {
        let secret = IssuedSecret::generate_native(KeyPrefix::parse(prefix).unwrap(), &random);
        assert!(is_whole(&any, secret.reveal()) && has_checksum(secret.reveal()), "{prefix}");
    }
}

#[test]
fn the_vectors_are_as_they_are_said_to_be() {
    let any = Regex::new(ANY_PREFIX).unwrap();
    let patterns = patterns();
    let vectors = table("Vectors");
    assert_eq!(vectors.len(), 13);
    for row in vectors {
        let [text, verdict] = row.try_into().unwrap();
        let with_checksum = patterns.values().filter(|(_, checksum)| *checksum);
        let is_found = is_whole(&any, &text) || with_checksum.into_iter().any(|(it, _)| is_whole(it, &text));
        let found = match is_found {
            false => "no match",
            true if has_checksum(&text) => "good",
            true => "bad checksum",
        };
        assert_eq!(found, verdict, "{text}");
    }
}
