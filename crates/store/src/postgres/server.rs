//! Where a PostgreSQL server is, and how it is spoken to: in clear, or over TLS with its certificate checked.
//!
//! There is nothing in between. TLS that falls back to clear text, or takes any certificate, protects from nobody
//! who can stand in the way; so `prefer`, which means just that elsewhere, is the same as `disable` here, and
//! `require` the same as `verify-full`.

use std::error::Error;
use std::path::{Path, PathBuf};

use deadpool_postgres::{Manager, ManagerConfig};
use form_urlencoded::{byte_serialize, parse};
use futures_util::future::Either;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, Error as DriverError, NoTls};

use super::SILENCE_MAX;
use super::tls::Connector;
use crate::StoreError;

const MODE: &str = "sslmode";
const ROOTS: &str = "sslrootcert";

/// A PostgreSQL server.
pub(super) struct Server {
    config: Config,
    tls: Option<Connector>,
}

/// Why an address does not say clearly how the server is to be spoken to.
#[derive(Debug, thiserror::Error)]
enum ModeError {
    #[error("sslmode is not one of disable, prefer, require and verify-full")]
    Unknown,
    #[error(
        "sslmode={0} needs the certificates that may have signed the server's: give their file with --database-ca, or as sslrootcert in the address"
    )]
    NoRoots(String),
    #[error("sslmode={0} does not use TLS, and yet there are certificates for it: leave out one of them")]
    RootsWithoutTls(String),
    #[error("{} holds no certificates in PEM form that can be read", path.display())]
    Roots { path: PathBuf, source: Box<dyn Error + Send + Sync> },
}

/// An address to which `sslrootcert` is added: the file of the certificates that may have signed the server's.
pub fn with_root_certificates(address: &str, file: &Path) -> String {
    let joint = if split(address).1.is_some() { '&' } else { '?' };
    let file: String = byte_serialize(file.as_os_str().as_encoded_bytes()).collect();
    format!("{address}{joint}{ROOTS}={file}")
}

impl Server {
    pub(super) fn parse(address: &str) -> Result<Self, StoreError> {
        let refused = |error: Box<dyn Error + Send + Sync>| StoreError::Address(error);
        let (rest, roots) = roots(address).map_err(|error| refused(Box::new(error)))?;
        let tls = match roots {
            None => None,
            Some(path) => {
                let connector = Connector::with_roots(&path);
                Some(connector.map_err(|source| refused(Box::new(ModeError::Roots { path, source })))?)
            }
        };
        let mut config: Config = rest.parse().map_err(|error| refused(Box::new(error)))?;
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("claviger");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(SILENCE_MAX);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_MAX);
        }
        Ok(Self { config, tls })
    }

    /// The same server, as long as it can be written to: a standby would give away its own lock to whoever asks,
    /// and answer as of yesterday.
    pub(super) fn for_writing(mut self) -> Self {
        self.config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        self
    }

    /// A client, and the connection that works for it.
    pub(super) async fn connect(
        &self,
    ) -> Result<(Client, impl Future<Output = Result<(), DriverError>> + Send + use<>), DriverError> {
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok((client, Either::Left(connection)))
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                Ok((client, Either::Right(connection)))
            }
        }
    }

    /// What makes connections for a pool.
    pub(super) fn manager(&self, settings: ManagerConfig) -> Manager {
        match &self.tls {
            None => Manager::from_config(self.config.clone(), NoTls, settings),
            Some(tls) => Manager::from_config(self.config.clone(), tls.clone(), settings),
        }
    }
}

/// The address without what concerns TLS, and the file of root certificates where TLS is wanted.
fn roots(address: &str) -> Result<(String, Option<PathBuf>), ModeError> {
    let (mut rest, query) = split(address);
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = parse(pair.as_bytes()).next().unwrap_or_default();
        match &*name {
            MODE => mode = Some(value.into_owned()),
            ROOTS => roots = Some(PathBuf::from(value.into_owned())),
            _ => others.push(pair),
        }
    }
    let joined;
    if !others.is_empty() {
        joined = format!("{rest}?{}", others.join("&"));
        rest = &joined;
    }
    let roots = match (mode.as_deref(), roots) {
        (None | Some("require" | "verify-full"), Some(roots)) => Some(roots),
        (None | Some("disable" | "prefer"), None) => None,
        (Some("require" | "verify-full"), None) => return Err(ModeError::NoRoots(mode.unwrap_or_default())),
        (Some("disable" | "prefer"), Some(_)) => {
            return Err(ModeError::RootsWithoutTls(mode.unwrap_or_default()));
        }
        (Some(_), _) => return Err(ModeError::Unknown),
    };
    Ok((rest.to_owned(), roots))
}

/// The address before its query, and the query. A password may hold a question mark, so only one that comes after
/// it counts.
fn split(address: &str) -> (&str, Option<&str>) {
    let host = address.find('@').unwrap_or_default();
    match address[host..].find('?') {
        Some(mark) => (&address[..host + mark], Some(&address[host + mark + 1..])),
        None => (address, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Option<PathBuf> {
        Some(name.into())
    }

    #[test]
    fn tls_is_verified_or_not_used() {
        let check = |query: &str, expected: Option<PathBuf>| {
            let (rest, found) = roots(&format!("postgres://u:p?q@db/claviger{query}")).unwrap();
            assert_eq!((rest.as_str(), found), ("postgres://u:p?q@db/claviger", expected), "{query}");
        };
        check("", None);
        check("?sslmode=disable", None);
        check("?sslmode=prefer", None);
        check("?sslrootcert=ca.pem", file("ca.pem"));
        check("?sslmode=require&sslrootcert=ca.pem", file("ca.pem"));
        check("?sslrootcert=%2Frun%2Fca.pem&sslmode=verify-full", file("/run/ca.pem"));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_what_to_do() {
        for (query, advice) in [
            ("sslmode=require", "--database-ca"),
            ("sslmode=verify-full", "--database-ca"),
            ("sslmode=disable&sslrootcert=ca.pem", "leave out one of them"),
            ("sslmode=prefer&sslrootcert=ca.pem", "leave out one of them"),
            ("sslmode=verify-ca&sslrootcert=ca.pem", "not one of"),
            ("sslmode=", "not one of"),
        ] {
            let sentence = roots(&format!("postgres://db/claviger?{query}")).unwrap_err().to_string();
            assert!(sentence.contains(advice), "{sentence}");
        }
        let missing = Server::parse("postgres://db/claviger?sslrootcert=/nowhere/ca.pem");
        assert!(
            matches!(missing, Err(StoreError::Address(error)) if error.to_string().contains("/nowhere/ca.pem"))
        );
    }

    #[test]
    fn other_parameters_stay_and_files_can_be_added() {
        let (rest, found) = roots("postgres://db/claviger?a=%20b&sslmode=prefer&c=d").unwrap();
        assert_eq!((rest.as_str(), found), ("postgres://db/claviger?a=%20b&c=d", None));
        for (address, path) in
            [("postgres://u:p?q@db/c", "/a dir/ca&b.pem"), ("postgres://db/c?a=b", "ca+x.pem")]
        {
            let with = with_root_certificates(address, path.as_ref());
            assert_eq!(roots(&with).unwrap(), (address.to_owned(), file(path)), "{with}");
        }
    }
}
