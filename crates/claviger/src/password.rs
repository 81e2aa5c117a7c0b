//! `claviger user password`: the password by which an admin signs in, set by the machine's operator.
//!
//! It is never an argument, which other users of the machine and the shell's history would see. It is done by whoever has
//! the database: a running server, over its socket, or this process.

mod commands;
mod typed;

use claviger_cli::{Command, PasswordArgs, UserCommand};
use serde_json::json;

use crate::control::client;
use crate::error::StartError;
use crate::settings::Settings;
use crate::terminal::Terminal;

pub(crate) use commands::set;

/// The name of the command on the control socket.
pub(crate) const COMMAND: &str = "user password";

/// What is asked, where it is this command.
pub fn of(command: &Command) -> Option<&PasswordArgs> {
    match command {
        Command::User { command: UserCommand::Password(arguments), .. } => Some(arguments),
        _ => None,
    }
}

/// Does it, and tells what came of it.
///
/// # Errors
/// When there is no such person or no such password, or it failed.
pub async fn run(
    settings: &Settings,
    arguments: &PasswordArgs,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    // A mistyped directory would become a new, empty database.
    if !settings.data.exists() {
        return Err(StartError::NoDataDir { path: settings.data.clone() });
    }
    let PasswordArgs { address, inside, remove } = arguments;
    let password = if *remove { None } else { Some(typed::read(address)?) };
    let text = password.as_ref().map(|password| password.as_str());
    let asked = json!({ "email": address, "in": inside, "password": text });
    let done = client::call(settings, COMMAND, asked).await?;
    let told = match (remove, &done["admin"]) {
        (true, _) => "has no password now",
        (false, admin) if admin == false => {
            "has a new password, and is no admin, so that it opens nothing yet"
        }
        (false, _) => "has a new password",
    };
    let line = format!("{address} {told}; sessions ended: {}\n", done["sessions"]);
    terminal.write(&line).map_err(StartError::Output)
}
