//! Which org a request is for: the one whose subdomain the host begins with, or the only one.

use std::fmt;

use claviger_http::App;
use claviger_model::{OrgId, RedirectOrigins};
use http::StatusCode;
use http::header::HOST;
use http::request::Parts;

use crate::error::Error;

/// What the operator decided for this dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    base_domain: Option<String>,
    /// The origin at which browsers reach the server.
    public_url: Option<String>,
    /// Whether the tokens of OAuth connections are shown in clear where one is shown, as the vendor does.
    pub(crate) shows_tokens: bool,
}

/// A text that is no public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicUrlError;

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
            true => Ok(Self { base_domain: Some(base_domain.to_ascii_lowercase()), ..Self::default() }),
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
                host_of(parts).and_then(|host| self.subdomain(host)).and_then(|it| app.engine().org_at(&it))
            }
        }
    }

    /// Browsers reach the server at this origin, to which they come back from authorization servers. Without one, no OAuth
    /// connection is begun.
    ///
    /// # Errors
    /// When the text is no `https` origin, nor an `http` one of this machine; when it has a path.
    pub fn with_public_url(self, text: &str) -> Result<Self, PublicUrlError> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        let origins = RedirectOrigins::parse([bare]).map_err(|_| PublicUrlError)?;
        Ok(Self { public_url: origins.texts().pop(), ..self })
    }

    /// Whoever is shown one OAuth connection is shown its tokens in clear, as the vendor does.
    pub fn showing_tokens(self, shows_tokens: bool) -> Self {
        Self { shows_tokens, ..self }
    }

    /// Where authorization servers send browsers back to.
    pub fn redirect_uri(&self) -> Option<String> {
        self.public_url.as_ref().map(|origin| format!("{origin}{}", crate::oauth::CALLBACK))
    }

    /// The origin by which the org of a request is reached: the public one, or the request's own host under the base domain.
    pub(crate) fn origin_for(&self, parts_host: Option<&str>) -> Option<String> {
        let public = self.public_url.as_ref()?;
        let Some(subdomain) = parts_host.and_then(|host| self.subdomain(host)) else {
            return Some(public.clone());
        };
        let (scheme, authority) = public.split_once("://")?;
        let port = authority.rsplit_once(':').map(|(_, port)| format!(":{port}")).unwrap_or_default();
        Some(format!("{scheme}://{subdomain}.{}{port}", self.base_domain.as_deref()?))
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

impl fmt::Display for PublicUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no address of a server: write it as https://claviger.example.com, without a path")
    }
}

impl std::error::Error for PublicUrlError {}

/// The host that a request names.
pub(crate) fn host_of(parts: &Parts) -> Option<&str> {
    let named = parts.uri.authority().map(http::uri::Authority::as_str);
    // Of two, whoever stands in front may have meant the other.
    let mut hosts = parts.headers.get_all(HOST).iter();
    let alone = hosts.next().filter(|_| hosts.next().is_none());
    named.or_else(|| alone?.to_str().ok())
}

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
    fn an_org_is_reached_under_the_base_domain() {
        let public = Options::default().with_public_url("https://claviger.example:8443/").unwrap();
        let callback = "https://claviger.example:8443/api/services/zis/connections/oauth/callback";
        assert_eq!(public.redirect_uri().as_deref(), Some(callback));
        let origin = public.origin_for(Some("evil.example"));
        assert_eq!(origin.as_deref(), Some("https://claviger.example:8443"));
        let under = Options::under("claviger.example").unwrap();
        assert_eq!((under.redirect_uri(), under.origin_for(Some("acme.claviger.example"))), (None, None));
        let both = under.with_public_url("https://zis.claviger.example:8443").unwrap();
        let origin = both.origin_for(Some("Acme.claviger.example:99"));
        assert_eq!(origin.as_deref(), Some("https://acme.claviger.example:8443"));
        for text in
            ["", "claviger.example", "http://claviger.example", "https://a.example/b", "https://*.a.example"]
        {
            assert_eq!(Options::default().with_public_url(text), Err(PublicUrlError), "{text}");
        }
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
