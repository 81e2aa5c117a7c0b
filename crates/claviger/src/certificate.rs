//! The server's certificate and its key: two files, read at the start and looked at again while the server runs.
//!
//! A new pair is taken as soon as it is whole and good. Files are rarely replaced both at once, so what does not
//! fit together is refused, told once, and looked at again; the old pair serves meanwhile.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_http::{Identity, IdentityError, Tls};
use zeroize::Zeroizing;

use crate::private_file;

/// How often the files are looked at: seldom enough to cost nothing, and soon enough for whoever waits for it.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// Where a certificate and its key are, in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate, and after it those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why a certificate is not used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{} cannot be read: put it there, and let this user read it", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may read the key.
    #[error("others can read the TLS key: run `chmod 600 {}`", path.display())]
    Exposed {
        /// Where it is.
        path: PathBuf,
    },
    /// What the files hold is of no use.
    #[error(
        "{} and {} cannot be used for TLS: put a PEM certificate into the first and its unencrypted key into the second",
        files.certificate.display(),
        files.key.display()
    )]
    Unusable {
        /// Which.
        files: CertificateFiles,
        /// What is wrong with them.
        source: IdentityError,
    },
}

/// What the files held when they were looked at, to be told from what they hold later. Nobody gains by making two
/// contents look alike, so that any hash will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl CertificateFiles {
    /// Reads the pair.
    ///
    /// # Errors
    /// When a file cannot be read, others may read the key, or the two make no pair.
    pub fn load(&self) -> Result<(Identity, Fingerprint), CertificateError> {
        let read = self.read();
        let fingerprint = fingerprint(&read);
        Ok((self.understood(read?)?, fingerprint))
    }

    fn read(&self) -> Result<Contents, CertificateError> {
        let failed = |path: &Path, source| CertificateError::Read { path: path.to_owned(), source };
        let certificate = fs::read(&self.certificate).map_err(|source| failed(&self.certificate, source))?;
        let key = private_file::read(&self.key)
            .and_then(|key| key.ok_or_else(|| io::ErrorKind::NotFound.into()))
            .map_err(|source| failed(&self.key, source))?;
        if key.is_exposed {
            return Err(CertificateError::Exposed { path: self.key.clone() });
        }
        Ok(Contents { certificate, key: key.text })
    }

    fn understood(&self, contents: Contents) -> Result<Identity, CertificateError> {
        Identity::parse(&contents.certificate, contents.key.as_bytes())
            .map_err(|source| CertificateError::Unusable { files: self.clone(), source })
    }

    /// Looks at the files again; tells of an identity, or of what is wrong, only where something has changed
    /// since `last`.
    fn changed(&self, last: &mut Fingerprint) -> Option<Result<Identity, CertificateError>> {
        let read = self.read();
        let seen = fingerprint(&read);
        let has_changed = std::mem::replace(last, seen) != seen;
        has_changed.then(|| read.and_then(|contents| self.understood(contents)))
    }
}

struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<String>,
}

fn fingerprint(read: &Result<Contents, CertificateError>) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    match read {
        Ok(contents) => (&contents.certificate, contents.key.as_str()).hash(&mut hasher),
        Err(error) => error.to_string().hash(&mut hasher),
    }
    Fingerprint(hasher.finish())
}

/// Keeps `tls` to what the files hold: looks at them every `interval`, and at once when `wake` has something.
/// Ends when `wake` does.
pub async fn follow(
    files: CertificateFiles,
    mut last: Fingerprint,
    tls: Tls,
    interval: Duration,
    mut wake: tokio::sync::mpsc::Receiver<()>,
) {
    loop {
        // Nothing within the interval is as good as being woken.
        let (Ok(Some(())) | Err(_)) = tokio::time::timeout(interval, wake.recv()).await else { return };
        // Two small files: not worth another thread.
        match files.changed(&mut last) {
            None => {}
            Some(Ok(identity)) => {
                tls.replace(identity);
                tracing::info!(path = %files.certificate.display(), "a new TLS certificate is in use");
            }
            Some(Err(error)) => tracing::error!(
                error = claviger_model::chain(&error),
                "the new TLS certificate is refused; the old one stays in use"
            ),
        }
    }
}
