//! Whom TLS trusts.

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// Whom TLS trusts.
#[derive(Debug, Clone)]
pub struct Roots(pub(crate) RootCertStore);

/// There are no certificates of authorities.
#[derive(Debug, thiserror::Error)]
#[error(
    "no certificates of authorities can be used: install the system's, or name a file of them in SSL_CERT_FILE"
)]
pub struct RootsError(#[source] Option<Box<dyn std::error::Error + Send + Sync>>);

impl Roots {
    /// The authorities that the system trusts: a self-hosted server has upstreams of the same house, behind an authority
    /// of that house.
    ///
    /// # Errors
    /// When it names none.
    pub fn of_system() -> Result<Self, RootsError> {
        let mut found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Some systems have a few that nobody can read; only to have none is an error.
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        match usable {
            0 => Err(RootsError(found.errors.pop().map(Into::into))),
            _ => Ok(Self(roots)),
        }
    }

    /// Nobody: then nothing can be called over TLS.
    pub fn none() -> Self {
        Self(RootCertStore::empty())
    }

    /// These authorities alone, in PEM form.
    ///
    /// # Errors
    /// When there is none, or one of them is none.
    pub fn parse(pem: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| RootsError(Some(error.into())))?;
            roots.add(certificate).map_err(|error| RootsError(Some(error.into())))?;
        }
        if roots.is_empty() { Err(RootsError(None)) } else { Ok(Self(roots)) }
    }
}
