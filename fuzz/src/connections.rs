//! Bodies that create and change connections, against the catalog. What is checked stands with the catalog's tests.
#![no_main]

mod seeds;

#[path = "../../crates/catalog/tests/fuzzed/connections/check/mod.rs"]
mod check;

libfuzzer_sys::fuzz_target!(init: seeds::write(check::seeds::all(), check::seeds::words()), |bytes: &[u8]| {
    check::run(bytes);
});
