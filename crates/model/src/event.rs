//! What webhooks are told of.

use std::fmt;
use std::str::FromStr;

/// A kind of event. The text form is on the wire and in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// A credential was issued or imported.
    CredentialCreated,
    /// A credential died, whatever the reason.
    CredentialRevoked,
    /// A credential's time is nearly over.
    CredentialExpiring,
    /// A credential's secret was found where it should not be.
    CredentialLeaked,
    /// A connection was made or imported.
    ConnectionCreated,
    /// A connection was changed.
    ConnectionUpdated,
    /// It was said who may do what with a connection.
    ConnectionRestricted,
    /// A connection was deleted.
    ConnectionDeleted,
    /// A connection's time is nearly over.
    ConnectionExpiring,
    /// Somebody wants to know whether a webhook works. Goes to that webhook alone, whatever it asked for.
    WebhookTest,
}

impl EventType {
    /// Those that a webhook can ask for.
    pub const SUBSCRIBABLE: [Self; 9] = [
        Self::CredentialCreated,
        Self::CredentialRevoked,
        Self::CredentialExpiring,
        Self::CredentialLeaked,
        Self::ConnectionCreated,
        Self::ConnectionUpdated,
        Self::ConnectionRestricted,
        Self::ConnectionDeleted,
        Self::ConnectionExpiring,
    ];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialCreated => "credential.created",
            Self::CredentialRevoked => "credential.revoked",
            Self::CredentialExpiring => "credential.expiring",
            Self::CredentialLeaked => "credential.leaked",
            Self::ConnectionCreated => "connection.created",
            Self::ConnectionUpdated => "connection.updated",
            Self::ConnectionRestricted => "connection.restricted",
            Self::ConnectionDeleted => "connection.deleted",
            Self::ConnectionExpiring => "connection.expiring",
            Self::WebhookTest => "webhook.test",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no event that a webhook can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseEventTypeError;

impl fmt::Display for ParseEventTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = EventType::SUBSCRIBABLE.map(EventType::as_str);
        write!(f, "is none of {}", names.join(", "))
    }
}

impl std::error::Error for ParseEventTypeError {}

impl FromStr for EventType {
    type Err = ParseEventTypeError;

    fn from_str(text: &str) -> Result<Self, ParseEventTypeError> {
        Self::SUBSCRIBABLE.into_iter().find(|event| event.as_str() == text).ok_or(ParseEventTypeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked_for_survives_its_text() {
        for event in EventType::SUBSCRIBABLE {
            assert_eq!(event.as_str().parse(), Ok(event));
        }
        for text in ["", "credential", "webhook.test"] {
            assert_eq!(text.parse::<EventType>(), Err(ParseEventTypeError));
        }
    }
}
