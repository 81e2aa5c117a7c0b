//! ZIS integrations, the other vendor's containers of connections, and what the tokens that are bound to one may do.
//!
//! Sources: the vendor's API reference, "Integrations" of the registry and "Integration Services", its introduction.

use std::fmt;
use std::str::FromStr;

use crate::{OrgId, Permission, PermissionSet, RedirectOrigins, Timestamp, UserId, ZisIntegrationId};

/// The longest name of an integration.
pub const ZIS_NAME_CHARS_MAX: usize = 64;
/// The longest description of an integration: the vendor names no limit.
pub const ZIS_DESCRIPTION_CHARS_MAX: usize = 1024;
/// The most scopes that a token may name, and the longest of them: the vendor names no limits.
pub const ZIS_SCOPES_MAX: usize = 64;
const SCOPE_CHARS_MAX: usize = 64;

/// The name of an integration: lower-case letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ZisName(String);

/// A text that is no integration's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZisNameError;

impl ZisName {
    /// Checks a text and keeps it.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, ZisNameError> {
        let is_inner =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        let fits = (1..=ZIS_NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_inner);
        if fits { Ok(Self(text.to_owned())) } else { Err(ZisNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZisName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ZisName {
    type Err = ZisNameError;

    fn from_str(text: &str) -> Result<Self, ZisNameError> {
        Self::parse(text)
    }
}

impl fmt::Display for ZisNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be 1 to {ZIS_NAME_CHARS_MAX} lower-case letters, digits, - and _")
    }
}

impl std::error::Error for ZisNameError {}

/// The name of a ZIS connection: 3 to 64 letters, digits, `-` and `_`. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ZisConnectionName(String);

/// A text that is no connection's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZisConnectionNameError;

impl ZisConnectionName {
    /// Checks a text and keeps it.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, ZisConnectionNameError> {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let fits = (3..=64).contains(&text.len()) && text.bytes().all(is_inner);
        if fits { Ok(Self(text.to_owned())) } else { Err(ZisConnectionNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZisConnectionNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be 3 to 64 letters, digits, - and _")
    }
}

impl std::error::Error for ZisConnectionNameError {}

/// An integration, without its OAuth client's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZisIntegration {
    /// Its id.
    pub id: ZisIntegrationId,
    /// Whose it is.
    pub org: OrgId,
    /// Its name, unique within the org.
    pub name: ZisName,
    /// What it is for.
    pub description: String,
    /// The number by which requests name its OAuth client. It says nothing of how many there are.
    pub client_number: i64,
    /// Where browsers may be sent once a third party has sent them back.
    pub redirect_origins: RedirectOrigins,
    /// By what third parties check that a call is the integration's: PEM. None until it is first needed, of one that is older
    /// than such keys, or was imported.
    pub jwt_public_key: Option<String>,
    /// Grows with each change.
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

/// The scopes of an integration token, as they were asked for. Any word can be; few of them mean something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZisScopes(Vec<String>);

/// A list that cannot be the scopes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZisScopesError;

impl ZisScopes {
    /// Checks the words and keeps them, each once, in their order.
    ///
    /// # Errors
    /// When they are too many, or one is empty, too long, or not of visible ASCII characters.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, ZisScopesError> {
        let mut kept = Vec::<String>::new();
        for word in words {
            let is_word = (1..=SCOPE_CHARS_MAX).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_word || kept.len() == ZIS_SCOPES_MAX {
                return Err(ZisScopesError);
            }
            if !kept.iter().any(|known| known == word) {
                kept.push(word.to_owned());
            }
        }
        Ok(Self(kept))
    }

    /// The words.
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// What they allow: to write is not to read, to use a connection is to write, and whatever else is named allows
    /// nothing.
    pub fn rights(&self) -> PermissionSet {
        let rights = |word: &String| -> &'static [Permission] {
            match word.as_str() {
                "read" | "zis:read" => &[Permission::CONNECTIONS_READ],
                "write" | "zis:write" => &[Permission::CONNECTIONS_WRITE, Permission::CONNECTIONS_RESOLVE],
                _ => &[],
            }
        };
        self.0.iter().flat_map(rights).copied().collect()
    }
}

/// As they are kept: parted by spaces.
impl fmt::Display for ZisScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            write!(f, "{}{word}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromStr for ZisScopes {
    type Err = ZisScopesError;

    fn from_str(text: &str) -> Result<Self, ZisScopesError> {
        Self::parse(text.split_ascii_whitespace())
    }
}

impl fmt::Display for ZisScopesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be at most {ZIS_SCOPES_MAX} words of 1 to {SCOPE_CHARS_MAX} visible ASCII characters each"
        )
    }
}

impl std::error::Error for ZisScopesError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integrations_name_is_a_short_word_in_lower_case() {
        let longest = "a".repeat(ZIS_NAME_CHARS_MAX);
        for text in ["a", "my_integration", "my-integration-2", "_", "-", "0", &longest] {
            assert_eq!(ZisName::parse(text).map(|name| name.to_string()), Ok(text.to_owned()));
        }
        let too_long = "a".repeat(ZIS_NAME_CHARS_MAX + 1);
        for text in ["", "My", "a b", "a.b", "a/b", "ä", "a\n", &too_long] {
            assert_eq!(ZisName::parse(text), Err(ZisNameError), "{text:?}");
        }
    }

    #[test]
    fn a_connections_name_is_a_word_in_either_case() {
        let longest = "a".repeat(64);
        for text in ["abc", "My_Connection-2", "---", &longest] {
            assert_eq!(
                ZisConnectionName::parse(text).map(|name| name.as_str().to_owned()),
                Ok(text.to_owned())
            );
        }
        let too_long = "a".repeat(65);
        for text in ["", "ab", "a b", "a.b", "äää", "abc\n", &too_long] {
            assert_eq!(ZisConnectionName::parse(text), Err(ZisConnectionNameError), "{text:?}");
        }
    }

    #[test]
    fn scopes_survive_their_text_and_few_of_them_mean_something() {
        let scopes = ZisScopes::parse(["read", "tickets:write", "read", "zis:write"]).unwrap();
        assert_eq!(scopes.to_string(), "read tickets:write zis:write");
        assert_eq!(scopes.to_string().parse(), Ok(scopes.clone()));
        use Permission as P;
        let all = [P::CONNECTIONS_READ, P::CONNECTIONS_WRITE, P::CONNECTIONS_RESOLVE].into_iter().collect();
        assert_eq!(scopes.rights(), all);
        let write = ZisScopes::parse(["write"]).unwrap().rights();
        assert!(
            write.contains(Permission::CONNECTIONS_WRITE) && !write.contains(Permission::CONNECTIONS_READ)
        );
        for nothing in
            [ZisScopes::parse([]).unwrap(), ZisScopes::parse(["READ", "impersonate", "*"]).unwrap()]
        {
            assert_eq!(nothing.rights(), PermissionSet::EMPTY);
            assert_eq!(nothing.to_string().parse(), Ok(nothing));
        }
    }

    #[test]
    fn scopes_are_bounded_words() {
        let long = "a".repeat(SCOPE_CHARS_MAX + 1);
        for word in ["", "a b", "ä", "a\n", &long] {
            assert_eq!(ZisScopes::parse(["read", word]), Err(ZisScopesError), "{word:?}");
        }
        let many: Vec<_> = (0..=ZIS_SCOPES_MAX).map(|number| number.to_string()).collect();
        assert!(ZisScopes::parse(many[1..].iter().map(String::as_str)).is_ok());
        assert_eq!(ZisScopes::parse(many.iter().map(String::as_str)), Err(ZisScopesError));
    }
}
