//! How far calls may go for one org.

use std::collections::BTreeSet;
use std::net::IpAddr;

use claviger_model::{Host, Network, Origin};

use crate::Refusal;
use crate::embedded::embedded;
use crate::special::{self, Reach};

/// How far calls may go. Unless told otherwise: to public addresses, over TLS.
///
/// Some ranges are out of every policy's reach, since no host that anybody would mean is there: metadata services,
/// link-local, multicast, reserved, and what is translated to IPv4 in ways that cannot be checked. Only an
/// [`Upstream`](crate::Upstream) of the operator's leads there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    networks: Vec<Network>,
    clear: Clear,
}

/// Where plain http may be used. The address must be private in each case: what goes to the Internet in clear is
/// everybody's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Clear {
    /// Nowhere.
    #[default]
    Never,
    /// To these hosts.
    Hosts(BTreeSet<Host>),
    /// To every private host.
    Private,
}

/// A network that cannot be allowed; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not within a range of private addresses")]
pub struct PolicyError;

/// What an address that may be called is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Public,
    Private,
}

impl Policy {
    /// To public addresses, over TLS.
    pub fn public() -> Self {
        Self::default()
    }

    /// To every private network too, and in clear there: for a server in a closed network, on its operator's word.
    pub fn private_too() -> Self {
        let networks = special::private().map(|special| special.network).collect();
        Self { networks, clear: Clear::Private }
    }

    /// Allows a network of private addresses too.
    ///
    /// # Errors
    /// When it is not wholly within one range of private addresses: wider ones would allow what nobody thought of.
    pub fn allow(mut self, network: Network) -> Result<Self, PolicyError> {
        if !special::private().any(|special| special.network.covers(&network)) {
            return Err(PolicyError);
        }
        self.networks.push(network);
        Ok(self)
    }

    /// Says where plain http may be used.
    pub fn with_clear(self, clear: Clear) -> Self {
        Self { clear, ..self }
    }

    /// What can be refused without looking a name up, for whoever takes an address now and calls it later. That nothing
    /// is refused here promises nothing.
    ///
    /// # Errors
    /// When no connection to it will be made under this policy.
    pub fn check(&self, origin: &Origin) -> Result<(), Refusal> {
        let is_clear = !origin.is_tls();
        if is_clear && !self.admits_clear(origin.host()) {
            return Err(Refusal::Clear);
        }
        origin.host().address().map_or(Ok(()), |address| self.admit(address, is_clear))
    }

    /// Whether an address may be called so.
    pub(crate) fn admit(&self, address: IpAddr, is_clear: bool) -> Result<(), Refusal> {
        match self.judge(address)? {
            Standing::Public if is_clear => Err(Refusal::Clear),
            Standing::Public | Standing::Private => Ok(()),
        }
    }

    /// Whether plain http may be used with a host, as far as can be said without its addresses.
    pub(crate) fn admits_clear(&self, host: &Host) -> bool {
        match &self.clear {
            Clear::Never => false,
            Clear::Hosts(hosts) => hosts.contains(host),
            Clear::Private => true,
        }
    }

    /// Whether an address may be called, and with it the IPv4 address that it may lead to.
    fn judge(&self, address: IpAddr) -> Result<Standing, Refusal> {
        let address = address.to_canonical();
        let inner = embedded(address).map_or(Ok(Standing::Public), |inner| self.judge(inner))?;
        let Some(special) = special::find(address) else { return Ok(inner) };
        match special.reach {
            Reach::Metadata => Err(Refusal::Metadata),
            Reach::Private if self.networks.iter().any(|network| network.contains(address)) => {
                Ok(Standing::Private)
            }
            Reach::Private | Reach::Never => {
                Err(Refusal::NotPublic { name: special.name, network: special.network })
            }
        }
    }
}
