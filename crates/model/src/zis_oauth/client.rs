//! A client, its name, and what it asks for and how.

use std::fmt;
use std::str::FromStr;

use super::url::host_of;
use super::{ZisOAuthError, ZisUrl, ZisUrlSubdomain};
use crate::{AllowedDomain, OrgId, Timestamp, UserId, ZisOAuthClientId};

/// The longest name of a client: the vendor names no limit.
pub(super) const NAME_CHARS_MAX: usize = 64;
/// The longest list of scopes: the vendor names no limit, and they are a part of an address.
pub(super) const SCOPES_BYTES_MAX: usize = 1024;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
