//! Bodies that create and change connections, against the catalog. What is checked stands with the catalog's tests.
#![no_main]

use std::fmt::Write;
use std::path::PathBuf;

#[path = "../../crates/catalog/tests/fuzzed/check/mod.rs"]
mod check;

/// Names the folder into which the seeds and the dictionary are written before fuzzing begins.
const SEEDS: &str = "CLAVIGER_FUZZ_SEEDS";

libfuzzer_sys::fuzz_target!(init: write_seeds(), |bytes: &[u8]| {
    check::run(bytes);
});

fn write_seeds() {
    let Some(folder) = std::env::var_os(SEEDS).map(PathBuf::from) else { return };
    for (name, bytes) in check::seeds::all() {
        std::fs::write(folder.join(name), bytes).expect("the folder for seeds can be written to");
    }
    let mut dictionary = String::new();
    for word in check::seeds::words() {
        let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        writeln!(dictionary, "\"{escaped}\"").expect("a text takes what is written");
    }
    std::fs::write(folder.join("dictionary"), dictionary).expect("the folder for seeds can be written to");
}
