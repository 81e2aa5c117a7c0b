//! `claviger import`: the file is read here, and imported by whoever has the database.

use std::fs;
use std::path::{Path, PathBuf};

use claviger_engine::{GeneratedSecret, ImportError, Imported};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::control::{Context, Failure, client};
use crate::error::StartError;
use crate::private_file;
use crate::settings::Settings;
use crate::strict_json;
use crate::terminal::{self, Terminal};

/// The command's name on the control socket.
pub(crate) const COMMAND: &str = "import";

/// The largest file: about 100,000 keys. All of it is in memory several times while it is imported.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Faults that are shown; whoever has more begins with these.
const FAULTS_SHOWN_MAX: usize = 1000;

/// What to import, and where to put the secrets that are made.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct ImportArgs {
    /// The JSON file
    pub file: PathBuf,
    /// Write the secrets that are made into this new file, and not to standard output
    #[arg(long, value_name = "FILE")]
    pub secrets_out: Option<PathBuf>,
    /// Only tell what would be imported, or everything that is wrong
    #[arg(long, conflicts_with = "secrets_out")]
    pub dry_run: bool,
}

/// Imports a file, and shows the secrets that were made for it.
///
/// # Errors
/// When the file or its contents are refused; nothing was imported then.
pub async fn run(
    settings: &Settings,
    arguments: &ImportArgs,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let document = read(&arguments.file)?;
    if arguments.dry_run {
        return try_out(settings, document).await;
    }
    let out = arguments.secrets_out.as_deref();
    if let Some(path) = out {
        reserve(path)?;
    }
    let answer = client::call(settings, COMMAND, json!({ "document": document })).await;
    if let (Some(path), Err(_)) = (out, &answer) {
        let _ = fs::remove_file(private_file::unfinished(path));
    }
    let answer = answer?;
    let secrets = &answer["secrets"];
    let has_secrets = secrets.as_array().is_some_and(|secrets| !secrets.is_empty());
    if has_secrets {
        let text = serde_json::to_string_pretty(&json!({ "secrets": secrets }));
        let text = Zeroizing::new(text.expect("a JSON value is always JSON") + "\n");
        match out {
            Some(path) => private_file::write(path, text.as_bytes())
                .map_err(|source| StartError::Write { path: path.to_owned(), source })?,
            None => terminal.write(&text).map_err(StartError::DoneButUntold)?,
        }
    } else if let Some(path) = out {
        let _ = fs::remove_file(private_file::unfinished(path));
    }
    terminal::tell(&summary("imported", &answer["created"]));
    Ok(())
}

/// Tells what an import would bring. Nothing is made for it, and so no database either.
async fn try_out(settings: &Settings, document: Value) -> Result<(), StartError> {
    if !settings.data.exists() {
        return Err(StartError::NoDataDir { path: settings.data.clone() });
    }
    let arguments = json!({ "document": document, "dry_run": true });
    let answer = client::call(settings, COMMAND, arguments).await?;
    terminal::tell(&summary("would import", &answer["created"]));
    Ok(())
}

fn read(path: &Path) -> Result<Value, StartError> {
    let failed = |source| StartError::Read { path: path.to_owned(), source };
    let refused = |why: String| StartError::ImportFile { path: path.to_owned(), why };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        let max = FILE_BYTES_MAX / (1024 * 1024);
        return Err(refused(format!("is larger than {max} MiB: import its orgs in several files")));
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(failed)?);
    strict_json::parse(&bytes).map_err(|error| refused(format!("is not JSON: {error}")))
}

/// Makes sure that the secrets can be put there before there are any.
fn reserve(path: &Path) -> Result<(), StartError> {
    if path.exists() {
        return Err(StartError::SecretsOutExists { path: path.to_owned() });
    }
    private_file::write_unfinished(path, b"")
        .map_err(|source| StartError::Write { path: path.to_owned(), source })
}

/// What was imported, as a sentence.
fn summary(verb: &str, created: &Value) -> String {
    let count = |kind: &str, one: &str, many: &str| match created[kind].as_u64().unwrap_or(0) {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let parts: Vec<_> = [
        count("orgs", "org", "orgs"),
        count("roles", "role", "roles"),
        count("users", "user", "users"),
        count("api_keys", "API key", "API keys"),
        count("application_keys", "application key", "application keys"),
        count("access_tokens", "access token", "access tokens"),
        count("registrations", "registration", "registrations"),
        count("zis_integrations", "ZIS integration", "ZIS integrations"),
        count("connections", "connection", "connections"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { "nothing to import".to_owned() } else { format!("{verb} {}", parts.join(", ")) }
}

/// Imports where the database is.
pub(crate) async fn execute(context: Context, arguments: Value) -> Result<Value, Failure> {
    let document = &arguments["document"];
    let imported = match arguments["dry_run"] == true {
        true => context.engine.try_import(document).await,
        false => context.engine.import(document).await,
    };
    match imported {
        Ok(imported) => {
            if let Some(position) = imported.position {
                tracing::info!(%position, orgs = imported.orgs, users = imported.users, "imported");
            }
            Ok(answer(&imported))
        }
        Err(ImportError::Other(error)) => Err(error.into()),
        Err(ImportError::Faults(faults)) => {
            let mut lines: Vec<_> =
                faults.iter().take(FAULTS_SHOWN_MAX).map(|fault| format!("\n  {fault}")).collect();
            if faults.len() > FAULTS_SHOWN_MAX {
                lines.push(format!("\n  and {} more", faults.len() - FAULTS_SHOWN_MAX));
            }
            let count = match faults.len() {
                1 => "1 fault".to_owned(),
                count => format!("{count} faults"),
            };
            Err(Failure::new(format!("the file has {count}, and nothing was imported:{}", lines.concat())))
        }
    }
}

fn answer(imported: &Imported) -> Value {
    let secret = |made: &GeneratedSecret| {
        json!({
            "org_id": made.org.to_string(),
            "kind": made.kind,
            "id": made.id,
            "name": made.name,
            "secret": made.secret.reveal(),
        })
    };
    json!({
        "created": {
            "orgs": imported.orgs,
            "roles": imported.roles,
            "users": imported.users,
            "api_keys": imported.api_keys,
            "application_keys": imported.application_keys,
            "access_tokens": imported.access_tokens,
            "registrations": imported.registrations,
            "zis_integrations": imported.zis_integrations,
            "connections": imported.connections,
        },
        "secrets": imported.secrets.iter().map(secret).collect::<Vec<_>>(),
        "position": imported.position.map(|position| position.to_string()),
    })
}
