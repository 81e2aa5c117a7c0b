//! What the program is told, checked: everything that can be refused is refused here, before anything opens.
//!
//! [`Typed`] is what somebody wrote, on the command line, in the environment or in the configuration file;
//! [`Settings`] is what it means. [`Settings::check`] leads from one to the other. Nothing reads the environment
//! later.

mod commands;
mod database;
mod error;
mod faults;
mod file;
mod kek;
mod listen;
mod log;
mod secrets;
mod sections;
mod serve;
#[cfg(test)]
mod testing;
mod typed;
mod upstreams;
mod zendesk;

use std::mem::take;
use std::path::PathBuf;

use claviger_engine::FirstOrg;
use claviger_model::{Email, Name};
use claviger_store::Location;

pub use commands::{BackupCommand, LedgerCommand, RestoreCommand, TailCommand, VerifyCommand};
pub use error::SettingsError;
pub use faults::SettingsErrors;
pub use kek::KekSource;
pub use log::Log;
pub use secrets::SecretVariables;
pub use sections::{Aws, SecretSetting, TypedAws, TypedCatalog};
pub use serve::{CheckpointPlace, Serve};
pub use typed::{Command, CommandLine, LogFormat, RateLimits, Typed};
pub use upstreams::{Calls, TypedBroker, TypedUpstream, Upstream, UpstreamFault};

use faults::Faults;

/// The data directory where none is named.
const DATA: &str = "./data";
const EMAIL: &str = "admin@claviger.local";
const ORG: &str = "My organization";

/// Everything that the program was told.
#[derive(Debug)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// The database.
    pub database: Location,
    /// Where the master keys come from.
    pub kek: KekSource,
    /// What the first start makes.
    pub first: FirstOrg,
    /// Whether the first start puts its keys into a file.
    pub is_bootstrap_file_wanted: bool,
    /// The log.
    pub log: Log,
    /// Where integrations of the operator's own are, if anywhere.
    pub catalog_extra: Option<PathBuf>,
    /// The server's own credentials at AWS.
    pub aws: Option<Aws>,
    /// How many connections a ZIS integration may have; none for as many as its org.
    pub zis_connections_max: Option<u32>,
    /// What concerns serving alone.
    pub serve: Serve,
}

impl Settings {
    /// What a command line says, with the environment, and the configuration file if one is named.
    ///
    /// # Errors
    /// Everything that is not understood or does not fit together.
    pub fn from_line(line: CommandLine) -> Result<(Command, Self), SettingsErrors> {
        let typed = match &line.config {
            Some(path) => line.typed.or(file::read(path)?),
            None => line.typed,
        };
        Ok((line.command, Self::check(typed, SecretVariables::read()?)?))
    }

    /// What was typed, checked and with defaults for what was not.
    ///
    /// # Errors
    /// Everything that is not understood or does not fit together.
    pub fn check(mut typed: Typed, mut secrets: SecretVariables) -> Result<Self, SettingsErrors> {
        let mut faults = Faults::default();
        let data = typed.data.take().unwrap_or_else(|| DATA.into());
        let aws = Aws::check(take(&mut typed.aws), secrets.aws_secret_access_key.take(), &mut faults);
        let database = faults.note(database::check(typed.database.take(), typed.database_ca.take(), &data));
        let kek = faults.note(KekSource::check(typed.kek_file.take(), secrets, &data));
        let first = first(typed.email.as_deref(), typed.org.take(), &mut faults);
        let zis_connections_max = typed.zendesk_connections_max;
        let zis_connections_max =
            faults.note(zendesk::positive("--zendesk-connections-max", zis_connections_max));
        let log = faults.note(Log::check(typed.log_format, typed.log.as_deref()));
        let is_bootstrap_file_wanted = !typed.no_bootstrap_file.unwrap_or(false);
        let catalog_extra = typed.catalog.extra.take();
        let serve = Serve::check(typed, &data, &mut faults);
        let whole = || {
            Some(Self {
                database: database?,
                kek: kek?,
                first: first?,
                catalog_extra,
                aws: aws?,
                zis_connections_max: zis_connections_max?,
                is_bootstrap_file_wanted,
                log: log?,
                serve: serve?,
                data,
            })
        };
        faults.or(whole())
    }
}

fn first(email: Option<&str>, org: Option<String>, faults: &mut Faults) -> Option<FirstOrg> {
    let email = email.unwrap_or(EMAIL);
    let parsed = Email::parse(email).map_err(|_| SettingsError::Email { text: email.to_owned() });
    let email = faults.note(parsed);
    let name = Name::parse(org.unwrap_or_else(|| ORG.to_owned())).map_err(SettingsError::Org);
    let name = faults.note(name);
    Some(FirstOrg { email: email?, name: name? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use claviger_egress::Policy;
    use claviger_zendesk::Options as ZendeskOptions;
    use tracing_subscriber::filter::{LevelFilter, Targets};

    use super::testing::{check, refused};
    use super::*;

    #[test]
    fn nothing_typed_means_the_defaults() {
        let settings = check(|_| ()).unwrap();
        assert_eq!(settings.data, PathBuf::from("./data"));
        assert_eq!(settings.database, Location::Sqlite("./data/claviger.db".into()));
        assert!(matches!(settings.kek, KekSource::File(path) if path.as_os_str() == "./data/kek"));
        assert_eq!(settings.first.email.as_str(), "admin@claviger.local");
        assert_eq!(settings.first.name.as_str(), "My organization");
        assert!(settings.is_bootstrap_file_wanted);
        assert_eq!(
            settings.log,
            Log { format: LogFormat::Auto, filter: Targets::new().with_default(LevelFilter::INFO) }
        );
        let serve = Serve {
            listen: ([127, 0, 0, 1], 7070).into(),
            metrics_listen: None,
            tls: None,
            is_behind_proxy: false,
            trusted_proxies: Vec::new(),
            checkpoints: CheckpointPlace::File("./data/checkpoints.jsonl".into()),
            limits: RateLimits::None,
            zis_requests_per_minute: None,
            broker_requests_per_minute: None,
            drain: Duration::from_secs(10),
            webhook_policy: Policy::public(),
            oauth_policy: Policy::public(),
            github_keys: None,
            calls: Calls { max: 4096, per_org_max: 2048 },
            upstreams: Vec::new(),
            zendesk: ZendeskOptions::default(),
        };
        assert_eq!(settings.serve, serve);
    }

    #[test]
    fn an_org_begins_with_a_name_and_an_address() {
        refused(|typed| typed.email = Some("ada".into()), "ada is not an e-mail address");
        refused(|typed| typed.org = Some(" ".into()), "must not be blank");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let errors = check(|typed| {
            typed.email = Some("ada".into());
            typed.org = Some(" ".into());
            typed.listen = Some("localhost".into());
            typed.metrics_listen = Some("9090".into());
            typed.trusted_proxy = Some(vec!["proxy.internal".into(), "10.0.0.1/8".into()]);
            typed.tls_cert = Some("cert.pem".into());
            typed.aws.region = Some("EU".into());
            typed.aws.principal_id = Some("1".into());
            typed.database = Some("mysql://db".into());
            typed.zendesk_connections_max = Some(0);
            typed.zendesk_public_url = Some("claviger.example".into());
            typed.zendesk_base_domain = Some("a b".into());
            typed.drain_seconds = Some(301);
            typed.log = Some("loud".into());
        });
        let told = errors.unwrap_err().to_string();
        for setting in [
            "--email",
            "--org",
            "--listen",
            "--metrics-listen",
            "--trusted-proxy proxy.internal",
            "--trusted-proxy 10.0.0.1/8",
            "--tls-key",
            "AWS",
            "--database",
            "--zendesk-connections-max",
            "--zendesk-public-url",
            "--zendesk-base-domain",
            "--drain-seconds",
            "--log",
        ] {
            assert_eq!(told.lines().filter(|line| line.contains(setting)).count(), 1, "{setting}: {told}");
        }
        assert_eq!(told.lines().count(), 14, "{told}");
    }
}
