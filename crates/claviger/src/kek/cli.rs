//! The command line of `claviger kek`, and what it tells.

use claviger_vault::KekId;
use serde_json::{Value, json};

use crate::control::client;
use crate::error::StartError;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// What to do with master keys.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum KekCommand {
    /// See that every key of the database opens, and with which master keys
    Verify,
    /// Make a new master key and wrap everything with it; after an interruption, run it again
    Rotate,
    /// Forget a master key that nothing needs any more
    Remove {
        /// Its id
        id: KekId,
    },
}

/// The names of the commands on the control socket.
pub(crate) const VERIFY: &str = "kek verify";
pub(crate) const ROTATE: &str = "kek rotate";
pub(crate) const REMOVE: &str = "kek remove";

/// Does it, and tells what came of it.
///
/// # Errors
/// When it was refused, or failed.
pub async fn run(
    settings: &Settings,
    command: &KekCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    // A mistyped directory would become a new, empty database, of which all this is true.
    if !settings.data.exists() {
        return Err(StartError::NoDataDir { path: settings.data.clone() });
    }
    let text = match command {
        KekCommand::Verify => verified(&client::call(settings, VERIFY, json!({})).await?),
        KekCommand::Rotate => rotated(&client::call(settings, ROTATE, json!({})).await?),
        KekCommand::Remove { id } => {
            client::call(settings, REMOVE, json!({ "id": id.to_string() })).await?;
            format!(
                "removed {id}; backups from before the rotation can be read with it alone: keep a copy for as \
                 long as you keep them\n"
            )
        }
    };
    terminal.write(&text).map_err(StartError::Output)
}

fn verified(answer: &Value) -> String {
    let keks = answer["keks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |(place, kek): (usize, &Value)| {
        let wraps = if place == 0 { ", and wraps new ones" } else { "" };
        format!("{}  opens {} keys{wraps}\n", kek["id"].as_str().unwrap_or_default(), kek["keys"])
    };
    let lines: String = keks.iter().enumerate().map(line).collect();
    format!("every key of the database opens\n{lines}")
}

fn rotated(answer: &Value) -> String {
    let to = answer["to"].as_str().unwrap_or_default();
    let mut text = format!("{} keys are now wrapped by {to}, as is every other\n", answer["rewrapped"]);
    for old in answer["old"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text += &format!("{old} opens nothing any more: `claviger kek remove {old}` forgets it\n");
    }
    text
}
