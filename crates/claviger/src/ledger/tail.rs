//! `ledger tail`: the newest entries, as lines to read or as JSON.

use std::io::ErrorKind;
use std::time::Duration;

use claviger_model::Timestamp;
use claviger_store::{Entry, Snapshot};
use serde_json::{Value as Json, json};

use crate::error::StartError;
use crate::settings::{Settings, TailCommand};
use crate::terminal::Terminal;

/// How often it is looked for new entries.
const PERIOD: Duration = Duration::from_millis(250);
/// Entries that are held at once.
const PAGE: u32 = 500;

pub(super) async fn run(
    command: &TailCommand,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let mut snapshot = Snapshot::open(&settings.database).await?;
    let mut after = snapshot.last_sequence().await?.saturating_sub(command.lines.into()).max(0);
    let is_json = command.json || !terminal.is_watched();
    loop {
        let entries = snapshot.list_entries(after, PAGE).await?;
        for entry in &entries {
            after = entry.position.sequence;
            let line = if is_json { json_of(entry).to_string() } else { line(entry) };
            match terminal.write(&(line + "\n")) {
                // Whoever read it has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written.map_err(StartError::Output)?,
            }
        }
        if entries.len() < PAGE as usize {
            if !command.follow {
                return Ok(());
            }
            tokio::time::sleep(PERIOD).await;
            snapshot.renew().await?;
        }
    }
}

fn json_of(entry: &Entry) -> Json {
    let parsed = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_else(|_| text.into());
    json!({
        "position": entry.position.to_string(),
        "id": entry.id.to_string(),
        "at": moment(entry.at),
        "org": entry.org.map(|org| org.to_string()),
        "action": entry.action.as_str(),
        "subject": { "kind": entry.subject.kind, "id": entry.subject.id },
        "actor": parsed(&entry.actor),
        "change": parsed(&entry.change),
    })
}

fn line(entry: &Entry) -> String {
    let actor = serde_json::from_str::<Json>(&entry.actor).unwrap_or_default();
    let user = actor["user"].as_str().map_or("the server".to_owned(), |user| format!("user {user}"));
    let from = actor["from"].as_str().map(|from| format!(" from {from}")).unwrap_or_default();
    format!(
        "{:<10} {}  {:<20} {} {}  by {user}{from}",
        entry.position.to_string(),
        moment(entry.at),
        entry.action.as_str(),
        entry.subject.kind,
        entry.subject.id,
    )
}

/// RFC 3339 in UTC, to the microsecond.
fn moment(at: Timestamp) -> String {
    let t = at.utc();
    let (date, time) = (t.date(), t.time());
    format!("{date}T{:02}:{:02}:{:02}.{:06}Z", time.hour(), time.minute(), time.second(), time.microsecond())
}
