//! PostgreSQL over TLS: a certificate that is checked, and nothing less.
//!
//! The test's server speaks no TLS, so a small gate in front of it does: it answers PostgreSQL's question for TLS,
//! shakes hands and passes on what comes, as the server itself would.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use claviger_model::Timestamp;
use claviger_model::testing::ManualClock;
use claviger_store::{Database, Location, with_root_certificates};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Setup, TestDatabase, TestServer};

/// What a client sends first when it wants TLS (SSLRequest).
const WANT_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A gate before `server`, under a certificate of `authority` for 127.0.0.1.
async fn gate(authority: &Issuer, server: String) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                let mut first = [0; 8];
                // A client that speaks in clear gets no further.
                if client.read_exact(&mut first).await.is_err() || first != WANT_TLS {
                    return;
                }
                client.write_all(b"S").await.unwrap();
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(server).await.unwrap();
                // Either end may go first.
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

/// A file that trusts this authority.
fn trusting(authority: &Issuer, directory: &Path) -> std::path::PathBuf {
    let file = directory.join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_works_over_tls_and_refuses_anything_less() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let Location::Postgres(plain) = database.location() else { panic!("this is PostgreSQL's test") };
    let (user, rest) = plain.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let (authority, directory) = (authority(), tempfile::tempdir().unwrap());
    let gate = gate(&authority, server.to_owned()).await;
    let file = trusting(&authority, directory.path());
    let at = |host: &str, file: &Path| {
        let address = format!("{user}@{host}:{}/{name}", gate.port());
        Location::Postgres(with_root_certificates(&address, file))
    };

    let refused = async |location: Location, expected: &str| {
        let clock = ManualClock::new(Timestamp::from_micros(0));
        let error = chain(&Database::open(&location, &clock).await.err().unwrap());
        assert!(error.contains(expected), "{error}");
    };
    refused(at("localhost", &file), "certificate not valid for name").await;
    let other = tempfile::tempdir().unwrap();
    refused(at("127.0.0.1", &trusting(&self::authority(), other.path())), "invalid peer certificate").await;
    refused(Location::Postgres(with_root_certificates(&plain, &file)), "server does not support TLS").await;
    refused(Location::Postgres(format!("{plain}?sslmode=require")), "--database-ca").await;
    let in_clear = format!("{user}@127.0.0.1:{}/{name}", gate.port());
    refused(Location::Postgres(in_clear), "the database is unavailable").await;

    // Migrations, the writer, and readers.
    let setup = Setup { location: Some(at("127.0.0.1", &file)), ..Setup::default() };
    let server = TestServer::start_with(database, setup).await;
    let body = json!({ "data": { "type": "api_keys", "attributes": { "name": "over TLS" } } });
    server.client().post("/api/v2/api_keys", &body).await.expect(201);
    let list = server.client().get("/api/v2/api_keys?filter=over").await.expect(200);
    assert_eq!(list.json()["data"][0]["attributes"]["name"], "over TLS");
    server.stop().await;
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
