//! The `claviger` program. Everything it does stands in the library of the same name.

use std::error::Error;
use std::process::ExitCode;

use claviger::settings::Settings;
use claviger::terminal::{self, Terminal};
use claviger::{logging, start};

// Measured better than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the system refused, or what failed.
const FAILED: u8 = 1;
/// What was asked for is not understood, or does not fit together.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let (command, settings) = match Settings::from_process() {
        Ok(told) => told,
        Err(error) => return fail(USAGE, &error),
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
