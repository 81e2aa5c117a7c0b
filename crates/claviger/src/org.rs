//! `claviger org`: the orgs of a server, for the machine's operator.
//!
//! The commands are done by whoever has the database: a running server, over its socket, or this process.

mod commands;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::control::client;
use crate::error::StartError;
use crate::settings::Settings;
use crate::terminal::Terminal;

pub(crate) use commands::{change, create, list};

/// What to do with orgs.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum OrgCommand {
    /// Make an org with its first admin and that admin's keys, which are shown this once, as JSON
    Create {
        /// Its name
        name: String,
        /// The admin's address
        #[arg(long, value_name = "ADDRESS")]
        admin: String,
    },
    /// Show every org, in the order in which they were made
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Give an org another name
    Rename {
        /// Its id
        id: String,
        /// The new name
        name: String,
    },
    /// Show the subdomain by which the Zendesk dialect knows an org, or give it another
    Subdomain {
        /// Its id
        id: String,
        /// The new subdomain: a label in lower case
        #[arg(conflicts_with = "none")]
        subdomain: Option<String>,
        /// Take its subdomain away
        #[arg(long)]
        none: bool,
    },
    /// Stop every credential of an org at once, until it is enabled again
    Disable {
        /// Its id
        id: String,
    },
    /// Let an org's credentials be good again
    Enable {
        /// Its id
        id: String,
    },
}

/// The names of the commands on the control socket.
pub(crate) const CREATE: &str = "org create";
pub(crate) const LIST: &str = "org list";
pub(crate) const CHANGE: &str = "org change";

/// Does it, and tells what came of it.
///
/// # Errors
/// When it was refused, or failed.
pub async fn run(
    settings: &Settings,
    command: &OrgCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    // A mistyped directory would become a new, empty database.
    if !settings.data.exists() {
        return Err(StartError::NoDataDir { path: settings.data.clone() });
    }
    let call = async |name, arguments| client::call(settings, name, arguments).await;
    match command {
        OrgCommand::Create { name, admin } => {
            let made = call(CREATE, json!({ "name": name, "admin_email": admin })).await?;
            // The org is there now, and its keys nowhere else.
            terminal.write(&pretty(&made)).map_err(StartError::DoneButUntold)
        }
        OrgCommand::List { json } => {
            let found = call(LIST, json!({})).await?;
            let text = if *json { pretty(&found) } else { Zeroizing::new(table(&found)) };
            terminal.write(&text).map_err(StartError::Output)
        }
        OrgCommand::Rename { id, name } => {
            tell(terminal, &call(CHANGE, json!({ "id": id, "name": name })).await?)
        }
        OrgCommand::Subdomain { id, subdomain, none } => {
            let arguments = match (subdomain, none) {
                (Some(subdomain), _) => json!({ "id": id, "subdomain": subdomain }),
                (None, true) => json!({ "id": id, "subdomain": null }),
                // Nothing to change, so that it is only shown.
                (None, false) => json!({ "id": id }),
            };
            let org = call(CHANGE, arguments).await?;
            let subdomain = org["subdomain"].as_str().unwrap_or("-");
            terminal.write(&format!("{subdomain}\n")).map_err(StartError::Output)
        }
        OrgCommand::Disable { id } => {
            tell(terminal, &call(CHANGE, json!({ "id": id, "disabled": true })).await?)
        }
        OrgCommand::Enable { id } => {
            tell(terminal, &call(CHANGE, json!({ "id": id, "disabled": false })).await?)
        }
    }
}

fn pretty(value: &Value) -> Zeroizing<String> {
    Zeroizing::new(serde_json::to_string_pretty(value).expect("a JSON value is always JSON") + "\n")
}

fn tell(terminal: &mut Terminal<'_>, org: &Value) -> Result<(), StartError> {
    terminal.write(&line(org)).map_err(StartError::Output)
}

fn table(found: &Value) -> String {
    found["orgs"].as_array().into_iter().flatten().map(line).collect()
}

fn line(org: &Value) -> String {
    let text = |name: &str| org[name].as_str().unwrap_or_default();
    let state = if org["disabled"] == true { "disabled" } else { "enabled" };
    let subdomain = org["subdomain"].as_str().map(|it| format!("{it}  ")).unwrap_or_default();
    format!("{}  {}  {state:8}  {subdomain}{}\n", text("id"), org["number"], text("name"))
}
