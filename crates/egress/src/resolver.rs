//! The network as the guard uses it: looking names up, and dialling addresses. Both can be replaced, so that tests can
//! play a hostile name server and see what would have been dialled.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;

use tokio::net::TcpStream;

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

/// The system's resolver, with whatever the operator has set it up with.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // The port is only for the form of the question.
        Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
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
