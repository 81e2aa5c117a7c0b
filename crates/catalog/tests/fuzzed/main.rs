//! What the fuzz target `connections` checks, without the fuzzer: its seeds, its findings of old, and random bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]

mod check;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::check::{BUILT, HTTP, run, seeds, types};

/// Each is a create and changes of one type. All types are there, and each is created, changed and refused.
#[test]
fn seeds_hold_and_reach_every_type() {
    let seen: Vec<_> = seeds::all().iter().map(|(_, bytes)| run(bytes)).collect();
    for (_, credential) in types() {
        let of = || seen.iter().filter(|seen| seen.kind.as_deref() == Some(credential.kind()));
        assert!(of().any(|seen| seen.created > 0), "{} is never created", credential.kind());
        assert!(of().any(|seen| seen.updated > 0), "{} is never changed", credential.kind());
        assert!(of().any(|seen| seen.refused > 0), "{} is never refused", credential.kind());
        let aims = !credential.host_fields().is_empty();
        assert_eq!(of().any(|seen| seen.repointed > 0), aims, "{}", credential.kind());
        let fills = credential.kind() == "HTTPTokenAuth";
        assert_eq!(of().any(|seen| seen.moved > 0), fills, "{}", credential.kind());
    }
    assert_eq!(types().len(), 25);
    assert!(seeds::words().contains("HTTPTokenAuth"));
}

/// Inputs that once were findings. Each file's name says what of.
#[test]
fn findings_stay_fixed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzzed/regressions");
    let files: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        run(&fs::read(file).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of all types: what the model refuses is refused and changes nothing; what it takes is taken, to the same end.
    #[test]
    fn merging_agrees_with_the_model(mut bytes in prop::collection::vec(any::<u8>(), 2..400)) {
        bytes[0] = if bytes[0] % 2 == 0 { BUILT } else { HTTP };
        run(&bytes);
    }
}
