//! What is masked, and what is left alone, seen from outside.
#![allow(clippy::unwrap_used, reason = "what cannot be is a failed test")]

mod forms;
mod near_misses;
mod properties;
mod reference;
mod streams;
mod texts;

use bytes::Bytes;
use claviger_redact::{Needles, Redactor};

/// A secret as vendors issue them, with what encodings treat differently.
const SECRET: &str = r#"gl-pat/9Kx+42&"Zq\w=~ é€😀_Tz"#;
/// A secret that only letters, digits and `-` are in.
const PLAIN: &str = "ghp-16C7e42F292c6912E7710c838347Ae178B4a";

/// What goes out for a body that comes in chunks of these lengths, the last of which is repeated.
fn masked_in_chunks(needles: &Needles, body: &[u8], lengths: &[usize]) -> Vec<u8> {
    let mut redactor = Redactor::new(needles.clone());
    let mut out = Vec::new();
    let mut rest = Bytes::copy_from_slice(body);
    let mut lengths = lengths.iter().copied();
    let mut length = 1;
    while !rest.is_empty() {
        length = lengths.next().unwrap_or(length).max(1);
        let mut chunk = rest.split_to(length.min(rest.len()));
        while !chunk.is_empty() {
            redactor.push(&mut chunk).for_each(|piece| out.extend_from_slice(&piece));
            assert!(redactor.held() <= needles.held_max(), "{} bytes held back", redactor.held());
        }
    }
    redactor.finish().for_each(|piece| out.extend_from_slice(&piece));
    assert_eq!(redactor.held(), 0);
    out
}

/// What goes out for a body that comes at once, which must be the same as for one that comes byte by byte, and as for
/// a header's value.
fn masked(secrets: &[&str], body: &[u8]) -> String {
    let needles = Needles::new(secrets);
    let at_once = masked_in_chunks(&needles, body, &[body.len()]);
    assert_eq!(masked_in_chunks(&needles, body, &[1]), at_once, "byte by byte");
    let value = Redactor::new(needles).mask_header(body);
    assert_eq!(value.is_some(), at_once != body);
    assert_eq!(value.unwrap_or_else(|| body.to_vec()), at_once, "as a header's value");
    String::from_utf8_lossy(&at_once).into_owned()
}
