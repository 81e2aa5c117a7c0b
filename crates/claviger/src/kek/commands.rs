//! `claviger kek …`: verifying, rotating and removing master keys, done by whoever has the database.

use std::path::Path;

use claviger_engine::{KekUse, KekWork, RewrapError};
use claviger_vault::{KekId, KekRing, SystemRandom};
use serde_json::{Value, json};

use super::{Age, from_file};
use crate::control::{Context, Failure};
use crate::private_file;
use crate::settings::KekSource;

/// `kek verify`: every key of the database opens with the master keys as they are kept now.
pub(crate) async fn verify(context: Context, _: Value) -> Result<Value, Failure> {
    let work = context.engine.kek_work().await;
    let keks = kept(&context.kek)?;
    let found = work.check(keks.as_ref()).await?;
    refuse_faults(&found)?;
    let ids = keks.map_or_else(|| work.kek_ids(), |keks| keks.ids().cloned().collect());
    let kek = |id: &KekId| json!({ "id": id.to_string(), "keys": found.keys.get(id).unwrap_or(&0) });
    Ok(json!({ "keks": ids.iter().map(kek).collect::<Vec<_>>() }))
}

/// `kek rotate`: a new master key, or one that a rotation before did not finish with, wraps everything.
pub(crate) async fn rotate(context: Context, _: Value) -> Result<Value, Failure> {
    let work = context.engine.kek_work().await;
    let Some(mut keks) = kept(&context.kek)? else {
        return Err(Failure::new(
            "the master key follows from CLAVIGER_KEK_PASSPHRASE, and there is no second one beside it: it cannot be rotated",
        ));
    };
    // What opens now must open afterwards, from what is kept and not only from what this process remembers.
    let found = work.check(Some(&keks)).await?;
    refuse_faults(&found)?;
    let is_resumed = found.keys.keys().any(|id| id != keks.first_id());
    if !is_resumed {
        match &context.kek {
            KekSource::File(path) => {
                keks.prepend_generated(&SystemRandom);
                keep(path, &keks)?;
            }
            KekSource::Text(_) | KekSource::Passphrase(_) => return Err(Failure::new(TEXT_ADVICE)),
        }
    }
    work.replace(keks.clone());
    let mut rewrapped = 0;
    loop {
        match rewrap_some(&work, &keks).await? {
            0 => break,
            count => rewrapped += count,
        }
    }
    let old: Vec<_> = keks.ids().skip(1).map(ToString::to_string).collect();
    let to = keks.first_id().to_string();
    tracing::info!(kek = to, rewrapped, resumed = is_resumed, "the master key was rotated");
    Ok(json!({ "to": to, "rewrapped": rewrapped, "resumed": is_resumed, "old": old }))
}

const TEXT_ADVICE: &str = "the master keys are given in CLAVIGER_KEK, which this program cannot change: write a new \
     line `claviger-kek-1:` and 64 lower-case hexadecimal digits (`openssl rand -hex 32`) above those that are \
     there, start the server again with it, and run this again";

async fn rewrap_some(work: &KekWork<'_>, keks: &KekRing) -> Result<usize, Failure> {
    work.rewrap_some(keks).await.map_err(|error| match error {
        RewrapError::Other(error) => error.into(),
        error => Failure::of(&error),
    })
}

/// `kek remove ID`: a master key that nothing needs any more is forgotten.
pub(crate) async fn remove(context: Context, arguments: Value) -> Result<Value, Failure> {
    let work = context.engine.kek_work().await;
    let id: KekId = arguments["id"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .map_err(|error| Failure::new(format!("{error}; `claviger kek verify` lists them")))?;
    let Some(mut keks) = kept(&context.kek)? else {
        return Err(Failure::new("the master key follows from CLAVIGER_KEK_PASSPHRASE, and is the only one"));
    };
    let found = work.check(Some(&keks)).await?;
    refuse_faults(&found)?;
    if let Some(count) = found.keys.get(&id) {
        return Err(Failure::new(format!(
            "{count} keys of the database are wrapped by {id}: run `claviger kek rotate` first, then remove it"
        )));
    }
    if !keks.remove(&id) {
        return Err(Failure::new(format!("there is no master key {id}: `claviger kek verify` lists them")));
    }
    let KekSource::File(path) = &context.kek else {
        return Err(Failure::new(format!(
            "no key of the database needs {id}: take its line out of CLAVIGER_KEK and start the server again"
        )));
    };
    // Recorded first: a removal that fails after this is one that was tried.
    if !work.record_removal(&id).await? {
        return Err(Failure::new(format!("a key of the database is wrapped by {id}: run this again")));
    }
    keep(path, &keks)?;
    work.replace(keks.clone());
    tracing::info!(kek = %id, "a master key was removed");
    Ok(json!({ "removed": id.to_string() }))
}

/// The master keys as they are kept now; none where they follow from a passphrase.
fn kept(source: &KekSource) -> Result<Option<KekRing>, Failure> {
    match source {
        KekSource::File(path) => {
            from_file(path, Age::Existing).map(Some).map_err(|error| Failure::of(&error))
        }
        KekSource::Text(text) => KekRing::parse(text).map(Some).map_err(|error| Failure::of(&error)),
        KekSource::Passphrase(_) => Ok(None),
    }
}

fn keep(path: &Path, keks: &KekRing) -> Result<(), Failure> {
    private_file::write(path, keks.to_text().as_bytes())
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}

fn refuse_faults(found: &KekUse) -> Result<(), Failure> {
    if found.faults.is_empty() {
        return Ok(());
    }
    let total: usize = found.keys.values().sum();
    // A few tell what is wrong; thousands of orgs with the same fault would not tell more.
    let lines: Vec<_> = found.faults.iter().take(10).map(|fault| format!("\n  {fault}")).collect();
    Err(Failure::new(format!(
        "{} of {total} keys of the database do not open with the master keys as they are kept now: put the \
         missing ones back:{}",
        found.faults.len(),
        lines.concat()
    )))
}
