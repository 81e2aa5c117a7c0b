//! The network as the guard uses it: looking names up, and dialling addresses. Both can be replaced, so that tests can
//! play a hostile name server and see what would have been dialled.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::pin::Pin;

use tokio::net::TcpStream;

use crate::hosts_file;

/// What is going to be.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Looks names up.
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of a name. It may take its thread for as long as it likes; what it says is not kept.
    ///
    /// # Errors
    /// When there are none to be had.
    fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Opens connections.
pub trait Dialer: Send + Sync + 'static {
    /// A connection to this very address.
    fn dial(&self, address: SocketAddr) -> Soon<'_, io::Result<TcpStream>>;
}

/// The system's resolver, with whatever the operator has set it up with, but for one thing: a name with a dot in it is
/// looked up as it stands, and never with a domain of the system's search list behind it (resolv.conf(5), `search` and
/// `ndots`). In a cluster, `git.house` could otherwise be a service `git` in a namespace `house`, which whoever named the
/// host did not mean, or meant to reach by it. A name without a dot means nothing but in such a list or in the
/// operator's own, and is looked up as the system does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let is_whole = name.contains('.');
        if is_whole {
            let listed = hosts_file::addresses(Path::new(hosts_file::PATH), name)?;
            if !listed.is_empty() {
                return Ok(listed);
            }
        }
        // The dot at the end says that nothing is missing. The port is only for the form of the question.
        let name = if is_whole { format!("{name}.") } else { name.to_owned() };
        Ok((&*name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}

/// TCP.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDialer;

impl Dialer for SystemDialer {
    fn dial(&self, address: SocketAddr) -> Soon<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // Requests are written whole; waiting for more of them only costs time.
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}
