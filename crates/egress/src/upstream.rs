//! What the operator says of single hosts.

use std::net::IpAddr;
use std::num::NonZeroU16;

use claviger_model::Host;

use crate::Roots;

/// The operator's word on where a host is and whom to trust for it: split DNS, an authority of the house, a stand-in for
/// tests. It stands in place of looking the name up and of checking its address, for every org.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The host that callers name.
    pub host: Host,
    /// The port that they name; none for the one that goes without saying. By every other port the host is looked up and
    /// checked like all: what else listens at the address is none of theirs.
    pub named_port: Option<NonZeroU16>,
    /// Where it is.
    pub address: IpAddr,
    /// The port there, if it is another one than callers name.
    pub port: Option<NonZeroU16>,
    /// The authorities that alone are trusted for it, if not those for all.
    pub roots: Option<Roots>,
}
