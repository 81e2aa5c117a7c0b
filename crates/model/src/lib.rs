//! Domain types and rules of Claviger: what exists, what a valid one looks like, and what follows from it.
//!
//! Everything above depends on this crate and it depends on nothing of ours. It does no I/O and knows no
//! clock and no source of randomness: [`Clock`] and [`Random`] are parameters wherever they are needed.

mod chain;
mod collation;
mod credential;
mod event;
mod excerpt;
mod host;
mod id;
mod leak;
mod name;
mod people;
mod permission_list;
pub mod permissions;
mod position;
mod random;
mod target;
pub mod testing;
mod timestamp;
mod token_expiry;
mod webhook;

pub use chain::chain;
pub use collation::collation_key;
pub use credential::{Credential, CredentialDetail, CredentialKind, CredentialState, Expiry, ParseKindError};
pub use event::{EventType, ParseEventTypeError};
pub use excerpt::excerpt;
pub use host::{Host, HostError};
pub use id::{
    CredentialId, EntryId, InvitationId, LeakId, OrgId, ParseIdError, RequestId, RoleId, UserId, WebhookId,
};
pub use leak::{Leak, LeakPolicy, ParseLeakPolicyError};
pub use name::{Email, EmailError, NAME_CHARS_MAX, Name, NameError};
pub use people::{Invitation, ManagedRole, Org, OrgSettings, Role, User, UserKind};
pub use permissions::{Permission, PermissionSet, ScopeError, Scopes};
pub use position::{ParsePositionError, Position};
pub use random::Random;
pub use target::{Origin, Scheme, Target, TargetError};
pub use timestamp::{Clock, Timestamp};
pub use token_expiry::{TokenExpiry, TokenExpiryError};
pub use webhook::{Webhook, WebhookStanding};
