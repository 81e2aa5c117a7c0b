//! The use cases: authenticate, authorise, act, record.
//!
//! A caller comes out of [`Engine::authenticate`], a [`Permit`] out of the caller, and every use case that needs
//! a right asks for the permit that stands for it, so that unchecked access does not compile. The directory
//! answers who a secret belongs to, from memory alone. Nothing here knows HTTP; how an [`Error`] looks on the
//! wire is each dialect's matter.

mod api_keys;
mod application_keys;
mod authenticate;
mod caller;
mod calls;
mod connections;
mod credentials;
mod dead_list;
mod deliveries;
mod directory;
mod engine;
mod error;
mod events;
mod founding;
mod given_keys;
mod grants;
mod guarding;
mod guards;
mod hashing;
mod import;
mod integration_tokens;
mod invitations;
mod keks;
mod leaks;
mod native_keys;
mod open_sessions;
mod org;
mod orgs;
mod own_permissions;
mod owned;
mod passwords;
mod permit;
mod personal_access_tokens;
mod registrations;
mod role_members;
mod roles;
mod rotation;
mod service_account_keys;
mod service_accounts;
mod sessions;
mod sweeping;
mod system_clock;
mod tenants;
mod tokens;
mod usage;
mod users;
mod using;
mod webhooks;
mod zis_connections;
mod zis_integrations;
mod zis_oauth;
mod zis_signing;

pub use api_keys::{ApiKeyPatch, NewApiKey};
pub use application_keys::{ApplicationKeyPatch, NewApplicationKey};
pub use authenticate::{AuthFailure, AuthReason, Presented};
pub use caller::{Caller, Origin};
pub use calls::{BegunUse, Call, CallPlace, Use, UsedBy};
pub use claviger_store::{
    CallBatch, ConnectionCursor, ConnectionFilter, ConnectionSort, CredentialFilter, CredentialPage,
    CredentialSort, ListedRole, Names, Page, PeoplePage, RoleFilter, RoleSort, SortBy, SortKey, StoreMetrics,
    UserFilter, UserSort, UserStatus,
};
pub use connections::{
    AwsPrincipal, CONNECTION_HOSTS_MAX, ConnectionKey, ConnectionOptions, ConnectionPatch,
    ExportedConnection, ExportedZis, HistoryEntry, NewConnection, RESTRICTION_PRINCIPALS_MAX, SelfLockout,
    ShownConnection, read_terms, shown_terms, terms_schema,
};
pub use credentials::{Changed, KeyRef, Shown};
pub use dead_list::{DeadList, NoDeadList};
pub use deliveries::Upcoming;
pub use directory::ApiKeyIdentity;
pub use engine::{Background, Engine, EngineOptions};
pub use error::{Error, FieldError, Thing};
pub use events::Event;
pub use founding::{FIRST_API_KEY, FIRST_APPLICATION_KEY, FirstOrg, Founded, OrgDraft};
pub use guarding::{Exhausted, Source};
pub use guards::{Guarded, GuardsPatch, OwnedKind};
pub use import::{Fault, GeneratedSecret, ImportError, Imported};
pub use keks::{KekUse, KekWork, RewrapError};
pub use leaks::LeakReport;
pub use native_keys::{METADATA_BYTES_MAX, Metadata, MetadataError, NativeKeyPatch, NewNativeKey};
pub use open_sessions::{SESSION_IDLE, SESSION_LIFETIME};
pub use org::OrgPatch;
pub use orgs::{Operator, OrgChange};
pub use passwords::PasswordChange;
pub use permit::{Permit, Right, rights};
pub use personal_access_tokens::NewPersonalAccessToken;
pub use roles::{NewRole, RolePatch};
pub use rotation::{Grace, Rotated};
pub use service_account_keys::NewServiceAccessToken;
pub use sessions::{SignInError, SignedIn};
pub use system_clock::SystemClock;
pub use tokens::TokenPatch;
pub use users::{NewUser, UserPatch};
pub use using::{DueConnection, Proof, UsableConnection, UsableSettings, UseKey};
pub use webhooks::{NewWebhook, ROTATION_OVERLAP, ShownWebhook, WebhookPatch};
pub use zis_connections::{NewZisConnection, ShownZisConnection, ZisConnectionKey, ZisConnectionPatch};
pub use zis_integrations::ShownZisIntegration;
pub use zis_oauth::{
    GrantedTokens, NewZisOAuthClient, NewZisOAuthFlow, OAuthFence, OAuthToken, OAuthTokenRead,
    OpenedZisOAuthClient, PendingFlow, Renewal, ReturnedFlow, ShownTokens, ZIS_OAUTH_FLOW_TIME,
    ZisOAuthClientPatch, ZisOAuthKey,
};
pub use zis_signing::{ZIS_TOKEN_LASTS, ZisToken};
