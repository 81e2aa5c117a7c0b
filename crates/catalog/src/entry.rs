//! The entries of the catalog, checked.

use std::collections::BTreeSet;
use std::fmt;

use claviger_model::Scheme;

use crate::exchange::Exchange;
use crate::field::Field;
use crate::host::HostPattern;
use crate::inject::{Injection, Probe, Retry, Strip};
use crate::placeholder::Text;

/// What kind of third party a connection is made to.
#[derive(Debug)]
pub struct Integration {
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) docs: String,
    pub(crate) base_url: Option<Text>,
    pub(crate) hosts: Vec<HostText>,
    pub(crate) host_rule: Option<HostRule>,
    pub(crate) schemes: Vec<Scheme>,
    pub(crate) strip: Strip,
    pub(crate) retry: Retry,
    pub(crate) credentials: Vec<CredentialType>,
}

/// Hosts of an entry.
#[derive(Debug)]
pub(crate) enum HostText {
    Fixed(HostPattern),
    /// The host that settings name.
    Settings(Text),
}

/// A rule in code about the hosts of one integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostRule {
    /// A host must be one of the services of AWS that are listed.
    AwsService,
    /// A scope of Azure binds its token to the host of its resource.
    AzureScope,
    /// The origin of the setting `base_url`, and nothing else.
    HttpOrigin,
}

/// One way to prove oneself to an integration.
#[derive(Debug)]
pub struct CredentialType {
    pub(crate) kind: String,
    /// The integration's own among them.
    pub(crate) fields: Vec<Field>,
    pub(crate) exchange: Option<Exchange>,
    pub(crate) injections: Vec<Injection>,
    pub(crate) probes: Vec<Probe>,
    /// The settings that have a part in where secrets go.
    pub(crate) host_fields: BTreeSet<String>,
}

impl Integration {
    /// Its type on the wire.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where a person reads about its credentials.
    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// Its credential types, in the catalog's order.
    pub fn credentials(&self) -> &[CredentialType] {
        &self.credentials
    }

    /// The credential type of that name.
    pub fn credential(&self, kind: &str) -> Option<&CredentialType> {
        self.credentials.iter().find(|credential| credential.kind == kind)
    }

    /// Where secrets of its connections may go, for people: hosts, with `*.` before those below which every host is
    /// meant, and `{…}` for a setting.
    pub fn hosts(&self) -> Vec<String> {
        match (&self.host_rule, &self.base_url) {
            (Some(HostRule::HttpOrigin), Some(url)) => vec![url.to_string()],
            _ => self.hosts.iter().map(ToString::to_string).collect(),
        }
    }

    /// What of the caller's request never goes out.
    pub fn strip(&self) -> &Strip {
        &self.strip
    }

    /// How it says "slow down".
    pub fn retry(&self) -> &Retry {
        &self.retry
    }
}

impl CredentialType {
    /// Its type on the wire.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// All fields of a connection with it, those beside `credentials` first.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The fields that are secrets, or lists of them.
    pub fn secret_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.secret)
    }

    /// The settings from which hosts, base URLs and exchange URLs are built: who changes one must bring every secret
    /// anew.
    pub fn host_fields(&self) -> &BTreeSet<String> {
        &self.host_fields
    }

    /// The token exchange that comes before a call.
    pub fn exchange(&self) -> Option<Exchange> {
        self.exchange
    }

    /// What is added to a request, in this order.
    pub fn injections(&self) -> &[Injection] {
        &self.injections
    }

    /// Calls that prove the credential; the first whose condition holds is made.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }
}

impl HostRule {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "aws_service" => Some(Self::AwsService),
            "azure_scope" => Some(Self::AzureScope),
            "http_origin" => Some(Self::HttpOrigin),
            _ => None,
        }
    }

    /// The settings that it reads.
    pub(crate) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::AwsService => &[],
            Self::AzureScope => &["custom_scopes"],
            Self::HttpOrigin => &["base_url"],
        }
    }
}

impl fmt::Display for HostText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(pattern) => pattern.fmt(f),
            Self::Settings(text) => text.fmt(f),
        }
    }
}

impl HostText {
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::Fixed(_) => None,
            Self::Settings(text) => Some(text.fields()),
        }
        .into_iter()
        .flatten()
    }
}
