//! OAuth clients of ZIS integrations: with what tokens are asked for, where, and where these may go then.
//!
//! Source: fact sheet on the Zendesk dialect, 8 and 9. That a client says where its tokens may go, and that browsers
//! are sent on to known origins alone, is ours: the vendor's documents are silent on both.

use std::fmt;
use std::str::FromStr;

use crate::{
    AllowedDomain, AllowedDomainError, OrgId, Origin, Target, TargetError, Timestamp, UserId,
    ZisOAuthClientId,
};

/// The place of a subdomain in a client's address.
const PLACE: &str = "{subdomain}";
/// The longest name of a client: the vendor names no limit.
const NAME_CHARS_MAX: usize = 64;
/// The longest list of scopes: the vendor names no limit, and they are a part of an address.
const SCOPES_BYTES_MAX: usize = 1024;
/// The most origins that an integration may send browsers on to.
pub const REDIRECT_ORIGINS_MAX: usize = 20;

/// How a client comes by tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZisGrant {
    /// A person agrees to it in a browser.
    #[default]
    AuthorizationCode,
    /// By being the client.
    ClientCredentials,
}

impl ZisGrant {
    const ALL: [Self; 2] = [Self::AuthorizationCode, Self::ClientCredentials];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

impl fmt::Display for ZisGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ZisGrant {
    type Err = ZisOAuthError;

    fn from_str(text: &str) -> Result<Self, ZisOAuthError> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text).ok_or(ZisOAuthError::Grant)
    }
}

/// A text that is none of what a client or its connections are described with; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZisOAuthError {
    /// No way to come by tokens that is known.
    Grant,
    /// No name of a client.
    Name,
    /// No scopes.
    Scopes,
    /// No address.
    Target(TargetError),
    /// An address that is not called over TLS.
    Clear,
    /// A host that no allowed domain can be.
    Host(AllowedDomainError),
    /// The place of a subdomain elsewhere than as one whole label of the host.
    Place,
    /// Names below belong to different owners, so that a subdomain would choose whose server the secret goes to.
    Owners(AllowedDomainError),
    /// No label of a host's name.
    Subdomain,
    /// The address has a place for a subdomain, and none was given.
    SubdomainMissing,
    /// The address has no place for the subdomain that was given.
    SubdomainSurplus,
    /// No origin.
    Origin,
    /// Too many origins.
    Origins,
}

impl fmt::Display for ZisOAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant => f.write_str("must be authorization_code or client_credentials"),
            Self::Name => write!(f, "must be 1 to {NAME_CHARS_MAX} visible ASCII characters"),
            Self::Scopes => write!(
                f,
                "must be at most {SCOPES_BYTES_MAX} visible ASCII characters, parted by single spaces, without \" and \\"
            ),
            Self::Target(error) => error.fmt(f),
            Self::Clear => f.write_str("must begin with https://"),
            Self::Host(error) => write!(f, "has a host that {error}"),
            Self::Place => write!(f, "must have {PLACE} once at most, as a whole label of its host"),
            Self::Owners(error) => write!(f, "leads with {PLACE} to any name below its host, which {error}"),
            Self::Subdomain => f.write_str("must be 1 to 63 letters, digits and -, with no - at either end"),
            Self::SubdomainMissing => f.write_str("is missing: the client's addresses have a place for it"),
            Self::SubdomainSurplus => f.write_str("has no place in the client's addresses"),
            Self::Origin => f.write_str(
                "must be origins as https://app.example.com, or http:// of this machine, without a path",
            ),
            Self::Origins => write!(f, "must be at most {REDIRECT_ORIGINS_MAX} origins"),
        }
    }
}

impl std::error::Error for ZisOAuthError {}

impl From<TargetError> for ZisOAuthError {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

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
fn host_of(target: &Target) -> Result<AllowedDomain, ZisOAuthError> {
    target.origin().host().to_string().parse().map_err(ZisOAuthError::Host)
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

/// Scopes of a third party, as OAuth writes them: words parted by single spaces (RFC 6749, 3.3). There may be none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZisOAuthScopes(String);

impl ZisOAuthScopes {
    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ZisOAuthScopes {
    type Err = ZisOAuthError;

    fn from_str(text: &str) -> Result<Self, ZisOAuthError> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
        };
        let fits = text.len() <= SCOPES_BYTES_MAX && (text.is_empty() || text.split(' ').all(is_word));
        if fits { Ok(Self(text.to_owned())) } else { Err(ZisOAuthError::Scopes) }
    }
}

impl fmt::Display for ZisOAuthScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a client: by it connections are begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZisOAuthClientName(String);

impl ZisOAuthClientName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ZisOAuthClientName {
    type Err = ZisOAuthError;

    fn from_str(text: &str) -> Result<Self, ZisOAuthError> {
        let is_inner = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let fits = (1..=NAME_CHARS_MAX).contains(&text.len())
            && text.bytes().all(is_inner)
            && !text.starts_with(' ')
            && !text.ends_with(' ');
        if fits { Ok(Self(text.to_owned())) } else { Err(ZisOAuthError::Name) }
    }
}

impl fmt::Display for ZisOAuthClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An OAuth client, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZisOAuthClient {
    /// Its id.
    pub id: ZisOAuthClientId,
    /// Whose it is.
    pub org: OrgId,
    /// The name of its integration.
    pub integration: String,
    /// Its name, unique within the integration.
    pub name: ZisOAuthClientName,
    /// Where browsers are sent; one that is never sent any needs none.
    pub auth_url: Option<ZisUrl>,
    /// Where tokens are asked for.
    pub token_url: ZisUrl,
    /// By what the authorization server knows it.
    pub client_id: String,
    /// What is asked for where nothing else is said.
    pub default_scopes: ZisOAuthScopes,
    /// How it comes by tokens where nothing else is said.
    pub grant: ZisGrant,
    /// Where its tokens may go; none for the host of its token address alone. Kept as text, since what was admitted once
    /// may be refused today.
    pub allowed_domain: Option<String>,
    /// The revision at which its secret was given: its seal is bound to it.
    pub secret_revision: i64,
    /// The revision at which it last became another one to the authorization server, or to those whom its tokens may go
    /// to: whatever was begun or given before is worth nothing.
    pub grant_revision: i64,
    /// Grows with each change, and with each connection that is made with it.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: UserId,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// By whom.
    pub modified_by: UserId,
}

impl ZisOAuthClient {
    /// Where the tokens of a connection with this subdomain may go.
    ///
    /// # Errors
    /// When the subdomain does not fit, or they may not go there any more.
    pub fn domain(&self, subdomain: Option<&ZisUrlSubdomain>) -> Result<AllowedDomain, ZisOAuthError> {
        match &self.allowed_domain {
            Some(domain) => domain.parse().map_err(ZisOAuthError::Host),
            None => host_of(&self.token_url.fill(subdomain)?),
        }
    }
}

/// The origins that an integration sends browsers on to, each once, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedirectOrigins(Vec<Origin>);

impl RedirectOrigins {
    /// Reads each.
    ///
    /// # Errors
    /// When one is none, has a path, or is in clear and not of this machine; when they are too many.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ZisOAuthError> {
        let mut origins = Vec::new();
        for text in texts {
            let target: Target = text.parse().map_err(|_| ZisOAuthError::Origin)?;
            let is_bare = target.as_str().split("://").nth(1).is_some_and(|rest| !rest.contains(['/', '?']));
            if !is_bare || !is_for_browsers(target.origin()) {
                return Err(ZisOAuthError::Origin);
            }
            if !origins.contains(target.origin()) {
                origins.push(target.origin().clone());
            }
        }
        if origins.len() > REDIRECT_ORIGINS_MAX { Err(ZisOAuthError::Origins) } else { Ok(Self(origins)) }
    }

    /// Whether browsers may be sent to an address.
    pub fn admit(&self, target: &Target) -> bool {
        self.0.contains(target.origin())
    }

    /// As they are written.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Over TLS, or on the browser's own machine, as where somebody develops.
fn is_for_browsers(origin: &Origin) -> bool {
    let host = origin.host();
    origin.is_tls() || host.name() == Some("localhost") || host.address().is_some_and(|it| it.is_loopback())
}

/// As they are kept: parted by spaces.
impl fmt::Display for RedirectOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(" "))
    }
}

impl FromStr for RedirectOrigins {
    type Err = ZisOAuthError;

    fn from_str(text: &str) -> Result<Self, ZisOAuthError> {
        Self::parse(text.split_ascii_whitespace())
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

    #[test]
    fn scopes_are_words_and_names_are_visible() {
        for text in ["", "read", "a.b:c/d e", "https://scope.example/x"] {
            assert_eq!(text.parse::<ZisOAuthScopes>().unwrap().as_str(), text);
        }
        for text in [" ", "a  b", " a", "a ", "a\nb", "ä", "a\"b", &"a".repeat(SCOPES_BYTES_MAX + 1)] {
            assert_eq!(text.parse::<ZisOAuthScopes>(), Err(ZisOAuthError::Scopes), "{text:?}");
        }
        for text in ["a", "My client #1", &"a".repeat(NAME_CHARS_MAX)] {
            assert_eq!(text.parse::<ZisOAuthClientName>().unwrap().as_str(), text);
        }
        for text in ["", " a", "a ", "ä", "a\0", &"a".repeat(NAME_CHARS_MAX + 1)] {
            assert_eq!(text.parse::<ZisOAuthClientName>(), Err(ZisOAuthError::Name), "{text:?}");
        }
    }

    #[test]
    fn browsers_are_sent_to_known_origins_alone() {
        let texts = ["https://app.example.com", "https://App.example.com:443", "http://localhost:3000"];
        let origins = RedirectOrigins::parse(texts).unwrap();
        assert_eq!(origins.to_string(), "https://app.example.com http://localhost:3000");
        assert_eq!(origins.to_string().parse(), Ok(origins.clone()));
        let admitted = |text: &str| origins.admit(&text.parse().unwrap());
        assert!(admitted("https://app.example.com/done?x=1") && admitted("http://localhost:3000"));
        for text in [
            "https://app.example.com.evil.example/",
            "http://app.example.com/",
            "https://app.example.com:8443/",
            "http://localhost/",
            "https://evil.example/?https://app.example.com",
        ] {
            assert!(!admitted(text), "{text}");
        }
        for text in [
            "http://app.example.com",
            "https://a.example/",
            "https://a.example/b",
            "*",
            "https://*.a.example",
            "",
        ] {
            assert_eq!(RedirectOrigins::parse([text]), Err(ZisOAuthError::Origin), "{text}");
        }
        let many: Vec<_> = (0..=REDIRECT_ORIGINS_MAX).map(|n| format!("https://a{n}.example")).collect();
        let many = many.iter().map(String::as_str);
        assert_eq!(RedirectOrigins::parse(many.clone()), Err(ZisOAuthError::Origins));
        assert!(RedirectOrigins::parse(many.skip(1)).is_ok());
    }
}
