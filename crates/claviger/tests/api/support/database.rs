//! A fresh database for one test, on either engine.

use claviger_store::Location;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// Where the test command says that a PostgreSQL is.
const POSTGRES: &str = "CLAVIGER_TEST_POSTGRES";
/// `sqlite` leaves PostgreSQL out, on purpose.
const ENGINES: &str = "CLAVIGER_TEST_ENGINES";

pub(crate) enum TestDatabase {
    Sqlite(TempDir),
    Postgres { admin: String, name: String },
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// None only where PostgreSQL was left out on purpose.
    pub(crate) async fn postgres() -> Option<Self> {
        if std::env::var(ENGINES).is_ok_and(|engines| engines == "sqlite") {
            return None;
        }
        let admin = std::env::var(POSTGRES).expect(
            "these tests need a PostgreSQL: run them by `cargo xtask test --quick`, or set CLAVIGER_TEST_ENGINES=sqlite \
             to leave it out",
        );
        let name = format!("claviger_{}", uuid::Uuid::from_u128(rand_bits()).simple());
        execute(&admin, &format!("CREATE DATABASE {name}")).await;
        Some(Self::Postgres { admin, name })
    }

    pub(crate) fn location(&self) -> Location {
        match self {
            Self::Sqlite(directory) => Location::Sqlite(directory.path().join("claviger.db")),
            Self::Postgres { admin, name } => {
                let (server, _) = admin.rsplit_once('/').expect("an address ends with a database's name");
                Location::Postgres(format!("{server}/{name}"))
            }
        }
    }

    pub(crate) async fn remove(self) {
        if let Self::Postgres { admin, name } = self {
            execute(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

async fn execute(address: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

fn rand_bits() -> u128 {
    let mut bytes = [0; 16];
    claviger_model::Random::fill(&claviger_vault::SystemRandom, &mut bytes);
    u128::from_le_bytes(bytes)
}
