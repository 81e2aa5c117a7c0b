//! Addresses of authorization servers, and what stands in the place that they may have for a subdomain.

use std::fmt;
use std::str::FromStr;

use super::ZisOAuthError;
use crate::{AllowedDomain, Target};

/// The place of a subdomain in a client's address.
pub(super) const PLACE: &str = "{subdomain}";

/// An `https` address of an authorization server. `{subdomain}` may stand for one whole label of its host.
///
/// It does not stand directly below a public suffix: a connection's maker, who fills it in, need not be the client's, and
/// would send the client's secret to whomever they like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZisUrl(String);

impl ZisUrl {
    /// One that was kept. What a list of public suffixes admitted once, a newer one may refuse: it is checked again when
    /// it is filled.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// The address, with the place of the subdomain as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it needs a subdomain.
    pub fn has_place(&self) -> bool {
        self.0.contains(PLACE)
    }

    /// The address to be called.
    ///
    /// # Errors
    /// When the subdomain is missing, or makes the host too long; when the address would be refused today.
    pub fn fill(&self, subdomain: Option<&ZisUrlSubdomain>) -> Result<Target, ZisOAuthError> {
        self.0.parse::<Self>()?;
        let filled = match (self.has_place(), subdomain) {
            (false, _) => return secure(&self.0),
            (true, None) => return Err(ZisOAuthError::SubdomainMissing),
            (true, Some(subdomain)) => self.0.replacen(PLACE, subdomain.as_str(), 1),
        };
        secure(&filled)
    }
}

impl FromStr for ZisUrl {
    type Err = ZisOAuthError;

    fn from_str(text: &str) -> Result<Self, ZisOAuthError> {
        if let Some((before, after)) = text.split_once(PLACE) {
            let begins_label = before.ends_with("://") || before.ends_with('.');
            let is_in_host = before.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?']));
            let end = after.find(['/', '?']).unwrap_or(after.len());
            let below = after[..end].strip_prefix('.').unwrap_or_default();
            if !begins_label || !is_in_host || below.is_empty() || after.contains(PLACE) {
                return Err(ZisOAuthError::Place);
            }
            let below = below.rsplit_once(':').map_or(below, |(name, _)| name);
            let spanned: Result<AllowedDomain, _> = format!("*.{below}").parse();
            spanned.map_err(ZisOAuthError::Owners)?;
        }
        secure(&text.replacen(PLACE, "a", 1))?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ZisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address that is called over TLS, by a name.
fn secure(text: &str) -> Result<Target, ZisOAuthError> {
    let target: Target = text.parse()?;
    if !target.origin().is_tls() {
        return Err(ZisOAuthError::Clear);
    }
    host_of(&target)?;
    Ok(target)
}

/// The host of an address, as the domain that what comes from there may go to.
///
/// # Errors
/// When it is an address, or too long.
pub(super) fn host_of(target: &Target) -> Result<AllowedDomain, ZisOAuthError> {
    target.origin().host().to_string().parse().map_err(ZisOAuthError::Host)
}

/// One label of a host's name, in lower case: what stands in the place of `{subdomain}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZisUrlSubdomain(String);

impl ZisUrlSubdomain {
    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ZisUrlSubdomain {
    type Err = ZisOAuthError;

    fn from_str(text: &str) -> Result<Self, ZisOAuthError> {
        let is_label = (1..=63).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if is_label { Ok(Self(text.to_ascii_lowercase())) } else { Err(ZisOAuthError::Subdomain) }
    }
}

impl fmt::Display for ZisUrlSubdomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subdomain_stands_for_one_whole_label_of_the_host() {
        let acme: ZisUrlSubdomain = "Acme-1".parse().unwrap();
        for (text, filled) in [
            ("https://{subdomain}.example.com/token", "https://acme-1.example.com/token"),
            ("https://{subdomain}.example.com:8443", "https://acme-1.example.com:8443"),
            ("https://login.{subdomain}.example.com/a?b=c", "https://login.acme-1.example.com/a?b=c"),
            ("https://example.com/token", "https://example.com/token"),
        ] {
            let url: ZisUrl = text.parse().unwrap();
            assert_eq!((url.to_string(), url.has_place()), (text.to_owned(), text.contains('{')));
            assert_eq!(url.fill(Some(&acme)).unwrap().as_str(), filled);
            let without = url.fill(None).map(|target| target.as_str().to_owned());
            let missing = Err(ZisOAuthError::SubdomainMissing);
            assert_eq!(without, if url.has_place() { missing } else { Ok(filled.to_owned()) });
        }
        for text in ["", "-a", "a-", "a.b", "a/b", "a@b", "ä", "a:1", &"a".repeat(64)] {
            assert_eq!(text.parse::<ZisUrlSubdomain>(), Err(ZisOAuthError::Subdomain), "{text}");
        }
    }

    #[test]
    fn an_address_that_is_called_otherwise_is_none() {
        let refused = |text: &str| text.parse::<ZisUrl>().unwrap_err();
        for text in [
            "https://{subdomain}/token",
            "https://a{subdomain}.example.com",
            "https://{subdomain}b.example.com",
            "https://example.com/{subdomain}",
            "https://example.com?{subdomain}.b",
            "https://{subdomain}.{subdomain}.example.com",
            "https://example.{subdomain}",
            "https://{subdomain}:443",
        ] {
            assert_eq!(refused(text), ZisOAuthError::Place, "{text}");
        }
        // Whoever names the subdomain would name the owner.
        for text in
            ["https://{subdomain}.com/token", "https://{subdomain}.github.io", "https://a.{subdomain}.co.uk"]
        {
            assert!(matches!(refused(text), ZisOAuthError::Owners(_)), "{text}");
        }
        assert_eq!(refused("http://example.com"), ZisOAuthError::Clear);
        for text in ["https://127.0.0.1/token", "https://[::1]/token"] {
            assert!(matches!(refused(text), ZisOAuthError::Host(_)), "{text}");
        }
        for text in [
            "",
            "example.com",
            "https://user@example.com",
            "https://example.com/{tenant}",
            "https://{a}.example.com",
        ] {
            assert!(matches!(refused(text), ZisOAuthError::Target(_)), "{text}");
        }
    }
}
