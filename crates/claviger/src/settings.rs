//! What the program is told, checked: everything that can be refused is refused here, before anything opens.
//!
//! [`Typed`] is what somebody wrote, on the command line, in the environment or in the configuration file;
//! [`Settings`] is what it means. [`Settings::check`] leads from one to the other. Nothing reads the environment
//! later.

mod commands;
mod error;
mod file;
mod secrets;
mod sections;
mod typed;
mod upstreams;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use claviger_egress::Policy;
use claviger_engine::FirstOrg;
use claviger_model::{Email, Name, Network};
use claviger_store::Location;
use claviger_zendesk::Options as ZendeskOptions;
use tracing_subscriber::filter::{LevelFilter, Targets};
use zeroize::Zeroizing;

use crate::certificate::CertificateFiles;
use crate::data_dir::DataDir;

pub use commands::{BackupCommand, LedgerCommand, RestoreCommand, TailCommand, VerifyCommand};
pub use error::SettingsError;
pub use secrets::SecretVariables;
pub use sections::{Aws, SecretSetting, TypedAws, TypedCatalog};
pub use typed::{Command, CommandLine, LogFormat, RateLimits, Typed};
pub use upstreams::{TypedBroker, TypedUpstream, Upstream};

/// The data directory where none is named.
const DATA: &str = "./data";
/// Loopback, because TLS needs a certificate; the port is one that nothing common uses.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7070);
const EMAIL: &str = "admin@claviger.local";
const ORG: &str = "My organization";
const LOG: &str = "info";
/// How long requests that are under way may take to end: what most supervisors wait before they kill.
const DRAIN_SECONDS: u64 = 10;
/// Longer than any request may take.
const DRAIN_SECONDS_MAX: u64 = 300;

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

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to show metrics, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate and key for TLS; none means plain HTTP.
    pub tls: Option<CertificateFiles>,
    /// Whether a proxy that speaks TLS stands in front.
    pub is_behind_proxy: bool,
    /// The proxies whose word about the client's address is believed.
    pub trusted_proxies: Vec<Network>,
    /// Where checkpoints go.
    pub checkpoints: CheckpointPlace,
    /// How often a caller may call.
    pub limits: RateLimits,
    /// How many requests a minute the Zendesk dialect takes, whatever [`Serve::limits`] says of it.
    pub zis_requests_per_minute: Option<u32>,
    /// How long requests that are under way may take to end once the server was asked to stop.
    pub drain: Duration,
    /// How far webhooks may reach.
    pub webhook_policy: Policy,
    /// Where authorization servers of OAuth connections may be.
    pub oauth_policy: Policy,
    /// Where GitHub's public keys are, if anywhere.
    pub github_keys: Option<PathBuf>,
    /// Hosts that the operator has a word on.
    pub upstreams: Vec<Upstream>,
    /// How the Zendesk dialect tells orgs apart, and what else the operator decided for it.
    pub zendesk: ZendeskOptions,
}

/// Where signed checkpoints of the ledger go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointPlace {
    /// To the end of a file.
    File(PathBuf),
    /// To standard output, for whoever collects it.
    StandardOutput,
}

/// The log.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// What goes into it.
    pub filter: Targets,
}

/// Where the master keys come from.
#[derive(Clone)]
pub enum KekSource {
    /// A file, made on the first start.
    File(PathBuf),
    /// A text: what would stand in the file.
    Text(Zeroizing<String>),
    /// A passphrase, from which with a stored salt the key follows.
    Passphrase(Zeroizing<String>),
}

/// Shows where a secret comes from, and not the secret.
impl std::fmt::Debug for KekSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Passphrase(_) => f.write_str("Passphrase(..)"),
        }
    }
}

impl Settings {
    /// What a command line says, with the environment, and the configuration file if one is named.
    ///
    /// # Errors
    /// When something is not understood or does not fit together.
    pub fn from_line(line: CommandLine) -> Result<(Command, Self), SettingsError> {
        let typed = match &line.config {
            Some(path) => line.typed.or(file::read(path)?),
            None => line.typed,
        };
        Ok((line.command, Self::check(typed, SecretVariables::read()?)?))
    }

    /// What was typed, checked and with defaults for what was not.
    ///
    /// # Errors
    /// When something is not understood or does not fit together.
    pub fn check(typed: Typed, mut secrets: SecretVariables) -> Result<Self, SettingsError> {
        let aws = Aws::check(typed.aws, secrets.aws_secret_access_key.take())?;
        let data = typed.data.unwrap_or_else(|| DATA.into());
        let is_behind_proxy = typed.behind_proxy.unwrap_or(false);
        let tls = tls(typed.tls_cert, typed.tls_key)?;
        let (listen, metrics_listen) = addresses(
            typed.listen.as_deref(),
            typed.metrics_listen.as_deref(),
            tls.is_some(),
            is_behind_proxy,
        )?;
        Ok(Self {
            database: database(typed.database, typed.database_ca, &data)?,
            kek: kek(typed.kek_file, secrets, &data)?,
            first: first(typed.email.as_deref(), typed.org)?,
            catalog_extra: typed.catalog.extra,
            aws,
            zis_connections_max: positive("--zendesk-connections-max", typed.zendesk_connections_max)?,
            is_bootstrap_file_wanted: !typed.no_bootstrap_file.unwrap_or(false),
            log: Log {
                format: typed.log_format.unwrap_or_default(),
                filter: log_filter(typed.log.as_deref().unwrap_or(LOG))?,
            },
            serve: Serve {
                listen,
                metrics_listen,
                tls,
                is_behind_proxy,
                trusted_proxies: proxies(typed.trusted_proxy.unwrap_or_default())?,
                checkpoints: match typed.checkpoint_file {
                    None => CheckpointPlace::File(DataDir::checkpoint_file(&data)),
                    Some(path) if path.as_os_str() == "-" => CheckpointPlace::StandardOutput,
                    Some(path) => CheckpointPlace::File(path),
                },
                limits: typed.limits.unwrap_or_default(),
                zis_requests_per_minute: positive(
                    "--zendesk-requests-per-minute",
                    typed.zendesk_requests_per_minute,
                )?,
                drain: drain(typed.drain_seconds.unwrap_or(DRAIN_SECONDS))?,
                webhook_policy: policy(typed.webhooks_anywhere),
                oauth_policy: policy(typed.zendesk_oauth_anywhere),
                github_keys: typed.github_keys,
                upstreams: typed.broker.check()?,
                zendesk: zendesk(
                    typed.zendesk_base_domain,
                    typed.zendesk_public_url,
                    typed.zendesk_show_tokens.unwrap_or(false),
                )?,
            },
            data,
        })
    }
}

fn tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<CertificateFiles>, SettingsError> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(CertificateFiles { certificate, key })),
        (Some(_), None) => Err(SettingsError::HalfTls { missing: "--tls-key" }),
        (None, Some(_)) => Err(SettingsError::HalfTls { missing: "--tls-cert" }),
    }
}

fn addresses(
    listen: Option<&str>,
    metrics_listen: Option<&str>,
    has_tls: bool,
    is_behind_proxy: bool,
) -> Result<(SocketAddr, Option<SocketAddr>), SettingsError> {
    let parse = |setting, text: &str| {
        text.parse().map_err(|_| SettingsError::Address { setting, text: text.to_owned() })
    };
    let is_safe = |address: &SocketAddr| address.ip().is_loopback() || is_behind_proxy;
    let listen = listen.map_or(Ok(LISTEN), |text| parse("--listen", text))?;
    if !has_tls && !is_safe(&listen) {
        return Err(SettingsError::OffLoopback { address: listen });
    }
    let metrics = metrics_listen.map(|text| parse("--metrics-listen", text)).transpose()?;
    if let Some(address) = metrics.filter(|address| !is_safe(address)) {
        return Err(SettingsError::MetricsOffLoopback { address });
    }
    // Port 0 is whichever is free, and never the same twice.
    if metrics == Some(listen) && listen.port() != 0 {
        return Err(SettingsError::SameAddress { address: listen });
    }
    Ok((listen, metrics))
}

fn proxies(texts: Vec<String>) -> Result<Vec<Network>, SettingsError> {
    let parse = |text: String| text.parse().map_err(|error| SettingsError::TrustedProxy { text, error });
    texts.into_iter().map(parse).collect()
}

fn database(
    url: Option<String>,
    ca: Option<PathBuf>,
    data: &std::path::Path,
) -> Result<Location, SettingsError> {
    match url {
        None if ca.is_some() => Err(SettingsError::DatabaseCa),
        None => Ok(Location::Sqlite(DataDir::sqlite_file(data))),
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(Location::Postgres(match ca {
                Some(ca) => claviger_store::with_root_certificates(&url, &ca),
                None => url,
            }))
        }
        Some(_) => Err(SettingsError::Database),
    }
}

fn kek(
    file: Option<PathBuf>,
    secrets: SecretVariables,
    data: &std::path::Path,
) -> Result<KekSource, SettingsError> {
    match (file, secrets.kek, secrets.kek_passphrase) {
        (None, None, None) => Ok(KekSource::File(DataDir::kek_file(data))),
        (Some(path), None, None) => Ok(KekSource::File(path)),
        (None, Some(text), None) => Ok(KekSource::Text(text)),
        (None, None, Some(passphrase)) => Ok(KekSource::Passphrase(passphrase)),
        _ => Err(SettingsError::KekSources),
    }
}

fn first(email: Option<&str>, org: Option<String>) -> Result<FirstOrg, SettingsError> {
    let email = email.unwrap_or(EMAIL);
    Ok(FirstOrg {
        email: Email::parse(email).map_err(|_| SettingsError::Email { text: email.to_owned() })?,
        name: Name::parse(org.unwrap_or_else(|| ORG.to_owned())).map_err(SettingsError::Org)?,
    })
}

/// A level, or `target=level` for some targets, parted by commas. The filter's own parser would take a misspelt
/// level for a target, and then log nothing else.
fn log_filter(text: &str) -> Result<Targets, SettingsError> {
    let mut filter = Targets::new();
    for part in text.split(',').map(str::trim) {
        let (target, level) =
            part.rsplit_once('=').map_or((None, part), |(target, level)| (Some(target), level));
        let refused = || SettingsError::Log { part: part.to_owned() };
        if level.is_empty() || target.is_some_and(str::is_empty) {
            return Err(refused());
        }
        let level: LevelFilter = level.parse().map_err(|_| refused())?;
        filter = match target {
            Some(target) => filter.with_target(target, level),
            None => filter.with_default(level),
        };
    }
    Ok(filter)
}

/// A number of which none would leave nothing to do.
fn positive(setting: &'static str, number: Option<u32>) -> Result<Option<u32>, SettingsError> {
    match number {
        Some(0) => Err(SettingsError::Nothing { setting }),
        number => Ok(number),
    }
}

fn zendesk(
    base_domain: Option<String>,
    public_url: Option<String>,
    shows_tokens: bool,
) -> Result<ZendeskOptions, SettingsError> {
    let mut options = match base_domain {
        None => ZendeskOptions::default(),
        Some(text) => {
            ZendeskOptions::under(&text).map_err(|error| SettingsError::ZendeskBaseDomain { text, error })?
        }
    };
    if let Some(text) = public_url {
        options = options
            .with_public_url(&text)
            .map_err(|error| SettingsError::ZendeskPublicUrl { text, error })?;
    }
    Ok(options.showing_tokens(shows_tokens))
}

fn policy(is_anywhere: Option<bool>) -> Policy {
    if is_anywhere.unwrap_or(false) { Policy::private_too() } else { Policy::public() }
}

fn drain(seconds: u64) -> Result<Duration, SettingsError> {
    if seconds <= DRAIN_SECONDS_MAX {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(SettingsError::DrainSeconds { seconds, max: DRAIN_SECONDS_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edit: impl FnOnce(&mut Typed)) -> Result<Settings, SettingsError> {
        check_with(SecretVariables::default(), edit)
    }

    fn check_with(
        secrets: SecretVariables,
        edit: impl FnOnce(&mut Typed),
    ) -> Result<Settings, SettingsError> {
        let mut typed = Typed::default();
        edit(&mut typed);
        Settings::check(typed, secrets)
    }

    fn refused(edit: impl FnOnce(&mut Typed), expected: &str) {
        let sentence = check(edit).unwrap_err().to_string();
        assert!(sentence.contains(expected), "{sentence}");
    }

    fn secret(text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(text.to_owned()))
    }

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
            drain: Duration::from_secs(10),
            webhook_policy: Policy::public(),
            oauth_policy: Policy::public(),
            github_keys: None,
            upstreams: Vec::new(),
            zendesk: ZendeskOptions::default(),
        };
        assert_eq!(settings.serve, serve);
    }

    #[test]
    fn oauth_is_as_the_operator_decides() {
        let public = |text: &str| check(|typed| typed.zendesk_public_url = Some(text.into()));
        let expected = ZendeskOptions::default().with_public_url("https://claviger.example").unwrap();
        assert_eq!(public("https://claviger.example/").unwrap().serve.zendesk, expected);
        refused(
            |typed| typed.zendesk_public_url = Some("claviger.example".into()),
            "--zendesk-public-url claviger.example is no address of a server",
        );
        let shown = check(|typed| typed.zendesk_show_tokens = Some(true)).unwrap().serve.zendesk;
        assert_eq!(shown, ZendeskOptions::default().showing_tokens(true));
        let anywhere = check(|typed| typed.zendesk_oauth_anywhere = Some(true)).unwrap().serve;
        assert_eq!(
            (anywhere.oauth_policy, anywhere.webhook_policy),
            (Policy::private_too(), Policy::public())
        );
    }

    #[test]
    fn an_address_must_be_one() {
        refused(|typed| typed.listen = Some("localhost".into()), "write it as 127.0.0.1:7070");
        refused(|typed| typed.metrics_listen = Some("9090".into()), "--metrics-listen 9090");
    }

    #[test]
    fn other_machines_are_reached_over_tls_or_from_behind_a_proxy() {
        for address in ["0.0.0.0:7070", "[::]:7070", "192.0.2.1:7070"] {
            refused(|typed| typed.listen = Some(address.into()), "--behind-proxy");
            refused(|typed| typed.metrics_listen = Some(address.into()), "--behind-proxy");
            let behind_proxy = |typed: &mut Typed| {
                typed.listen = Some(address.into());
                typed.behind_proxy = Some(true);
            };
            assert_eq!(check(behind_proxy).unwrap().serve.listen, address.parse().unwrap());
        }
        for address in ["127.0.0.2:7070", "[::1]:7070"] {
            assert!(check(|typed| typed.listen = Some(address.into())).is_ok());
        }
    }

    #[test]
    fn trusted_proxies_are_networks() {
        let named = |texts: &[&str]| {
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            check(|typed| typed.trusted_proxy = Some(texts)).map(|settings| settings.serve.trusted_proxies)
        };
        let expected = ["10.0.0.0/8", "::1"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(named(&["10.0.0.0/8", "::1"]).unwrap(), expected);
        for (text, expected) in [
            ("proxy.internal", "--trusted-proxy proxy.internal is not a network: write it as 192.0.2.0/24"),
            (
                "10.0.0.1/8",
                "--trusted-proxy 10.0.0.1/8 has bits beyond its prefix: the network is 10.0.0.0/8",
            ),
        ] {
            refused(|typed| typed.trusted_proxy = Some(vec!["::1".into(), text.into()]), expected);
        }
    }

    #[test]
    fn tls_needs_both_files_and_opens_the_listener_but_not_the_metrics() {
        let files = |typed: &mut Typed| {
            typed.tls_cert = Some("cert.pem".into());
            typed.tls_key = Some("key.pem".into());
        };
        refused(|typed| typed.tls_cert = Some("cert.pem".into()), "give --tls-key too");
        refused(|typed| typed.tls_key = Some("key.pem".into()), "give --tls-cert too");
        let off_loopback = |typed: &mut Typed| {
            files(typed);
            typed.listen = Some("0.0.0.0:7070".into());
        };
        let pair = CertificateFiles { certificate: "cert.pem".into(), key: "key.pem".into() };
        assert_eq!(check(off_loopback).unwrap().serve.tls, Some(pair));
        let metrics = |typed: &mut Typed| {
            files(typed);
            typed.metrics_listen = Some("0.0.0.0:9090".into());
        };
        refused(metrics, "metrics are shown in clear");
    }

    #[test]
    fn certificates_of_a_database_become_part_of_its_address() {
        refused(|typed| typed.database_ca = Some("ca.pem".into()), "--database-ca is for PostgreSQL");
        let with_ca = |typed: &mut Typed| {
            typed.database = Some("postgres://db/claviger".into());
            typed.database_ca = Some("/run/ca.pem".into());
        };
        let expected =
            claviger_store::with_root_certificates("postgres://db/claviger", "/run/ca.pem".as_ref());
        assert_eq!(check(with_ca).unwrap().database, Location::Postgres(expected));
    }

    #[test]
    fn metrics_have_an_address_of_their_own() {
        refused(|typed| typed.metrics_listen = Some("127.0.0.1:7070".into()), "give them another port");
        let any_port = |typed: &mut Typed| {
            typed.listen = Some("127.0.0.1:0".into());
            typed.metrics_listen = Some("127.0.0.1:0".into());
        };
        assert!(check(any_port).is_ok());
    }

    #[test]
    fn a_database_is_postgresql_or_not_named() {
        for url in ["postgres://db/claviger", "postgresql://db/claviger"] {
            let settings = check(|typed| typed.database = Some(url.into())).unwrap();
            assert_eq!(settings.database, Location::Postgres(url.into()));
        }
        for url in ["", "mysql://user:hunter2@db", "claviger.db", "sqlite://claviger.db"] {
            refused(|typed| typed.database = Some(url.into()), "leave --database out");
        }
        let sentence = check(|typed| typed.database = Some("mysql://user:hunter2@db".into())).unwrap_err();
        assert!(!format!("{sentence} {sentence:?}").contains("hunter2"));
    }

    #[test]
    fn master_keys_come_from_one_place() {
        let variables =
            |kek, kek_passphrase| SecretVariables { kek, kek_passphrase, ..SecretVariables::default() };
        let kek = |secrets, edit: fn(&mut Typed)| check_with(secrets, edit).map(|settings| settings.kek);
        let file: fn(&mut Typed) = |typed| typed.kek_file = Some("other".into());
        let text = || variables(secret("hunter2"), None);
        let passphrase = || variables(None, secret("hunter2"));
        assert!(
            matches!(kek(variables(None, None), file), Ok(KekSource::File(path)) if path.as_os_str() == "other")
        );
        assert!(matches!(kek(text(), |_| ()), Ok(KekSource::Text(text)) if *text == "hunter2"));
        assert!(matches!(kek(passphrase(), |_| ()), Ok(KekSource::Passphrase(text)) if *text == "hunter2"));
        for (secrets, edit) in [
            (text(), file),
            (passphrase(), file),
            (variables(secret("hunter2"), secret("hunter2")), |_: &mut Typed| ()),
        ] {
            let sentence = kek(secrets, edit).unwrap_err().to_string();
            assert!(
                sentence.contains("one of --kek-file, CLAVIGER_KEK and CLAVIGER_KEK_PASSPHRASE"),
                "{sentence}"
            );
        }
        let shown = format!("{:?} {:?}", check_with(text(), |_| ()), check_with(passphrase(), |_| ()));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_servers_own_credentials_at_aws_are_whole_or_not_there() {
        assert!(check(|_| ()).unwrap().aws.is_none());
        let typed = || TypedAws {
            region: Some("eu-west-1".into()),
            principal_id: Some("123456789012".into()),
            access_key_id: Some("AKIDEXAMPLE".into()),
            secret_access_key: Some(SecretSetting(Zeroizing::new("hunter2".into()))),
        };
        let settings = check(|it| it.aws = typed()).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings.aws.unwrap().secret_access_key.as_str(), "hunter2");
        // The environment wins over the file.
        let secrets =
            SecretVariables { aws_secret_access_key: secret("other"), ..SecretVariables::default() };
        let aws = check_with(secrets, |it| it.aws = typed()).unwrap().aws.unwrap();
        assert_eq!(aws.secret_access_key.as_str(), "other");
        refused(
            |it| it.aws.region = Some("eu-west-1".into()),
            "give --aws-principal-id, --aws-access-key-id",
        );
        refused(
            |it| it.aws = TypedAws { secret_access_key: None, ..typed() },
            "CLAVIGER_AWS_SECRET_ACCESS_KEY",
        );
        refused(|it| it.aws = TypedAws { region: Some("EU".into()), ..typed() }, "--aws-region EU is not");
        refused(|it| it.aws = TypedAws { principal_id: Some("1".into()), ..typed() }, "12 digits");
        refused(
            |it| it.aws = TypedAws { access_key_id: Some("a b".into()), ..typed() },
            "--aws-access-key-id a b",
        );
        let bad = Some(SecretSetting(Zeroizing::new("hunter2 \n".into())));
        let sentence =
            check(|it| it.aws = TypedAws { secret_access_key: bad, ..typed() }).unwrap_err().to_string();
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }

    #[test]
    fn an_org_begins_with_a_name_and_an_address() {
        refused(|typed| typed.email = Some("ada".into()), "ada is not an e-mail address");
        refused(|typed| typed.org = Some(" ".into()), "must not be blank");
    }

    #[test]
    fn a_log_filter_is_made_of_levels() {
        for text in ["info", "WARN", "off", "warn,claviger_store=debug", "claviger=trace"] {
            assert!(check(|typed| typed.log = Some(text.into())).is_ok(), "{text}");
        }
        for text in ["inof", "", "claviger", "info,claviger=loud", "info,", "=info", "claviger="] {
            refused(|typed| typed.log = Some(text.into()), "error, warn, info, debug, trace or off");
        }
    }

    #[test]
    fn the_zendesk_dialects_numbers_are_some() {
        let numbers = check(|typed| {
            typed.zendesk_requests_per_minute = Some(1);
            typed.zendesk_connections_max = Some(7);
        });
        let numbers = numbers.map(|it| (it.serve.zis_requests_per_minute, it.zis_connections_max));
        assert_eq!(numbers.unwrap(), (Some(1), Some(7)));
        refused(|typed| typed.zendesk_requests_per_minute = Some(0), "--zendesk-requests-per-minute 0");
        refused(|typed| typed.zendesk_connections_max = Some(0), "--zendesk-connections-max 0");
    }

    #[test]
    fn the_zendesk_dialect_has_a_domain_or_one_org() {
        let under = |text: &str| {
            check(|typed| typed.zendesk_base_domain = Some(text.into())).map(|it| it.serve.zendesk)
        };
        assert_eq!(under("claviger.example").unwrap(), ZendeskOptions::under("claviger.example").unwrap());
        for text in ["", "https://claviger.example", "*.claviger.example"] {
            refused(
                |typed| typed.zendesk_base_domain = Some(text.into()),
                "is not a domain: write it as example.com",
            );
        }
    }

    #[test]
    fn draining_is_bounded() {
        let drain = |seconds| check(|typed| typed.drain_seconds = Some(seconds)).map(|it| it.serve.drain);
        assert_eq!(drain(0).unwrap(), Duration::ZERO);
        assert_eq!(drain(300).unwrap(), Duration::from_secs(300));
        refused(|typed| typed.drain_seconds = Some(301), "0 to 300");
    }
}
