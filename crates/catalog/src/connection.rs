//! A stored connection as its entry sees it: how it is shown, and where it may go.

use std::collections::BTreeSet;

use claviger_model::{Host, Origin, Scheme};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::aws::{self, Signing};
use crate::azure;
use crate::catalog::Catalog;
use crate::entry::{CredentialType, HostRule, HostText, Integration};
use crate::field::Field;
use crate::field::Place;
use crate::host::{BaseUrl, HostPattern};
use crate::inject::Probe;
use crate::secret::SecretName;
use crate::settings::{Settings, show_secrets};

/// A stored connection and its entry.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'c> {
    pub(crate) catalog: &'c Catalog,
    pub(crate) integration: &'c Integration,
    pub(crate) credential: &'c CredentialType,
    pub(crate) settings: &'c Settings,
}

/// The hosts that a connection's secrets may go to.
#[derive(Debug, Clone)]
pub struct AllowedHosts {
    schemes: Vec<Scheme>,
    patterns: Vec<HostPattern>,
    /// Of an HTTP connection: this, and nothing else.
    origin: Option<Origin>,
    rule: Option<HostRule>,
    named: Vec<Host>,
    /// That the connection names by itself.
    scope: Option<String>,
}

/// A place that a secret may go to, and what an exchange or a signature needs to know of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    /// What AWS's signature is made for.
    pub signing: Option<Signing>,
    /// The scope of Azure's token.
    pub scope: Option<String>,
}

/// Why a secret may not go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HostRefusal {
    /// In clear, where the connection is not.
    #[error("the connection does not allow this scheme")]
    Scheme,
    /// Another port.
    #[error("the connection does not allow this port")]
    Port,
    /// Another host.
    #[error("the connection does not allow this host")]
    Host,
    /// Of AWS, but none of its services that are listed, or a customer's that the connection does not name.
    #[error("this host is no service of AWS that the connection may call")]
    Service,
}

impl<'c> Connection<'c> {
    /// Its entry.
    pub fn integration(&self) -> &'c Integration {
        self.integration
    }

    /// Its credential type.
    pub fn credential(&self) -> &'c CredentialType {
        self.credential
    }

    /// The `integration` value that an answer shows: settings as they were given, and secrets that are kept under the
    /// names `kept`, empty. No secret takes part in making it.
    pub fn shown(&self, kept: &BTreeSet<SecretName>) -> Value {
        let mut outer = Map::new();
        let mut inner = Map::new();
        for field in &self.credential.fields {
            let Some(setting) = self.settings.field(&field.name) else { continue };
            let object = match field.place {
                Place::Integration => &mut outer,
                Place::Credentials => &mut inner,
            };
            object.insert(field.name.clone(), setting.shown());
        }
        show_secrets(&mut inner, self.credential.secret_fields().map(|field| field.name.as_str()), kept);
        inner.insert("type".to_owned(), json!(self.settings.credentials));
        outer.insert("type".to_owned(), json!(self.settings.integration));
        outer.insert("credentials".to_owned(), Value::Object(inner));
        Value::Object(outer)
    }

    /// Where relative calls go; none where the caller must name the whole URL.
    pub fn base_url(&self) -> Option<BaseUrl> {
        let values = self.values();
        let url = self.integration.base_url.as_ref()?.fill(|name| value_of(&values, name))?;
        BaseUrl::parse(&url).ok()
    }

    /// The hosts that its secrets may go to. `named` are hosts that the connection names by itself, beside its fields:
    /// they matter where an entry's rule asks for it, namely for customers' APIs at AWS and for scopes of Azure from
    /// which no host follows.
    pub fn allowed_hosts(&self, named: &[Host]) -> AllowedHosts {
        let values = self.values();
        let pattern = |host: &HostText| match host {
            HostText::Fixed(pattern) => Some(pattern.clone()),
            // Settings name a host, never a family of hosts.
            HostText::Settings(text) => {
                let host = text.fill(|name| value_of(&values, name))?;
                host.parse().ok().map(HostPattern::Exact)
            }
        };
        let rule = self.integration.host_rule;
        let scope = self.settings.text("custom_scopes").filter(|_| rule == Some(HostRule::AzureScope));
        let patterns = match scope.map(azure::hosts_of) {
            None => self.integration.hosts.iter().filter_map(pattern).collect(),
            Some(hosts) if hosts.is_empty() => named.iter().cloned().map(HostPattern::Exact).collect(),
            Some(hosts) => hosts,
        };
        AllowedHosts {
            schemes: self.integration.schemes.clone(),
            patterns,
            origin: self.base_url().map(|url| url.origin).filter(|_| rule == Some(HostRule::HttpOrigin)),
            rule,
            named: named.to_vec(),
            scope: scope.map(str::to_owned),
        }
    }

    /// The call that proves the credential, if there is one. `secret_of` gives an opened secret: one of them tells by
    /// its prefix which call judges it.
    pub fn probe<'s>(&self, secret_of: impl Fn(&str) -> Option<&'s str>) -> Option<&'c Probe>
    where
        'c: 's,
    {
        let settings = self.settings;
        let fits = |probe: &&Probe| {
            let value_of = |name: &str| secret_of(name).or_else(|| settings.text(name));
            probe.when.as_ref().is_none_or(|when| when.holds("", value_of))
        };
        self.credential.probes.iter().find(fits)
    }

    /// What texts of the settings stand for in hosts and URLs. A text that no longer fits, because a row was edited
    /// or the catalog has changed, stands for nothing, and the connection then goes nowhere.
    fn values(&self) -> Vec<(&'c str, String)> {
        let value = |field: &'c Field| {
            let text = self.settings.text(&field.name).filter(|text| field.fits(text))?;
            Some((field.name.as_str(), field.stands_for(text)))
        };
        self.credential.fields.iter().filter_map(value).collect()
    }
}

fn value_of<'v>(values: &'v [(&str, String)], name: &str) -> Option<&'v str> {
    values.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
}

impl AllowedHosts {
    /// Whether a secret may go to a place.
    ///
    /// # Errors
    ///
    /// When it may not, with the reason.
    pub fn check(&self, target: &Origin) -> Result<Destination, HostRefusal> {
        if !self.schemes.contains(&target.scheme()) {
            return Err(HostRefusal::Scheme);
        }
        if let Some(origin) = &self.origin {
            return self.is_origin(origin, target);
        }
        if target.port() != target.scheme().port() {
            return Err(HostRefusal::Port);
        }
        if !self.patterns.iter().any(|pattern| pattern.matches(target.host())) {
            return Err(HostRefusal::Host);
        }
        match self.rule {
            Some(HostRule::AwsService) => {
                let signing = aws::signing(target.host(), &self.named).ok_or(HostRefusal::Service)?;
                Ok(Destination { signing: Some(signing), scope: None })
            }
            Some(HostRule::AzureScope) => {
                let scope = self.scope.clone().or_else(|| azure::scope_for(target.host()));
                Ok(Destination { signing: None, scope: Some(scope.ok_or(HostRefusal::Host)?) })
            }
            // Without its origin, an HTTP connection goes nowhere.
            Some(HostRule::HttpOrigin) => Err(HostRefusal::Host),
            None => Ok(Destination::default()),
        }
    }

    /// Where it may go, for people: an origin, or hosts, with `*.` before those below which every host is meant. Of AWS
    /// only services are, as [`AllowedHosts::check`] has them.
    pub fn shown(&self) -> Vec<String> {
        match &self.origin {
            Some(origin) => vec![origin.to_string()],
            None => self.patterns.iter().map(ToString::to_string).collect(),
        }
    }

    fn is_origin(&self, origin: &Origin, target: &Origin) -> Result<Destination, HostRefusal> {
        if origin.host() != target.host() {
            Err(HostRefusal::Host)
        } else if origin.scheme() != target.scheme() {
            Err(HostRefusal::Scheme)
        } else if origin.port() != target.port() {
            Err(HostRefusal::Port)
        } else {
            Ok(Destination::default())
        }
    }
}
