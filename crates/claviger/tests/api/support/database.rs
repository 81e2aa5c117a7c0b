//! A fresh database for one test, on either engine.

use claviger_store::Location;
use tempfile::TempDir;
use tokio_postgres::NoTls;
use uuid::Uuid;

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
        let name = format!("claviger_{}", random_uuid().simple());
        execute(&admin, &format!("CREATE DATABASE {name}")).await;
        Some(Self::Postgres { admin, name })
    }

    pub(crate) fn location(&self) -> Location {
        match self {
            Self::Sqlite(directory) => Location::Sqlite(directory.path().join("claviger.db")),
            Self::Postgres { .. } => Location::Postgres(self.url()),
        }
    }

    /// The address of a PostgreSQL database.
    fn url(&self) -> String {
        let Self::Postgres { admin, name } = self else { panic!("only PostgreSQL has an address") };
        let (server, _) = admin.rsplit_once('/').expect("an address ends with a database's name");
        format!("{server}/{name}")
    }

    /// Runs statements behind the server's back.
    pub(crate) async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(directory) => {
                let file = directory.path().join("claviger.db");
                rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
            }
            Self::Postgres { .. } => execute(&self.url(), sql).await,
        }
    }

    /// What a query of one row and one column gives, as text.
    pub(crate) async fn scalar(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(directory) => {
                let database = rusqlite::Connection::open(directory.path().join("claviger.db")).unwrap();
                let sql = format!("SELECT CAST(({sql}) AS TEXT)");
                database.query_row(&sql, [], |row| row.get(0)).unwrap()
            }
            Self::Postgres { .. } => {
                let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                let text = client.query_one(&format!("SELECT ({sql})::text"), &[]).await.unwrap().get(0);
                drop(client);
                connection.await.unwrap().unwrap();
                text
            }
        }
    }

    /// Everything that is stored: SQLite's files, whole; on PostgreSQL every row of every table as text, binary
    /// columns in hexadecimal.
    pub(crate) async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        match self {
            Self::Sqlite(directory) => {
                let files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
                files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
            }
            Self::Postgres { .. } => dump(&self.url()).await,
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

async fn dump(address: &str) -> Vec<(String, Vec<u8>)> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let mut contents = Vec::new();
    for table in client.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let rows = client.query(&format!("SELECT t::text FROM \"{table}\" t"), &[]).await.unwrap();
        let text: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        contents.push((table, text.join("\n").into_bytes()));
    }
    drop(client);
    connection.await.unwrap().unwrap();
    contents
}

pub(crate) fn random_uuid() -> Uuid {
    let mut bytes = [0; 16];
    claviger_model::Random::fill(&claviger_vault::SystemRandom, &mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
