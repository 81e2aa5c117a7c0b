//! Developer tasks, run as `cargo xtask <task>`.
//!
//! Each task is a module. They share [`process`], which runs commands and makes sure that no server outlives
//! its task.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "telling the developer what happens is its job"
)]

mod bench;
mod conformance;
mod fuzz;
mod go;
mod postgres;
mod process;
mod setup;
mod test;
mod waived;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use postgres::Durability;

/// Tasks only pass errors on, to be read by a person.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
Usage: cargo xtask <task>

  setup                          install what the tests need and this machine lacks
  test [--quick]                 every check, in order; --quick: only `cargo test`, with PostgreSQL
  conformance [--release] [--only SUITE]
                                 clients against the real server, on each engine; SUITE: python, typescript, go, java,
                                 recorded, zendesk, zendesk-subdomains, zendesk-oauth, broker,
                                 upstream (the tests of what plays the third parties, without a server; only by name)
  bench [--only PARTS] [--quick] measure the release build; PARTS: start, verify, creates, lists, roles, connections,
                                 broker;
                                 --quick: small numbers, only to see that it works
  fuzz TARGET [--seconds N] [--seed N]
                                 look for bodies that break a promise, for 60 s and with seed 1 unless said
                                 otherwise; TARGET: connections, zis
  postgres [--durable] -- CMD    run CMD with CLAVIGER_TEST_POSTGRES naming a throw-away PostgreSQL;
                                 --durable: it syncs to disk, for measuring";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[OsString]) -> Result<ExitCode> {
    // A word that is not UTF-8 names no task; as part of CMD it is passed on unread.
    let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        ["setup"] => setup::run()?,
        ["test"] => test::everything()?,
        ["test", "--quick"] => test::quick()?,
        ["conformance", options @ ..] => conformance::run(options)?,
        ["bench", options @ ..] => bench::run(options)?,
        ["fuzz", options @ ..] => fuzz::run(options)?,
        ["postgres", "--", _, ..] => return postgres::lend(Durability::None, &arguments[2..]),
        ["postgres", "--durable", "--", _, ..] => return postgres::lend(Durability::Full, &arguments[3..]),
        ["help" | "--help" | "-h"] => println!("{USAGE}"),
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}
