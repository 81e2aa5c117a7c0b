//! TLS for the server: a certificate with its key, and changing them while connections come in.
//!
//! Where the files are, who may read them and when they are looked at again is the program's matter.

use std::fmt;
use std::io;
use std::sync::{Arc, RwLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// A certificate, those that lead from it to its authority, and its key.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

/// Why there is no [`Identity`].
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate's text is none.
    #[error("there is no certificate in PEM form")]
    Certificate(#[source] pem::Error),
    /// The text holds no certificate.
    #[error("there is no certificate in PEM form")]
    NoCertificate,
    /// The key's text is none.
    #[error("there is no private key in PEM form, or it is encrypted")]
    Key(#[source] pem::Error),
    /// They are of no use, or do not belong together.
    #[error("the certificate and the key do not make a pair")]
    Pair(#[source] rustls::Error),
}

impl Identity {
    /// Reads a chain of certificates, the server's own first, and its key.
    ///
    /// # Errors
    /// When one of them is not PEM, or the key is not the certificate's.
    pub fn parse(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(IdentityError::Certificate)?;
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(IdentityError::Key)?;
        let pair = CertifiedKey::from_der(chain, key, &provider()).map_err(IdentityError::Pair)?;
        Ok(Self(Arc::new(pair)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// TLS as this server speaks it: versions 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN. Cheap to clone; clones share
/// the identity.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
}

impl Tls {
    /// TLS with this identity.
    pub fn new(identity: Identity) -> Self {
        let current = Arc::new(Current(RwLock::new(identity.0)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("the provider has the suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { acceptor: Arc::new(config).into(), current }
    }

    /// Shows another identity from the next handshake on. Connections that are open stay as they are.
    pub fn replace(&self, identity: Identity) {
        *self.current.0.write().expect("nothing panics while it holds this lock") = identity.0;
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// The identity of the moment, whatever name the client asks for.
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().expect("nothing panics while it holds this lock").clone())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

/// Named everywhere, so that no default of the process decides.
fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_pair_is_taken_and_anything_else_refused_without_being_repeated() {
        let ((certificate, key), (other, _)) = (pair(), pair());
        let parse = |certificate: &str, key: &str| Identity::parse(certificate.as_bytes(), key.as_bytes());
        let shown = format!(
            "{:?} {:?}",
            parse(&certificate, &key).unwrap(),
            Tls::new(parse(&certificate, &key).unwrap())
        );
        assert_eq!(shown, "Identity(..) Tls");
        assert!(matches!(parse(&other, &key), Err(IdentityError::Pair(_))));
        assert!(matches!(parse("", &key), Err(IdentityError::NoCertificate)));
        assert!(matches!(parse(&certificate, ""), Err(IdentityError::Key(_))));
        assert!(matches!(parse(&certificate, &certificate), Err(IdentityError::Key(_))));
        let cut = &key[..key.len() / 2];
        let refused = parse(&certificate, cut).unwrap_err();
        assert!(!format!("{refused:?}").contains(cut.lines().nth(1).unwrap()), "{refused:?}");
    }
}
