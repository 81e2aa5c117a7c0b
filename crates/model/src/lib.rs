//! Domain types and rules of Claviger: what exists, what a valid one looks like, and what follows from it.
//!
//! Everything above depends on this crate and it depends on nothing of ours. It does no I/O and knows no
//! clock and no source of randomness: [`Clock`] and [`Random`] are parameters wherever they are needed.

mod allowed_domain;
mod chain;
mod collation;
mod connection;
mod credential;
mod event;
mod excerpt;
mod external_id;
mod guards;
mod header_name;
mod host;
mod id;
mod key_prefix;
mod leak;
mod name;
mod network;
mod own_permission;
mod people;
mod permission_list;
pub mod permissions;
mod position;
mod private_reach;
mod public_suffix;
mod random;
mod refused_header;
mod restriction;
mod subdomain;
mod tag;
mod target;
mod terms;
pub mod testing;
mod timestamp;
mod token_expiry;
mod webhook;
mod zis;
mod zis_oauth;

pub use allowed_domain::{ALLOWED_DOMAIN_CHARS_MAX, AllowedDomain, AllowedDomainError};
pub use chain::chain;
pub use collation::collation_key;
pub use connection::{
    Connection, ConnectionDialect, ConnectionSecrets, ConnectionStanding, Health, ParseConnectionError,
};
pub use credential::{Credential, CredentialDetail, CredentialKind, CredentialState, Expiry, ParseKindError};
pub use event::{EventType, ParseEventTypeError};
pub use excerpt::excerpt;
pub use external_id::{EXTERNAL_ID_CHARS_MAX, ExternalId, ExternalIdError};
pub use guards::{Guards, RequestLimit, RequestLimitError};
pub use header_name::{HEADER_NAME_CHARS_MAX, HeaderName, HeaderNameError, InjectedHeader};
pub use host::{Host, HostError};
pub use id::{
    ConnectionId, CredentialId, EntryId, InvitationId, LeakId, OrgId, ParseIdError, PermissionId, RequestId,
    RoleId, UserId, WebhookId, ZisIntegrationId, ZisOAuthClientId, ZisOAuthFlowId,
};
pub use key_prefix::{KEY_PREFIX_CHARS_MAX, KeyPrefix, KeyPrefixError};
pub use leak::{Leak, LeakPolicy, ParseLeakPolicyError};
pub use name::{Email, EmailError, NAME_CHARS_MAX, Name, NameError};
pub use network::{AllowList, AllowListError, NETWORKS_MAX, Network, NetworkError};
pub use own_permission::{
    OWN_NAME_CHARS_MAX, OWN_PERMISSIONS_MAX, OwnName, OwnNameError, OwnNumber, OwnPermission, OwnPermissions,
};
pub use people::{Invitation, ManagedRole, Org, OrgSettings, Role, User, UserKind};
pub use permissions::{Permission, PermissionSet, ScopeError, Scopes};
pub use position::{ParsePositionError, Position};
pub use private_reach::{PRIVATE_REACH_MAX, PrivateReach, PrivateReachError};
pub use random::Random;
pub use refused_header::HeaderRefusal;
pub use restriction::{ParseRestrictionError, Principal, Relation, Restriction};
pub use subdomain::{Subdomain, SubdomainError};
pub use tag::{TAGS_MAX, Tag, TagError, Tags};
pub use target::{Origin, Scheme, Target, TargetError};
pub use terms::{
    Audit, CHECK_SECONDS, CONCURRENCY_MAX, CallRule, RETRIES_MAX, RULE_PATH_BYTES_MAX, RuleMethod, RulePath,
    TERMS_RULES_MAX, TIMEOUT_SECONDS, Terms, TermsError,
};
pub use timestamp::{Clock, Timestamp};
pub use token_expiry::{TokenExpiry, TokenExpiryError};
pub use webhook::{Webhook, WebhookStanding};
pub use zis::{
    ZIS_DESCRIPTION_CHARS_MAX, ZIS_NAME_CHARS_MAX, ZIS_SCOPES_MAX, ZisConnectionName, ZisConnectionNameError,
    ZisIntegration, ZisName, ZisNameError, ZisScopes, ZisScopesError,
};
pub use zis_oauth::{
    REDIRECT_ORIGINS_MAX, RedirectOrigins, ZisGrant, ZisOAuthClient, ZisOAuthClientName, ZisOAuthError,
    ZisOAuthScopes, ZisUrl, ZisUrlSubdomain,
};
