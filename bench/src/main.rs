//! Measures the server beside what it is measured against, in one run, taking turns.
//!
//! Started by `cargo xtask bench`, which builds everything and lends a PostgreSQL that syncs to disk. What is
//! measured, and how, is in `docs/benchmarks.md`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "telling the developer figures is its job")]

mod bare;
mod broker;
mod connections;
mod creates;
mod fill;
mod lists;
mod load;
mod options;
mod process;
mod roles;
mod server;
mod start;
mod table;
mod verify;

use std::error::Error;
use std::process::ExitCode;

use options::{Options, Part};

// The same as the product's, so that the bare server is not compared by its allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measurements only pass errors on, to be read by a person.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [bare::COMMAND, answer] => bare::serve_blocking(answer.as_ref()),
        _ => Options::parse(&arguments).and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let mut report = table::Report::default();
    for part in &options.parts {
        match part {
            Part::Start => start::measure(options, &mut report)?,
            Part::Verify => verify::measure(options, &mut report)?,
            Part::Creates => creates::measure(options, &mut report)?,
            Part::Lists => lists::measure(options, &mut report)?,
            Part::Roles => roles::measure(options, &mut report)?,
            Part::Connections => connections::measure(options, &mut report)?,
            Part::Broker => broker::measure(options, &mut report)?,
        }
    }
    let missed = report.print_verdicts();
    // Small numbers prove nothing, either way.
    match missed {
        0 => Ok(()),
        _ if options.is_quick => Ok(()),
        missed => Err(format!("{missed} of what is wanted is missed").into()),
    }
}
