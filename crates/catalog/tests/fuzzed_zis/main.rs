//! What the fuzz target `zis` checks, without the fuzzer: its seeds, its findings of old, and random bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]

mod check;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use claviger_catalog::ZisType;
use proptest::prelude::*;

use crate::check::{BUILT, run, seeds};

/// All types are there, and of each, bodies are taken and refused.
#[test]
fn seeds_hold_and_reach_every_type() {
    let seen: Vec<_> = seeds::all().iter().map(|(_, bytes)| run(bytes)).collect();
    for of in ZisType::BY_BODY {
        let count = |number: fn(&check::Seen) -> usize| {
            seen.iter().filter(|seen| seen.of == Some(of.as_str())).map(number).sum::<usize>()
        };
        assert!(count(|seen| seen.made) > 10, "{of:?} is never made");
        assert!(count(|seen| seen.changed) > 10, "{of:?} is never changed");
        assert!(count(|seen| seen.refused) > 10, "{of:?} is never refused");
    }
    assert!(seeds::words().contains("header_name"));
}

/// Inputs that once were findings, or show what a finding would look like. Each file's name says what of.
#[test]
fn findings_stay_fixed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzzed_zis/regressions");
    let files: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        run(&fs::read(file).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is built of them is read as the model says.
    #[test]
    fn reading_agrees_with_the_model(mut bytes in prop::collection::vec(any::<u8>(), 2..400)) {
        bytes[1] = BUILT;
        run(&bytes);
    }

    /// Any text in any member's place.
    #[test]
    fn any_text_is_read_as_the_model_says(of in 0..3_u8, texts in prop::collection::vec(any::<String>(), 4)) {
        let members = [["name", "allowed_domain", "header_name", "api_key"], ["name", "allowed_domain", "username", "password"],
            ["name", "allowed_domain", "other", "token"]][usize::from(of)];
        let right = ["mine", "api.example.com", "x-key", "secret"];
        // One at a time, and all at once.
        let mut lines = vec![serde_json::Map::from_iter(members.iter().zip(&texts).map(|(member, text)| ((*member).into(), text.clone().into())))];
        for place in 0..4 {
            let value = |at: usize| if at == place { texts[at].clone() } else { right[at].to_owned() };
            lines.push((0..4).map(|at| (members[at].to_owned(), value(at).into())).collect());
        }
        let lines: Vec<_> = lines.into_iter().map(|line| serde_json::Value::Object(line).to_string()).collect();
        let seen = run(&[&[of, check::TEXTS][..], lines.join("\n").as_bytes()].concat());
        prop_assert_eq!(seen.made + seen.refused, 5);
    }
}
