//! Commands to a server that runs already, over a socket in its data directory.
//!
//! One connection carries one request and one answer, each a JSON text that ends where its sender stops sending:
//! `{"command": …, "arguments": …}`, then `{"ok": …}` or `{"error": "a sentence"}`. [`commands`] is the table of
//! what can be asked, [`server`] answers it in a running server, and [`client`] asks it: there, or of an engine
//! of its own under the data directory's lock where no server runs.

pub mod client;
pub mod commands;
mod error;
pub mod server;

use std::sync::Arc;
use std::time::Duration;

use claviger_engine::Engine;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::settings::KekSource;

pub use error::{ControlError, Failure};

/// The largest request or answer: twice the largest import file, which is the largest thing that is sent.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long a request may take to arrive, and an answer to be taken.
const TRANSFER_PATIENCE: Duration = Duration::from_secs(30);

/// What commands work with.
#[derive(Clone)]
pub struct Context {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Where the master keys come from.
    pub kek: KekSource,
}

#[derive(Serialize, Deserialize)]
struct Request {
    command: String,
    #[serde(default)]
    arguments: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ok(Value),
    Error(String),
}
