//! Everything that is kept: one SQL text for SQLite and PostgreSQL, in one crate.
//!
//! - [`Database`] is an opened and migrated database; [`Database::start`] makes it a [`Store`] with its writer.
//! - A [`Change`] is a value, built by this crate's functions and committed with [`Store::commit`]. Changes are
//!   serial: one writer runs each in a savepoint of its own and commits what is waiting together, each with its
//!   entry in the ledger. The committed batches come out of the [`Feed`]; nobody is answered before whoever
//!   follows the feed acknowledges a batch.
//! - Reads are plain functions: `find_…` may return nothing, `list_…` pages.
//!
//! Nothing above this crate writes SQL, and nothing in it knows HTTP. Who may do what is the engine's matter.

mod backup;
mod batch;
mod change;
mod checkpoint;
mod connection_calls;
mod connection_checks;
mod connection_expiry;
mod connection_history;
mod connection_list;
mod connections;
mod credential_list;
mod credentials;
mod database;
mod error;
mod expiry;
mod founding;
mod import;
mod invitations;
mod last_used;
mod leaks;
mod ledger;
mod metrics;
mod migrate;
mod names;
mod own_permissions;
mod passwords;
mod people;
mod people_list;
mod postgres;
mod principals;
mod read;
mod registrations;
mod role_list;
mod roles;
mod rotation;
mod sessions;
mod snapshot;
mod sqlite;
mod state;
mod user_list;
mod users;
mod value;
mod vault_keys;
mod verify;
mod webhook_standings;
mod webhooks;
mod zis_integrations;
mod zis_oauth_clients;
mod zis_oauth_flows;
mod zis_oauth_refreshes;

pub use backup::{BackupError, BackupSummary, CheckedBackup, DeadSecrets, Restored, check_backup};
pub use batch::{Batch, Feed};
pub use change::{Action, Actor, Change, Subject};
pub use checkpoint::{Checkpoint, ParseCheckpointError};
pub use connection_calls::CallBatch;
pub use connection_list::{ConnectionCursor, ConnectionFilter, ConnectionSort};
pub use connections::{ConnectionSecret, connection_secret_place};
pub use credential_list::{CredentialFilter, CredentialPage, CredentialSort, Page, SortKey};
pub use credentials::{
    FIRST_SECRET_REVISION, KnownBinding, KnownSecret, LiveSecret, Names, NewSecret, SESSIONS_PER_USER_MAX,
    SealedSecret,
};
pub use database::{Database, Location, Store};
pub use error::{CommitError, Refusal, StoreError};
pub use founding::Founding;
pub use import::ImportedOrg;
pub use ledger::{Entry, framed};
pub use metrics::StoreMetrics;
pub use passwords::{StoredPassword, password_place};
pub use people_list::{PeoplePage, SortBy};
pub use postgres::with_root_certificates;
pub use registrations::REGISTRATIONS_PER_ORG_MAX;
pub use role_list::{ListedRole, RoleFilter, RoleSort};
pub use rotation::Rotation;
pub use snapshot::Snapshot;
pub use user_list::{UserFilter, UserSort, UserStatus};
pub use vault_keys::Rewrapped;
pub use verify::{Check, Fault, Finding, Report};
pub use webhooks::{WEBHOOKS_PER_ORG_MAX, WebhookSecrets};
pub use zis_integrations::{ZIS_INTEGRATIONS_PER_ORG_MAX, signing_key_place};
pub use zis_oauth_clients::{EmptiedConnection, ZIS_OAUTH_CLIENTS_MAX, client_secret_place};
pub use zis_oauth_flows::{FlowStage, ZIS_OAUTH_FLOWS_MAX, ZisOAuthFlow, flow_place};
pub use zis_oauth_refreshes::{FenceHolder, RefusedGrant, ZisOAuthFence};
