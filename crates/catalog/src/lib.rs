//! Integrations as data: what a connection of each type holds, which of it is secret, where it may go, and how a
//! credential stands in a request.
//!
//! `integrations.toml` describes every type; all else follows from it. [`Catalog::create`] and [`Connection::update`]
//! take a body apart into [`Settings`], kept in clear, and [`Secrets`], to be sealed, or say everything that is wrong
//! with it. [`Connection`] is a stored one as its entry sees it: how it is shown, its base URL, the hosts that it may
//! go to, what is added to its requests. What several entries share is data; what only one needs is code that the
//! entry chooses by name: exchanges ([`Exchange`]), rules about hosts ([`HostRule`]), the template of HTTP connections
//! ([`template`]).
//!
//! No I/O, no HTTP, no vault: a secret passes through as a [`SecretText`], that does not print.

mod adopt;
mod aws;
mod azure;
mod catalog;
mod connection;
mod create;
mod entry;
mod exchange;
mod fault;
mod field;
mod format;
mod host;
mod inject;
mod load;
mod merge;
mod placeholder;
mod placement;
mod request;
mod schema;
mod secret;
mod settings;
pub mod template;
mod update;
mod vendor;
mod zis;
mod zis_body;

pub use adopt::Compared;
pub use aws::Signing;
pub use catalog::{Catalog, UnknownType};
pub use connection::{AllowedHosts, Connection, Destination, HostRefusal};
pub use create::{Created, ServerValues};
pub use entry::{CredentialType, HostRule, Integration};
pub use exchange::Exchange;
pub use fault::{FAULTS_MAX, Fault, Faults, Warning};
pub use field::{Field, Made, Place, Shape, StandsFor};
pub use format::Format;
pub use host::{BaseUrl, HostPattern, UrlError};
pub use inject::{Injection, Presentation, Probe, Retry, Strip, Wait, WaitUnit, When};
pub use load::CatalogError;
pub use placeholder::Text;
pub use request::LIST_MAX;
pub use schema::SchemaOf;
pub use secret::{SecretJson, SecretName, SecretNameError, SecretText, Secrets};
pub use settings::{HttpBody, NamedValue, Setting, Settings};
pub use update::Updated;
pub use zis::{ZIS_INTEGRATION, ZisOAuthSettings, ZisSettings, ZisType};
pub use zis_body::{NewZis, ZisCompared, ZisPatch};

pub use claviger_model::{Host, Origin, Scheme};
