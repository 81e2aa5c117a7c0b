//! The table of commands: what can be asked over the socket, and who does it.

use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;

use super::{Context, Failure};
use crate::kek::{cli, commands as kek};
use crate::{import, org, password};

/// One command.
pub struct Command {
    /// Its name in a request.
    pub name: &'static str,
    /// How long it may take.
    patience: Duration,
    run: fn(Context, Value) -> Running,
}

type Running = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

/// Every command. One that changes data does it in one change, or so that running it again completes it: nobody
/// promises that the server lives until its end.
pub const COMMANDS: &[Command] = &[
    Command {
        name: import::COMMAND,
        patience: LONG,
        run: |context, arguments| Box::pin(import::execute(context, arguments)),
    },
    Command {
        name: org::CREATE,
        patience: LONG,
        run: |context, arguments| Box::pin(org::create(context, arguments)),
    },
    Command {
        name: org::LIST,
        patience: LONG,
        run: |context, arguments| Box::pin(org::list(context, arguments)),
    },
    Command {
        name: org::CHANGE,
        patience: LONG,
        run: |context, arguments| Box::pin(org::change(context, arguments)),
    },
    Command {
        name: password::COMMAND,
        patience: LONG,
        run: |context, arguments| Box::pin(password::set(context, arguments)),
    },
    Command {
        name: cli::VERIFY,
        patience: LONG,
        run: |context, arguments| Box::pin(kek::verify(context, arguments)),
    },
    Command {
        name: cli::ROTATE,
        patience: LONG,
        run: |context, arguments| Box::pin(kek::rotate(context, arguments)),
    },
    Command {
        name: cli::REMOVE,
        patience: LONG,
        run: |context, arguments| Box::pin(kek::remove(context, arguments)),
    },
];

/// The largest import takes a small machine about a minute, and whatever comes after it waits for it.
const LONG: Duration = Duration::from_secs(600);

/// Does what a request asks.
///
/// # Errors
/// When there is no such command, or it was not done.
pub async fn execute(context: Context, name: &str, arguments: Value) -> Result<Value, Failure> {
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        return Err(Failure::new(format!(
            "the server knows no command `{name}`: it may be of another version than this program"
        )));
    };
    match tokio::time::timeout(command.patience, (command.run)(context, arguments)).await {
        Ok(done) => done,
        Err(_) => Err(Failure::new(format!(
            "the command was given up after {} seconds: see by running it again whether it was done",
            command.patience.as_secs()
        ))),
    }
}
