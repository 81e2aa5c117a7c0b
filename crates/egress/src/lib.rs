//! Connections outwards, to addresses that somebody else chose.
//!
//! A caller's word decides which host is called: a webhook's address, a connection's base URL, a provider's token
//! endpoint. From where the server stands, that could be its own loopback, the house's network, or the cloud's metadata
//! service. So there is one way out, [`Egress`]: the host's name is looked up once, *every* address that it has is
//! checked against [`Policy`] and the table of [`special`] ranges, and the connection goes to one of those very
//! addresses, so that a name cannot mean one thing to the check and another to the connection. TLS is then verified
//! against the name. There is no proxy, and nothing of the process's environment takes part but the system's resolver
//! and its authorities.
//!
//! Looking up takes a thread for as long as a name server likes; each org has its share of those ([`Egress::for_org`]).
//!
//! One address that is refused refuses the whole name: a name with a public and a private address is no accident.
//! Redirects, bodies and what HTTP makes of a connection are the caller's matter.
//!
//! What this cannot know: which IPv6 prefix, other than the well-known one, the network translates to IPv4 (NAT64), and
//! which public addresses are the operator's own. Both belong into [`Settings::denied`].

mod connection;
mod connector;
mod egress;
mod embedded;
mod error;
mod faults;
mod hosts_file;
mod lookups;
mod policy;
mod resolver;
mod roots;
pub mod special;
mod upstream;

pub use connection::Connection;
pub use connector::Connector;
pub use egress::{Egress, Settings, SettingsError};
pub use error::{ConnectError, Refusal};
pub use faults::Faults;
#[cfg(feature = "faults")]
pub use faults::Guard;
pub use policy::{Clear, Policy, PolicyError};
pub use resolver::{Dialer, Resolver, Soon, SystemDialer, SystemResolver};
pub use roots::{Roots, RootsError};
pub use upstream::Upstream;

pub use claviger_model::{
    Host, HostError, Network, NetworkError, OrgId, Origin, Scheme, Target, TargetError,
};
