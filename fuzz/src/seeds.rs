//! What each target begins with, for whoever runs it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

/// Names the folder into which the seeds and the dictionary are written before fuzzing begins.
const SEEDS: &str = "CLAVIGER_FUZZ_SEEDS";

/// Writes them, if anybody wants them.
pub fn write(all: Vec<(String, Vec<u8>)>, words: BTreeSet<String>) {
    let Some(folder) = std::env::var_os(SEEDS).map(PathBuf::from) else { return };
    for (name, bytes) in all {
        std::fs::write(folder.join(name), bytes).expect("the folder for seeds can be written to");
    }
    let mut dictionary = String::new();
    for word in words {
        let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        writeln!(dictionary, "\"{escaped}\"").expect("a text takes what is written");
    }
    std::fs::write(folder.join("dictionary"), dictionary).expect("the folder for seeds can be written to");
}
