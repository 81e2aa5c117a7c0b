//! What somebody wrote: flags, environment variables and keys of the configuration file, all under one name.
//!
//! `--metrics-listen`, `CLAVIGER_METRICS_LISTEN` and `metrics_listen` are the same setting.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use super::commands::{BackupCommand, LedgerCommand, RestoreCommand};
use super::sections::{TypedAws, TypedCatalog};
use super::upstreams::TypedBroker;
use crate::import::ImportArgs;
use crate::kek::cli::KekCommand;
use crate::org::OrgCommand;

/// A self-hosted key server: issues, checks and revokes keys.
#[derive(Parser)]
#[command(
    name = "claviger",
    version,
    after_help = "Each setting has a flag, a variable and, with _ for -, a key in the configuration file; those of \
                  --aws-…, --broker-… and --catalog-… are in its sections [aws], [broker] and [catalog]. The flag wins over the \
                  variable, the variable over the file. Master keys come from --kek-file, \
                  or as text from CLAVIGER_KEK, or follow from CLAVIGER_KEK_PASSPHRASE."
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE", env = "CLAVIGER_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// The settings.
    #[command(flatten)]
    pub typed: Typed,
}

/// What the program can do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve until told to stop; the first start sets everything up
    Serve,
    /// Set everything up and stop
    Init,
    /// Import orgs, users, roles, keys and connections from a file, into a running server or its database
    Import(ImportArgs),
    /// Read or check the record of every change; a server may be running
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Write everything but the master keys into one file; a server may be running
    Backup(BackupCommand),
    /// Fill an empty database from a backup
    Restore(RestoreCommand),
    /// Make, list, rename, disable and enable orgs, in a running server or its database
    Org {
        /// What to do with them
        #[command(subcommand)]
        command: OrgCommand,
    },
    /// Verify, rotate and remove master keys
    Kek {
        /// What to do with them
        #[command(subcommand)]
        command: KekCommand,
    },
    /// What people do with a server that runs, over its API.
    #[command(flatten)]
    People(claviger_cli::Command),
}

/// The settings, as far as they were written. It has no `Debug`: the database's address may hold a password.
#[derive(Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Typed {
    /// The data directory [default: ./data]
    #[arg(long, value_name = "DIR", env = "CLAVIGER_DATA", global = true)]
    pub data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDR", env = "CLAVIGER_LISTEN", global = true)]
    pub listen: Option<String>,
    /// A PostgreSQL database, postgres://… (keep a password out of the flag) [default: SQLite in the data directory]
    #[arg(long, value_name = "URL", env = "CLAVIGER_DATABASE", hide_env_values = true, global = true)]
    pub database: Option<String>,
    /// The certificates that may have signed the database's, in PEM form; makes TLS to it a must
    #[arg(long, value_name = "FILE", env = "CLAVIGER_DATABASE_CA", global = true)]
    pub database_ca: Option<PathBuf>,
    /// Where the master keys are kept; made on the first start [default: kek in the data directory]
    #[arg(long, value_name = "FILE", env = "CLAVIGER_KEK_FILE", global = true)]
    pub kek_file: Option<PathBuf>,
    /// Where to show metrics [default: nowhere]
    #[arg(long, value_name = "ADDR", env = "CLAVIGER_METRICS_LISTEN", global = true)]
    pub metrics_listen: Option<String>,
    /// The server's TLS certificate and those that lead to its authority, in PEM form [default: no TLS]
    #[arg(long, value_name = "FILE", env = "CLAVIGER_TLS_CERT", global = true)]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM form, readable by this user alone
    #[arg(long, value_name = "FILE", env = "CLAVIGER_TLS_KEY", global = true)]
    pub tls_key: Option<PathBuf>,
    /// A proxy that speaks TLS stands in front
    #[arg(
        long, value_name = "BOOL", env = "CLAVIGER_BEHIND_PROXY", global = true,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub behind_proxy: Option<bool>,
    /// A network of proxies whose word about a client's address is believed; several parted by commas [default: none]
    #[arg(long, value_name = "CIDR", env = "CLAVIGER_TRUSTED_PROXY", global = true, value_delimiter = ',')]
    pub trusted_proxy: Option<Vec<String>>,
    /// Show the first keys on the terminal alone
    #[arg(
        long, value_name = "BOOL", env = "CLAVIGER_NO_BOOTSTRAP_FILE", global = true,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub no_bootstrap_file: Option<bool>,
    /// The first admin's address [default: admin@claviger.local]
    #[arg(long, value_name = "ADDRESS", env = "CLAVIGER_EMAIL", global = true)]
    pub email: Option<String>,
    /// The first org's name [default: My organization]
    #[arg(long, value_name = "NAME", env = "CLAVIGER_ORG", global = true)]
    pub org: Option<String>,
    /// Where signed checkpoints of the ledger go; - for standard output [default: checkpoints.jsonl in the data directory]
    #[arg(long, value_name = "FILE", env = "CLAVIGER_CHECKPOINT_FILE", global = true)]
    pub checkpoint_file: Option<PathBuf>,
    /// The log's form [default: auto]
    #[arg(long, value_name = "FORMAT", env = "CLAVIGER_LOG_FORMAT", global = true)]
    pub log_format: Option<LogFormat>,
    /// What is logged: a level, or levels by target as in info,claviger_store=debug [default: info]
    #[arg(long, value_name = "LEVEL", env = "CLAVIGER_LOG", global = true)]
    pub log: Option<String>,
    /// How often a caller may call [default: none]
    #[arg(long, value_name = "LIMITS", env = "CLAVIGER_LIMITS", global = true)]
    pub limits: Option<RateLimits>,
    /// How long requests may take to end when the server stops, up to 300 [default: 10]
    #[arg(long, value_name = "N", env = "CLAVIGER_DRAIN_SECONDS", global = true)]
    pub drain_seconds: Option<u64>,
    /// Let webhooks go to private addresses, and over plain HTTP to these, as in a test or a closed network
    #[arg(
        long, value_name = "BOOL", env = "CLAVIGER_WEBHOOKS_ANYWHERE", global = true,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub webhooks_anywhere: Option<bool>,
    /// The public keys of GitHub's secret scanning, as it publishes them; without, none of its alerts is taken
    #[arg(long, value_name = "FILE", env = "CLAVIGER_GITHUB_KEYS", global = true)]
    pub github_keys: Option<PathBuf>,
    /// The domain under which each org has a subdomain in the Zendesk dialect [default: none, for the first org alone]
    #[arg(long, value_name = "DOMAIN", env = "CLAVIGER_ZENDESK_BASE_DOMAIN", global = true)]
    pub zendesk_base_domain: Option<String>,
    /// How many requests a minute each integration may make in the Zendesk dialect, and beside them those who manage
    /// them [default: as --limits says]
    #[arg(long, value_name = "N", env = "CLAVIGER_ZENDESK_REQUESTS_PER_MINUTE", global = true)]
    pub zendesk_requests_per_minute: Option<u32>,
    /// How many connections each ZIS integration may have [default: as many as its org]
    #[arg(long, value_name = "N", env = "CLAVIGER_ZENDESK_CONNECTIONS_MAX", global = true)]
    pub zendesk_connections_max: Option<u32>,
    /// The https address at which browsers reach the server; without, no OAuth connection is begun [default: none]
    #[arg(long, value_name = "URL", env = "CLAVIGER_ZENDESK_PUBLIC_URL", global = true)]
    pub zendesk_public_url: Option<String>,
    /// Show the tokens of an OAuth connection in clear to whoever is shown it, as Zendesk does
    #[arg(
        long, value_name = "BOOL", env = "CLAVIGER_ZENDESK_SHOW_TOKENS", global = true,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub zendesk_show_tokens: Option<bool>,
    /// Let authorization servers of OAuth connections be at private addresses, as in a test or a closed network
    #[arg(
        long, value_name = "BOOL", env = "CLAVIGER_ZENDESK_OAUTH_ANYWHERE", global = true,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub zendesk_oauth_anywhere: Option<bool>,
    /// Of the broker.
    #[command(flatten)]
    pub broker: TypedBroker,
    /// Of the catalog.
    #[command(flatten)]
    pub catalog: TypedCatalog,
    /// Of AWS.
    #[command(flatten)]
    pub aws: TypedAws,
}

impl Typed {
    /// These settings, and those of `below` where nothing was written here.
    pub fn or(self, below: Self) -> Self {
        Self {
            data: self.data.or(below.data),
            listen: self.listen.or(below.listen),
            database: self.database.or(below.database),
            database_ca: self.database_ca.or(below.database_ca),
            kek_file: self.kek_file.or(below.kek_file),
            metrics_listen: self.metrics_listen.or(below.metrics_listen),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            behind_proxy: self.behind_proxy.or(below.behind_proxy),
            trusted_proxy: self.trusted_proxy.or(below.trusted_proxy),
            no_bootstrap_file: self.no_bootstrap_file.or(below.no_bootstrap_file),
            email: self.email.or(below.email),
            org: self.org.or(below.org),
            checkpoint_file: self.checkpoint_file.or(below.checkpoint_file),
            log_format: self.log_format.or(below.log_format),
            log: self.log.or(below.log),
            limits: self.limits.or(below.limits),
            drain_seconds: self.drain_seconds.or(below.drain_seconds),
            webhooks_anywhere: self.webhooks_anywhere.or(below.webhooks_anywhere),
            github_keys: self.github_keys.or(below.github_keys),
            zendesk_base_domain: self.zendesk_base_domain.or(below.zendesk_base_domain),
            zendesk_requests_per_minute: self
                .zendesk_requests_per_minute
                .or(below.zendesk_requests_per_minute),
            zendesk_connections_max: self.zendesk_connections_max.or(below.zendesk_connections_max),
            zendesk_public_url: self.zendesk_public_url.or(below.zendesk_public_url),
            zendesk_show_tokens: self.zendesk_show_tokens.or(below.zendesk_show_tokens),
            zendesk_oauth_anywhere: self.zendesk_oauth_anywhere.or(below.zendesk_oauth_anywhere),
            broker: self.broker.or(below.broker),
            catalog: self.catalog.or(below.catalog),
            aws: self.aws.or(below.aws),
        }
    }

    /// The names of the settings that have a flag; where one is in a section of the configuration file, with the
    /// section's name before it.
    pub(super) fn names() -> Vec<String> {
        let settings = Self::augment_args(clap::Command::new("settings"));
        settings.get_arguments().map(|setting| setting.get_id().to_string()).collect()
    }
}

/// The log's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines to read.
    Human,
    /// One JSON object per line.
    Json,
    /// Lines to read on a terminal, JSON elsewhere.
    #[default]
    Auto,
}

/// How often a caller may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RateLimits {
    /// As often as they like.
    #[default]
    None,
    /// As often as the vendor allows.
    Vendor,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> CommandLine {
        CommandLine::try_parse_from(line.split(' ')).unwrap()
    }

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    /// The settings are known to every command, so that a command's own argument of such a name would be taken for
    /// the setting.
    #[test]
    fn no_command_has_an_argument_that_is_a_setting() {
        fn walk(command: &clap::Command, names: &[String]) {
            for sub in command.get_subcommands() {
                let own = sub.get_arguments().map(|argument| argument.get_id().as_str());
                let taken: Vec<_> = own.filter(|id| names.iter().any(|name| name == id)).collect();
                assert!(taken.is_empty(), "{}: {taken:?}", sub.get_name());
                walk(sub, names);
            }
        }
        walk(&CommandLine::command(), &Typed::names());
    }

    #[test]
    fn settings_stand_before_or_after_the_command() {
        assert_eq!(parse("claviger serve --listen a").typed.listen, Some("a".into()));
        assert_eq!(parse("claviger --listen a init").typed.listen, Some("a".into()));
    }

    #[test]
    fn a_switch_can_be_turned_off_again() {
        let behind_proxy = |line| parse(line).typed.behind_proxy;
        assert_eq!(behind_proxy("claviger serve"), None);
        assert_eq!(behind_proxy("claviger serve --behind-proxy"), Some(true));
        assert_eq!(behind_proxy("claviger --behind-proxy serve"), Some(true));
        assert_eq!(behind_proxy("claviger serve --behind-proxy=false"), Some(false));
    }

    #[test]
    fn proxies_are_named_one_by_one_or_parted_by_commas() {
        let proxies = parse("claviger serve --trusted-proxy 10.0.0.1,10.1.0.0/16 --trusted-proxy ::1");
        let named = ["10.0.0.1", "10.1.0.0/16", "::1"].map(str::to_owned).to_vec();
        assert_eq!(proxies.typed.trusted_proxy, Some(named));
    }

    /// One name for each setting: the flag and the variable follow from the key.
    #[test]
    fn flag_variable_and_key_share_a_name() {
        let line = CommandLine::command();
        for setting in line.get_arguments().filter(|it| !["help", "version"].contains(&it.get_id().as_str()))
        {
            let id = setting.get_id().as_str();
            assert_eq!(setting.get_long(), Some(id.replace('_', "-").as_str()));
            let variable = format!("CLAVIGER_{}", id.to_uppercase());
            assert_eq!(setting.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
        }
    }

    #[test]
    fn the_upper_settings_win_and_the_lower_fill_in() {
        let upper = Typed { listen: Some("upper".into()), behind_proxy: Some(false), ..Typed::default() };
        let lower = Typed {
            listen: Some("lower".into()),
            behind_proxy: Some(true),
            drain_seconds: Some(3),
            ..Typed::default()
        };
        let both = upper.or(lower);
        assert_eq!(both.listen, Some("upper".into()));
        assert_eq!(both.behind_proxy, Some(false));
        assert_eq!(both.drain_seconds, Some(3));
        assert_eq!(both.org, None);
    }
}
