//! What the fuzz targets check, without the fuzzer: their seeds, their findings of old, and random bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]

mod connections;
mod zis;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::ProptestConfig;

/// Tries inputs that once were findings of a target, or show what a finding would look like. Each file's name says what
/// of.
fn try_findings(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzzed").join(target).join("regressions");
    let files: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        run(&fs::read(file).unwrap());
    }
}

/// How long random bytes are tried.
fn trials() -> ProptestConfig {
    ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() }
}
