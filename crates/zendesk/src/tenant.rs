//! Which org a request is for (fact sheet, 1.1): the one whose subdomain the host begins with, or the only one.

use std::fmt;

use claviger_http::App;
use claviger_model::OrgId;
use http::StatusCode;
use http::header::HOST;
use http::request::Parts;

use crate::error::Error;

/// What the operator decided for this dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    base_domain: Option<String>,
}

/// A text that is no domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseDomainError;

impl Options {
    /// Orgs are told apart by their subdomains of this domain. Without one, every request is for the founding org.
    ///
    /// # Errors
    /// When the text is no domain: labels of letters, digits and `-`, parted by dots, with nothing around them.
    pub fn under(base_domain: &str) -> Result<Self, BaseDomainError> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        match base_domain.len() <= 253 && base_domain.split('.').all(is_label) {
            true => Ok(Self { base_domain: Some(base_domain.to_ascii_lowercase()) }),
            false => Err(BaseDomainError),
        }
    }

    /// Whether hosts tell orgs apart.
    pub fn tells_orgs_apart(&self) -> bool {
        self.base_domain.is_some()
    }

    /// The org that a request's host names; where hosts tell nothing, the founding org.
    pub fn org_by_host(&self, parts: &Parts, app: &App) -> Option<OrgId> {
        match self.base_domain {
            None => app.engine().founding_org(),
            Some(_) => {
                let named = parts.uri.authority().map(http::uri::Authority::as_str);
                let host = named.or_else(|| parts.headers.get(HOST)?.to_str().ok());
                host.and_then(|host| self.subdomain(host)).and_then(|it| app.engine().org_at(&it))
            }
        }
    }

    /// The subdomain that a host begins with, in lower case, where it is one label under the domain.
    fn subdomain(&self, host: &str) -> Option<String> {
        let host = without_port(host).to_ascii_lowercase();
        let under = host.strip_suffix('.').unwrap_or(&host).strip_suffix(self.base_domain.as_deref()?)?;
        under.strip_suffix('.').map(str::to_owned)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

impl fmt::Display for BaseDomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a domain: write it as example.com")
    }
}

impl std::error::Error for BaseDomainError {}

/// The org that a request is for.
///
/// # Errors
/// 404, before any credential is looked at, where no org is known by that host.
pub(crate) fn tenant(parts: &Parts, app: &App) -> Result<OrgId, Error> {
    let options = parts.extensions.get::<Options>().cloned().unwrap_or_default();
    let found = options.org_by_host(parts, app);
    found.ok_or_else(|| Error::new(StatusCode::NOT_FOUND, "No account is known by this host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_begins_with_one_label_under_the_domain() {
        let options = Options::under("Claviger.Example").unwrap();
        for host in ["acme.claviger.example", "ACME.claviger.EXAMPLE:7070", "acme.claviger.example."] {
            assert_eq!(options.subdomain(host).as_deref(), Some("acme"), "{host}");
        }
        for host in [
            "claviger.example",
            "acmeclaviger.example",
            "acme.example",
            "acme.claviger.example.evil.test",
            "",
        ] {
            assert_eq!(options.subdomain(host), None, "{host}");
        }
        // No org has such a subdomain.
        assert_eq!(options.subdomain("a.b.claviger.example").as_deref(), Some("a.b"));
    }

    #[test]
    fn a_base_domain_is_a_domain() {
        for text in ["localhost", "claviger.example", "a-b.example"] {
            assert!(Options::under(text).is_ok(), "{text}");
        }
        for text in
            ["", ".", "a..b", ".example", "example.", "*.example", "https://example", "a:1", "-a", "ä"]
        {
            assert_eq!(Options::under(text), Err(BaseDomainError), "{text}");
        }
    }
}
