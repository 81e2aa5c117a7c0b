//! `ledger verify`: whether anybody edited the record, or what it speaks of.

use std::fmt::Write as _;

use claviger_store::{Check, Report, Snapshot};

use super::unlock;
use crate::checkpoints;
use crate::error::StartError;
use crate::settings::{Settings, VerifyCommand};
use crate::terminal::Terminal;

pub(super) async fn run(
    command: &VerifyCommand,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let mut signed = Vec::new();
    for path in &command.checkpoint {
        let read = checkpoints::read(path);
        signed.extend(read.map_err(|source| StartError::Checkpoints { path: path.clone(), source })?);
    }
    let snapshot = Snapshot::open(&settings.database).await?;
    let vault = unlock(&snapshot, settings).await?;
    let check = Check { vault: &vault, checkpoints: &signed, is_state_wanted: command.state };
    let report = snapshot.verify_ledger(&check).await?;
    terminal.write(&text(&report)).map_err(StartError::Output)?;
    match report.is_clean() {
        true => Ok(()),
        false => Err(StartError::NotAsWritten { count: report.found }),
    }
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    let head = report.head.map(|head| format!(", the last {head}")).unwrap_or_default();
    let (entries, checkpoints, rows) = (report.entries, report.checkpoints, report.rows);
    let _ = writeln!(text, "{entries} entries are as they were written{head}");
    let _ = writeln!(text, "{checkpoints} checkpoints met their entry, {rows} rows were compared");
    for note in &report.notes {
        let _ = writeln!(text, "note: {note}");
    }
    for finding in &report.findings {
        let _ = writeln!(text, "WRONG {finding}");
    }
    if report.found > report.findings.len() as u64 {
        let _ = writeln!(text, "WRONG and {} more", report.found - report.findings.len() as u64);
    }
    text
}
