//! Connections: a third party's credentials under a name, of a type, with what is known of them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::{ConnectionId, OrgId, Restriction, Tags, Terms, Timestamp, UserId};

/// By which API a connection was made, and is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionDialect {
    /// Action connections.
    Datadog,
    /// ZIS connections.
    Zendesk,
}

impl ConnectionDialect {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Datadog => "datadog",
            Self::Zendesk => "zendesk",
        }
    }
}

/// A text that is none of the words for a connection's dialect, secrets or health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseConnectionError;

impl fmt::Display for ParseConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not known")
    }
}

impl std::error::Error for ParseConnectionError {}

impl fmt::Display for ConnectionDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ConnectionDialect {
    type Err = ParseConnectionError;

    fn from_str(text: &str) -> Result<Self, ParseConnectionError> {
        let all = [Self::Datadog, Self::Zendesk];
        all.into_iter().find(|dialect| dialect.as_str() == text).ok_or(ParseConnectionError)
    }
}

/// A connection without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub org: OrgId,
    /// By which API it was made.
    pub dialect: ConnectionDialect,
    /// What its name is unique within, where names are.
    pub container: Option<String>,
    /// Its name.
    pub name: String,
    /// The type of integration.
    pub integration: String,
    /// The type of its credentials.
    pub credentials: String,
    /// All that is no secret, as the catalog writes it: JSON.
    pub settings: String,
    /// Hosts that it names by itself, beside those that follow from its settings.
    pub hosts: Vec<String>,
    /// Its tags, if any were ever given.
    pub tags: Option<Tags>,
    /// Which secrets it has.
    pub secrets: ConnectionSecrets,
    /// Who may do what; where there is none, the permission alone decides.
    pub restriction: Option<Restriction>,
    /// On what terms it is used.
    pub terms: Terms,
    /// Grows with each change, so that a change made from a stale reading is refused.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: UserId,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// By whom.
    pub modified_by: UserId,
    /// When its owner means to have replaced its secrets: from then on it is not used.
    pub expires_at: Option<Timestamp>,
}

impl Connection {
    /// Whether its time is over, from when on it is not used.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// The names of a connection's secrets, and the connection's revision at which each was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionSecrets(pub BTreeMap<String, i64>);

/// As they are kept: `name=revision`, in order, parted by spaces.
impl fmt::Display for ConnectionSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, revision)) in self.0.iter().enumerate() {
            write!(f, "{}{name}={revision}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromStr for ConnectionSecrets {
    type Err = ParseConnectionError;

    fn from_str(text: &str) -> Result<Self, ParseConnectionError> {
        let one = |text: &str| {
            let (name, revision) = text.split_once('=').ok_or(ParseConnectionError)?;
            Ok((name.to_owned(), revision.parse().map_err(|_| ParseConnectionError)?))
        };
        text.split_ascii_whitespace().map(one).collect::<Result<_, _>>().map(Self)
    }
}

/// How the uses of a connection go: not part of the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionStanding {
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// What its last test said, why, and when that was.
    pub health: Option<(Health, Option<String>, Timestamp)>,
}

/// What a test of a connection said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The third party took the credentials.
    Ok,
    /// It refused them.
    Bad,
    /// It knows them, but they may not do what was asked.
    Limited,
    /// It could not be asked, or its answer says nothing.
    Unknown,
}

impl Health {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::Limited => "limited",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Health {
    type Err = ParseConnectionError;

    fn from_str(text: &str) -> Result<Self, ParseConnectionError> {
        let all = [Self::Ok, Self::Bad, Self::Limited, Self::Unknown];
        all.into_iter().find(|health| health.as_str() == text).ok_or(ParseConnectionError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_as_they_were_written() {
        let secrets: ConnectionSecrets = "api_token=3 tokens/one=12".parse().unwrap();
        assert_eq!(secrets.0.get("tokens/one"), Some(&12));
        assert_eq!(secrets.to_string(), "api_token=3 tokens/one=12");
        for text in ["api_token", "api_token=x"] {
            assert_eq!(text.parse::<ConnectionSecrets>(), Err(ParseConnectionError), "{text}");
        }
    }
}
