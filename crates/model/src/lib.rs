//! Domain types and rules of Claviger: what exists, what a valid one looks like, and what follows from it.
//!
//! Everything above depends on this crate and it depends on nothing of ours. It does no I/O and knows no
//! clock and no source of randomness: [`Clock`] and [`Random`] are parameters wherever they are needed.

mod chain;
mod collation;
mod credential;
mod excerpt;
mod guards;
mod id;
mod name;
mod network;
mod people;
mod permission_list;
pub mod permissions;
mod position;
mod random;
pub mod testing;
mod timestamp;
mod token_expiry;

pub use chain::chain;
pub use collation::collation_key;
pub use credential::{Credential, CredentialDetail, CredentialKind, CredentialState, Expiry, ParseKindError};
pub use excerpt::excerpt;
pub use guards::{Guards, RequestLimit, RequestLimitError};
pub use id::{CredentialId, EntryId, InvitationId, OrgId, ParseIdError, RequestId, RoleId, UserId};
pub use name::{Email, EmailError, NAME_CHARS_MAX, Name, NameError};
pub use network::{AllowList, AllowListError, NETWORKS_MAX, Network, NetworkError};
pub use people::{Invitation, ManagedRole, Org, OrgSettings, Role, User, UserKind};
pub use permissions::{Permission, PermissionSet, ScopeError, Scopes};
pub use position::{ParsePositionError, Position};
pub use random::Random;
pub use timestamp::{Clock, Timestamp};
pub use token_expiry::{TokenExpiry, TokenExpiryError};
