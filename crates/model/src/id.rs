//! Ids. Each kind of thing has its own type, so that one cannot be passed for another.
//!
//! On the wire and in the database an id is a lower-case, dashed UUID.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::{Random, Timestamp};

/// A text that is no id: ids are 36 characters, hexadecimal with dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is a UUID of 36 characters with dashes")
    }
}

impl std::error::Error for ParseIdError {}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random id (UUID version 4).
            pub fn generate(random: &dyn Random) -> Self {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// A new id that begins with the time and is random beyond it (UUID version 7): what is made one
            /// after another stands side by side in an index, so that few of its pages are written.
            pub fn generate_at(random: &dyn Random, now: Timestamp) -> Self {
                let mut bytes = [0; 10];
                random.fill(&mut bytes);
                let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
            }

            /// The id with this value.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The value.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Takes the dashed form only, in either case; braces, `urn:` and bare hexadecimal are refused.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if text.len() != 36 {
                    return Err(ParseIdError);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError)
            }
        }
    )*};
}

ids! {
    /// A tenant.
    OrgId,
    /// A user or service account.
    UserId,
    /// A role.
    RoleId,
    /// An invitation of a user.
    InvitationId,
    /// An issued credential: API key, application key or token.
    CredentialId,
    /// A permission that an org has defined.
    PermissionId,
    /// A webhook.
    WebhookId,
    /// A connection.
    ConnectionId,
    /// A ZIS integration.
    ZisIntegrationId,
    /// An OAuth client of a ZIS integration.
    ZisOAuthClientId,
    /// What was begun with an OAuth client, and is not finished yet.
    ZisOAuthFlowId,
    /// A report that a secret was found where it should not be.
    LeakId,
    /// One entry of the ledger; it also settles whether a commit of unknown fate happened.
    EntryId,
    /// One HTTP request, as named in logs, answers and the ledger.
    RequestId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    #[test]
    fn an_id_is_a_random_uuid_and_survives_its_text() {
        let random = SeededRandom::new(1);
        let id = OrgId::generate(&random);
        assert_eq!(id.uuid().get_version_num(), 4);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, OrgId::generate(&random));
    }

    #[test]
    fn ids_of_later_moments_are_greater() {
        let random = SeededRandom::new(1);
        let at = |millis: i64| CredentialId::generate_at(&random, Timestamp::from_micros(millis * 1_000));
        let made: Vec<_> = (1_800_000_000_000..1_800_000_001_000).map(at).collect();
        assert!(made.is_sorted() && made.iter().all(|id| id.uuid().get_version_num() == 7));
        assert_ne!(at(5), at(5));
    }

    #[test]
    fn only_the_dashed_form_is_an_id() {
        for text in [
            "",
            "invalidId",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
            "67e55044-10b1-426f-9247-bb680e5fe0c",
            "67e55044-10b1-426f-9247-bb680e5fe0cg",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(ParseIdError), "{text:?}");
        }
        assert!("67E55044-10b1-426f-9247-bb680e5fe0c8".parse::<UserId>().is_ok());
    }
}
