//! Claviger for people: the common things that are done with users, roles, keys and tokens, on a running server and over
//! its API.
//!
//! What was typed stands in [`args`]; where a server is and who calls it, in a [`profile`]; each resource has a file of
//! its own that turns a command into requests and their answers into rows. Whatever the API refuses is told in the API's
//! words. A secret is printed once, by the command that made it.

mod args;
mod client;
mod error;
mod keys;
mod login;
mod output;
mod profile;
mod registrations;
mod roles;
mod tokens;
mod users;

use std::io::{self, Write};

pub use args::{Command, PasswordArgs, UserCommand};
pub use error::CliError;

use client::Client;
use output::Output;
use profile::Profiles;

/// Does what was asked. `program` is the whole command line, for whom completions are wanted.
///
/// # Errors
/// When it was refused, or failed; with an exit code of its own for each kind of reason.
pub async fn run(command: Command, mut program: clap::Command) -> Result<(), CliError> {
    let (call, command) = match command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut program, "claviger", &mut script);
            return io::stdout().write_all(&script).map_err(CliError::Output);
        }
        Command::Login(arguments) => return login::login(&arguments).await,
        Command::Profile { call, command } => return login::profiles(&call, &command),
        Command::Key { call, command } => (call, Resource::Key(command)),
        Command::User { call, command } => (call, Resource::User(command)),
        Command::Role { call, command } => (call, Resource::Role(command)),
        Command::Token { call, command } => (call, Resource::Token(command)),
    };
    let profile = Profiles::read(&call.file()?)?.choose(call.as_whom.as_deref())?;
    let client = Client::new(&profile)?;
    let output = Output::new(call.json);
    match command {
        Resource::Key(command) => keys::run(&client, &output, command).await,
        Resource::User(command) => users::run(&client, &output, command).await,
        Resource::Role(command) => roles::run(&client, &output, command).await,
        Resource::Token(command) => tokens::run(&client, &output, command).await,
    }
}

enum Resource {
    Key(args::KeyCommand),
    User(args::UserCommand),
    Role(args::RoleCommand),
    Token(args::TokenCommand),
}
