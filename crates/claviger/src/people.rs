//! The commands that are a server's clients: they read no settings and open nothing of a server's.

use std::process::ExitCode;

use clap::CommandFactory;
use claviger_cli::Command;

use crate::settings::CommandLine;
use crate::terminal;

/// Does what was asked, on a runtime of its own, and says how it went.
pub fn run_blocking(command: Command) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(claviger_cli::run(command, CommandLine::command())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&error);
            error.exit_code().into()
        }
    }
}
