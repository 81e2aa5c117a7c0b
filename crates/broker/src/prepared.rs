//! What follows from a connection alone, worked out once for all of its calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_catalog::{
    AllowedHosts, Catalog, CredentialType, Destination, Exchange, Host, Origin, Presentation, SecretName,
    Settings, UnknownType, ZisSettings, ZisType,
};
use claviger_engine::{UsableConnection, UsableSettings};
use claviger_model::{AllowedDomain, Scheme};
use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::query;
use crate::refusal::Refusal;
use crate::template::HttpTemplate;

/// See the module's documentation.
pub(crate) struct Prepared {
    /// Where relative calls go.
    pub(crate) base: Option<Base>,
    allowed: Allowed,
    /// What is added to every request, in this order.
    pub(crate) added: Vec<Addition>,
    /// Where the token comes from that some additions need.
    pub(crate) source: Option<Source>,
    /// Of an HTTP connection.
    pub(crate) template: Option<HttpTemplate>,
    /// Headers of the caller's that go no further.
    pub(crate) strip_headers: Vec<HeaderName>,
    /// Parameters of the caller's query that go no further, in lower case.
    pub(crate) strip_query: BTreeSet<String>,
    /// The headers in which the third party takes its credential: callers may put ours there.
    pub(crate) credential_headers: Vec<HeaderName>,
}

/// An origin and the path below which everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) origin: Arc<Origin>,
    /// Its host and port, for the header.
    pub(crate) host: HeaderValue,
    /// Empty, or beginning with a slash and not ending in one.
    pub(crate) path: String,
}

enum Allowed {
    Catalogued(AllowedHosts),
    Domain(AllowedDomain),
}

/// Where a token of short life comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The secret is exchanged for it.
    Exchange(Exchange),
    /// The OAuth connection has it, and renews it.
    OAuth,
}

/// Something that is added to a request.
pub(crate) struct Addition {
    pub(crate) what: Added,
    /// Only where the caller sent no such header.
    pub(crate) if_absent: bool,
    /// The place of the injection whose condition must hold for the request's URL.
    pub(crate) condition: Option<usize>,
}

/// A credential, or what belongs to it, as it stands in a request.
pub(crate) enum Added {
    Header(HeaderName, HeaderValue),
    /// The pair as it stands in the query.
    Query(Zeroizing<String>),
    /// Cannot be written before the exchange has given its token: the place of the injection.
    WithToken(usize),
    /// The token of an OAuth connection, as bearer.
    OAuthToken,
    /// A signature, made once all else of the request is there.
    AwsSignature,
}

impl Prepared {
    /// Works it out.
    ///
    /// # Errors
    /// [`Refusal::ConnectionUnusable`] where what is stored does not make sense any more.
    pub(crate) fn new(catalog: &Catalog, usable: &UsableConnection) -> Result<Self, Refusal> {
        match &usable.settings {
            UsableSettings::Catalogued(settings) => Self::catalogued(catalog, usable, settings),
            UsableSettings::Zis(of, settings) => Self::zis(usable, *of, settings),
        }
    }

    fn catalogued(
        catalog: &Catalog,
        usable: &UsableConnection,
        settings: &Settings,
    ) -> Result<Self, Refusal> {
        let entry = catalog.connection(settings).map_err(|UnknownType { .. }| {
            Refusal::ConnectionUnusable("The connection's type is not in the catalog any more")
        })?;
        let hosts: Result<Vec<Host>, _> = usable.connection.hosts.iter().map(|host| host.parse()).collect();
        let hosts =
            hosts.map_err(|_| Refusal::ConnectionUnusable("A host of the connection is none any more"))?;
        let credential = entry.credential();
        let value_of = |name: &str| value_of(usable, settings, name);
        let (mut added, mut is_templated) = (Vec::new(), false);
        for (place, injection) in credential.injections().iter().enumerate() {
            if matches!(injection.what, Presentation::HttpTemplate) {
                is_templated = true;
                continue;
            }
            let what = match needs_token(credential, &injection.what) {
                true => Added::WithToken(place),
                false => render(&injection.what, value_of)?,
            };
            let condition = injection.when.is_some().then_some(place);
            added.push(Addition { what, if_absent: injection.if_absent, condition });
        }
        let template =
            is_templated.then(|| HttpTemplate::new(settings, value_of_token(usable))).transpose()?;
        let strip = entry.integration().strip();
        let mut prepared = Self {
            base: entry.base_url().map(|url| Base::new(url.origin, &url.path)).transpose()?,
            allowed: Allowed::Catalogued(entry.allowed_hosts(&hosts)),
            added,
            source: credential.exchange().map(Source::Exchange),
            template,
            strip_headers: strip.headers.iter().filter_map(|name| name.parse().ok()).collect(),
            strip_query: strip.query.iter().map(|name| name.to_ascii_lowercase()).collect(),
            credential_headers: Vec::new(),
        };
        prepared.note_injected(credential);
        Ok(prepared)
    }

    fn zis(usable: &UsableConnection, of: ZisType, settings: &ZisSettings) -> Result<Self, Refusal> {
        let domain = settings
            .domain()
            .map_err(|_| Refusal::ConnectionUnusable("The connection's allowed domain is none any more"))?;
        let presentation = settings.presentation(of).map_err(|_| {
            Refusal::ConnectionUnusable("The connection's header may not carry a secret any more")
        })?;
        let value_of = |name: &str| match name {
            "username" => settings.username(),
            name => usable.secrets.get(&SecretName::field(name)).map(|secret| secret.reveal()),
        };
        // What is sealed may be about to end.
        let what = match of {
            ZisType::OAuth => Added::OAuthToken,
            _ => render(&presentation, value_of)?,
        };
        let base = match domain.is_wildcard() {
            true => None,
            false => {
                let origin = domain.name().parse().ok().map(|host| Origin::new(Scheme::Https, host));
                origin.map(|origin| Base::new(origin, "")).transpose()?
            }
        };
        let mut prepared = Self {
            base,
            allowed: Allowed::Domain(domain),
            added: vec![Addition { what, if_absent: false, condition: None }],
            source: (of == ZisType::OAuth).then_some(Source::OAuth),
            template: None,
            strip_headers: Vec::new(),
            strip_query: BTreeSet::new(),
            credential_headers: Vec::new(),
        };
        prepared.note_rendered();
        Ok(prepared)
    }

    /// What is added to a request for this URL.
    pub(crate) fn additions<'p>(
        &'p self,
        catalog: &'p Catalog,
        usable: &'p UsableConnection,
        url: &'p str,
    ) -> impl Iterator<Item = &'p Addition> {
        self.added.iter().filter(move |addition| match (addition.condition, &usable.settings) {
            (None, _) => true,
            (Some(place), UsableSettings::Catalogued(settings)) => {
                let entry = catalog.connection(settings).ok();
                let injection = entry.and_then(|entry| entry.credential().injections().get(place));
                let when = injection.and_then(|injection| injection.when.as_ref());
                when.is_some_and(|when| when.holds(url, |name| value_of(usable, settings, name)))
            }
            (Some(_), UsableSettings::Zis(..)) => false,
        })
    }

    /// The values in which secrets stand in requests, beside the secrets themselves: an upstream may echo those.
    pub(crate) fn presented(&self) -> impl Iterator<Item = &[u8]> {
        self.added.iter().filter_map(|addition| match &addition.what {
            // Behind the word of the scheme.
            Added::Header(name, value) if *name == http::header::AUTHORIZATION => {
                value.as_bytes().split(|byte| *byte == b' ').next_back()
            }
            _ => None,
        })
    }

    /// Whether a call may go to an origin, and what an exchange or a signature needs to know of it.
    ///
    /// # Errors
    /// [`Refusal::HostNotAllowed`].
    pub(crate) fn check(&self, origin: &Origin) -> Result<Destination, Refusal> {
        match &self.allowed {
            Allowed::Catalogued(hosts) => hosts.check(origin).map_err(|_| Refusal::HostNotAllowed),
            Allowed::Domain(domain) => {
                let is_usual = origin.is_tls() && origin.port() == Scheme::Https.port();
                match is_usual && domain.admits(origin.host()) {
                    true => Ok(Destination::default()),
                    false => Err(Refusal::HostNotAllowed),
                }
            }
        }
    }

    /// What is added replaces the caller's of the same name, and is where a caller may put our credential.
    fn note_injected(&mut self, credential: &CredentialType) {
        for injection in credential.injections() {
            match &injection.what {
                Presentation::Header { name, .. } => self.note_header(name, injection.if_absent),
                Presentation::Bearer(_) | Presentation::Basic { .. } | Presentation::AwsSignature => {
                    self.note_header("authorization", false);
                }
                Presentation::Query { name, .. } => drop(self.strip_query.insert(name.to_ascii_lowercase())),
                Presentation::HttpTemplate => {}
            }
        }
        if let Some(template) = &self.template {
            self.strip_headers.extend(template.headers.iter().map(|(name, _)| name.clone()));
            self.credential_headers.extend(template.credential_headers.iter().cloned());
            self.strip_query.extend(template.parameters.iter().map(|(name, _)| name.to_ascii_lowercase()));
        }
    }

    fn note_header(&mut self, name: &str, if_absent: bool) {
        let Ok(name) = name.parse::<HeaderName>() else { return };
        if !if_absent {
            self.strip_headers.push(name.clone());
            self.credential_headers.push(name);
        }
    }

    fn note_rendered(&mut self) {
        let names = self.added.iter().filter_map(|addition| match &addition.what {
            Added::Header(name, _) => Some(name.clone()),
            Added::OAuthToken => Some(http::header::AUTHORIZATION),
            _ => None,
        });
        let names: Vec<_> = names.collect();
        self.strip_headers.extend(names.iter().cloned());
        self.credential_headers = names;
    }
}

impl Base {
    fn new(origin: Origin, path: &str) -> Result<Self, Refusal> {
        let (host, path) = (host_header(&origin)?, path.trim_end_matches('/').to_owned());
        Ok(Self { host, origin: Arc::new(origin), path })
    }
}

/// Host and port of an origin, for the header.
pub(crate) fn host_header(origin: &Origin) -> Result<HeaderValue, Refusal> {
    HeaderValue::try_from(origin.authority()).map_err(|_| Refusal::Internal)
}

fn needs_token(credential: &CredentialType, what: &Presentation) -> bool {
    let names = |text: &claviger_catalog::Text| text.fields().any(|name| name == TOKEN);
    credential.exchange().is_some()
        && match what {
            Presentation::Header { value, .. }
            | Presentation::Query { value, .. }
            | Presentation::Bearer(value) => names(value),
            Presentation::Basic { user, password } => names(user) || names(password),
            Presentation::AwsSignature | Presentation::HttpTemplate => false,
        }
}

/// What the texts of the catalog call the token that an exchange yields.
pub(crate) const TOKEN: &str = "token";

/// A field of a connection: a setting, or a secret.
pub(crate) fn value_of<'u>(
    usable: &'u UsableConnection,
    settings: &'u Settings,
    name: &str,
) -> Option<&'u str> {
    let secret = usable.secrets.get(&SecretName::field(name)).map(|secret| secret.reveal());
    secret.or_else(|| settings.text(name))
}

fn value_of_token<'u>(usable: &'u UsableConnection) -> impl Fn(&str) -> Option<&'u str> + Copy {
    move |name| usable.secrets.get(&SecretName::item("tokens", name)).map(|secret| secret.reveal())
}

/// Writes a presentation out.
///
/// # Errors
/// [`Refusal::ConnectionUnusable`] where a value is missing, or cannot stand in a header.
pub(crate) fn render<'v>(
    what: &Presentation,
    value_of: impl Fn(&str) -> Option<&'v str>,
) -> Result<Added, Refusal> {
    const MISSING: Refusal =
        Refusal::ConnectionUnusable("The connection lacks a secret or setting that it needs");
    Ok(match what {
        Presentation::Header { name, value } => {
            let name = name.parse().map_err(|_| MISSING)?;
            Added::Header(name, header_value(&value.fill(value_of).ok_or(MISSING)?)?)
        }
        Presentation::Query { name, value } => {
            let value = value.fill(value_of).ok_or(MISSING)?;
            Added::Query(query::pair(name, &value))
        }
        Presentation::Bearer(value) => {
            let value = value.fill(value_of).ok_or(MISSING)?;
            Added::Header(
                http::header::AUTHORIZATION,
                header_value(&Zeroizing::new(format!("Bearer {}", *value)))?,
            )
        }
        Presentation::Basic { user, password } => {
            let user = user.fill(&value_of).ok_or(MISSING)?;
            let password = password.fill(&value_of).ok_or(MISSING)?;
            let pair = Zeroizing::new(format!("{}:{}", *user, *password));
            let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
            Added::Header(
                http::header::AUTHORIZATION,
                header_value(&Zeroizing::new(format!("Basic {}", *encoded)))?,
            )
        }
        Presentation::AwsSignature => Added::AwsSignature,
        Presentation::HttpTemplate => return Err(MISSING),
    })
}

/// A header's value, which may be a secret.
pub(crate) fn header_value(text: &str) -> Result<HeaderValue, Refusal> {
    let unusable =
        Refusal::ConnectionUnusable("A secret of the connection has characters that a header cannot have");
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| unusable)?;
    value.set_sensitive(true);
    Ok(value)
}
