//! Databases with many keys, filled in bulk: the rows that the server would write, but for the ledger.
//!
//! A database belongs to a data directory that the server itself made, with its master keys, so that what is filled
//! in has the real schema, real digests and values that open. Filled ones on SQLite are kept for the next run.

mod postgres;
mod rows;
mod sqlite;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use claviger_model::{CredentialKind, OrgId, UserId};
use claviger_store::Location;

use crate::Result;
use crate::options::Options;
use rows::Rows;

/// How many keys of each kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) api_keys: usize,
    pub(crate) application_keys: usize,
    /// With scopes, an allow-list and a limit.
    pub(crate) tokens: usize,
    /// How many users application keys and tokens belong to.
    pub(crate) owners: usize,
}

/// As many tokens as are used in a measurement; most keys have no guards.
const TOKENS_MAX: usize = 32_768;
/// So many users have application keys unless more are asked for.
const OWNERS: usize = 1_000;

impl Shape {
    /// Half API keys, half what belongs to users.
    pub(crate) fn mixed(keys: usize) -> Self {
        let tokens = TOKENS_MAX.min(keys / 4);
        Self { api_keys: keys / 2, application_keys: keys / 2 - tokens, tokens, owners: OWNERS }
    }

    /// API keys only.
    pub(crate) fn api_keys(api_keys: usize) -> Self {
        Self { api_keys, application_keys: 0, tokens: 0, owners: 0 }
    }

    /// Users with an application key each.
    pub(crate) fn users(owners: usize) -> Self {
        Self { api_keys: 2, application_keys: owners, tokens: 0, owners }
    }
}

/// A data directory with a filled database.
pub(crate) struct Filled {
    pub(crate) data: PathBuf,
    /// Secrets of live keys, in random order.
    pub(crate) api_keys: Vec<String>,
    pub(crate) application_keys: Vec<String>,
    pub(crate) tokens: Vec<String>,
    /// The first admin's pair.
    pub(crate) admin: (String, String),
    /// Set where the database is not in the data directory.
    pub(crate) postgres: Option<String>,
}

/// Who is in a database that is not filled.
pub(crate) struct Admin {
    pub(crate) pair: (String, String),
    /// The id of the org.
    pub(crate) org: String,
}

/// Secrets that are remembered of each kind; more are not used.
const REMEMBERED: usize = 65_536;
/// The mark of a data directory that was filled to the end.
const DONE: &str = "filled";

/// The org that is filled, and who is in it.
struct Org {
    id: OrgId,
    admin: UserId,
}

/// A SQLite database with nobody but the first admin.
pub(crate) fn empty(options: &Options, data: &Path) -> Result<Admin> {
    init(options, data, None)?;
    let bootstrap = bootstrap(data)?;
    Ok(Admin {
        pair: (field(&bootstrap, "api_key")?, field(&bootstrap, "application_key")?),
        org: field(&bootstrap, "org_id")?,
    })
}

/// A filled SQLite database, perhaps from an earlier run.
pub(crate) fn directory(options: &Options, shape: Shape) -> Result<Filled> {
    let Shape { api_keys, application_keys, tokens, owners } = shape;
    let data = options.folder.join(format!("{api_keys}-{application_keys}-{tokens}-{owners}"));
    if !data.join(DONE).exists() {
        match fs::remove_dir_all(&data) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        init(options, &data, None)?;
        let location = Location::Sqlite(data.join("claviger.db"));
        let mut sink = sqlite::Sink::open(&data.join("claviger.db"))?;
        Rows::unlock(&data, &location, org(&data)?)?.write(shape, &mut sink)?;
        sink.finish()?;
        // Opening hands what was filled in over to the index of names.
        Rows::unlock(&data, &location, org(&data)?)?;
        fs::write(data.join(DONE), "")?;
    }
    remembered(&data, None)
}

/// A filled PostgreSQL database, for a data directory that goes when the caller lets it go.
pub(crate) fn postgres(options: &Options, url: &str, data: &Path, shape: Shape) -> Result<Filled> {
    let url = postgres::create_database(url)?;
    init(options, data, Some(&url))?;
    postgres::wait_until_unused(&url)?;
    let mut sink = postgres::Sink::default();
    Rows::unlock(data, &Location::Postgres(url.clone()), org(data)?)?.write(shape, &mut sink)?;
    sink.finish(&url)?;
    postgres::wait_until_unused(&url)?;
    remembered(data, Some(url))
}

fn init(options: &Options, data: &Path, postgres: Option<&str>) -> Result<()> {
    if let Some(parent) = data.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut command = Command::new(&options.server);
    command.arg("init").arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::null());
    command.args(postgres.iter().flat_map(|url| ["--database", url]));
    let output = command.stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("claviger init: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

fn bootstrap(data: &Path) -> Result<serde_json::Value> {
    Ok(serde_json::from_str(&fs::read_to_string(data.join("bootstrap.json"))?)?)
}

fn field(bootstrap: &serde_json::Value, name: &str) -> Result<String> {
    let text = bootstrap[name].as_str();
    Ok(text.ok_or_else(|| format!("bootstrap.json has no {name}"))?.to_owned())
}

fn org(data: &Path) -> Result<Org> {
    let bootstrap = bootstrap(data)?;
    let parsed = |name| -> Result<String> { field(&bootstrap, name) };
    Ok(Org {
        id: parsed("org_id")?.parse().map_err(|_| "bootstrap.json has a bad org_id")?,
        admin: parsed("user_id")?.parse().map_err(|_| "bootstrap.json has a bad user_id")?,
    })
}

fn remember(data: &Path, kind: CredentialKind, secrets: &[String]) -> Result<()> {
    Ok(fs::write(data.join(format!("{kind}s")), secrets.join("\n"))?)
}

fn remembered(data: &Path, postgres: Option<String>) -> Result<Filled> {
    let lines = |kind: CredentialKind| -> Result<Vec<String>> {
        Ok(fs::read_to_string(data.join(format!("{kind}s")))?.lines().map(str::to_owned).collect())
    };
    let bootstrap = bootstrap(data)?;
    Ok(Filled {
        data: data.to_owned(),
        api_keys: lines(CredentialKind::ApiKey)?,
        application_keys: lines(CredentialKind::ApplicationKey)?,
        tokens: lines(CredentialKind::PersonalAccessToken)?,
        admin: (field(&bootstrap, "api_key")?, field(&bootstrap, "application_key")?),
        postgres,
    })
}
