//! The `claviger` program. Everything it does stands in the library of the same name.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use claviger::settings::{Command, CommandLine, Settings};
use claviger::terminal::{self, Terminal};
use claviger::{logging, start};
use claviger::{password, people};

// Measured better than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the system refused, or what failed.
const FAILED: u8 = 1;
/// What was asked for is not understood, or does not fit together.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // Ends the program after a request for help and on a command line that is not understood.
    let line = CommandLine::parse();
    if let Command::People(command) = &line.command
        && password::of(command).is_none()
    {
        return people::run_blocking(command.clone());
    }
    let (command, settings) = match Settings::from_line(line) {
        Ok(told) => told,
        Err(errors) => {
            errors.iter().for_each(|error| terminal::complain(error));
            return USAGE.into();
        }
    };
    logging::start(&settings.log);
    match start::run_blocking(command, &settings, &mut Terminal::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &error),
    }
}

fn fail(code: u8, error: &dyn Error) -> ExitCode {
    terminal::complain(error);
    code.into()
}
