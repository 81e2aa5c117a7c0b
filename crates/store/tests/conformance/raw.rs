//! A connection behind the store's back: to look at rows, to edit them, to hold locks.

use std::path::Path;

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Every table with what the store keeps, but for last-used times.
const TABLES: [&str; 13] = [
    "vault_keys",
    "orgs",
    "own_permissions",
    "roles",
    "users",
    "user_roles",
    "user_invitations",
    "credentials",
    "secrets",
    "credential_counts",
    "app_key_registrations",
    "ledger",
    "ledger_head",
];

pub(crate) enum Raw {
    Sqlite(rusqlite::Connection),
    Postgres(Client),
}

/// Rows as text; none for null.
pub(crate) type Texts = Vec<Vec<Option<String>>>;

impl Raw {
    pub(crate) fn sqlite(path: &Path) -> Self {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        Self::Sqlite(connection)
    }

    pub(crate) async fn postgres(address: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self::Postgres(client)
    }

    /// Runs statements, parted by semicolons.
    pub(crate) async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).unwrap(),
            Self::Postgres(client) => client.batch_execute(sql).await.unwrap(),
        }
    }

    pub(crate) async fn texts(&self, sql: &str) -> Texts {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).unwrap();
                let columns = statement.column_count();
                let read = |row: &rusqlite::Row<'_>| {
                    Ok((0..columns).map(|column| text(row.get_ref(column).unwrap())).collect())
                };
                statement.query_map([], read).unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres(client) => {
                let messages = client.simple_query(sql).await.unwrap();
                let rows = messages.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                rows.map(|row| (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
                    .collect()
            }
        }
    }

    /// The first column of the first row.
    pub(crate) async fn text(&self, sql: &str) -> Option<String> {
        self.texts(sql).await.remove(0).remove(0)
    }

    pub(crate) async fn int(&self, sql: &str) -> i64 {
        self.text(sql).await.unwrap().parse().unwrap()
    }

    /// Everything that is kept, to be compared with a later dump.
    pub(crate) async fn dump(&self) -> Vec<Texts> {
        let mut tables = Vec::new();
        for table in TABLES {
            let mut rows = self.texts(&format!("SELECT * FROM {table}")).await;
            rows.sort_unstable();
            tables.push(rows);
        }
        tables
    }

    /// Keeps the writer from beginning, until [`Raw::release`].
    pub(crate) async fn hold(&self) {
        self.execute(match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::Postgres(_) => "BEGIN; SELECT 1 FROM ledger_head FOR UPDATE",
        })
        .await;
    }

    pub(crate) async fn release(&self) {
        self.execute("COMMIT").await;
    }

    /// Bytes as a literal.
    pub(crate) fn literal(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'::bytea"),
        }
    }
}

fn text(value: rusqlite::types::ValueRef<'_>) -> Option<String> {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(int) => Some(int.to_string()),
        ValueRef::Real(real) => Some(real.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(bytes) => Some(format!("{bytes:02x?}")),
    }
}
