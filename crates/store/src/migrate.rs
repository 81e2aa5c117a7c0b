//! Migrations: embedded, forward only, additive.

use crate::StoreError;

/// One step of the schema: one text for both engines, or a pair where they truly differ.
pub(crate) struct Migration {
    pub(crate) sqlite: &'static str,
    postgres: &'static str,
}

impl Migration {
    const fn both(sql: &'static str) -> Self {
        Self { sqlite: sql, postgres: sql }
    }
}

/// Each migration once, in order; the version of a schema is how many of them it has had.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::both(include_str!("../migrations/0001_ground_floor.sql")),
    Migration::both(include_str!("../migrations/0002_tombstones.sql")),
    // Finding names by a part of them: an index of one's own on SQLite, an extension's on PostgreSQL, which may not
    // be there, so that it is made at each opening if it can be.
    Migration {
        sqlite: include_str!("../migrations/0003_name_search.sqlite.sql"),
        postgres: include_str!("../migrations/0003_name_search.postgres.sql"),
    },
    Migration::both(include_str!("../migrations/0004_tokens_and_guards.sql")),
    Migration::both(include_str!("../migrations/0005_people.sql")),
    Migration::both(include_str!("../migrations/0006_native_keys.sql")),
    Migration::both(include_str!("../migrations/0007_events_and_leaks.sql")),
    Migration::both(include_str!("../migrations/0008_connections.sql")),
    Migration::both(include_str!("../migrations/0009_connection_warnings.sql")),
    Migration::both(include_str!("../migrations/0010_zendesk.sql")),
    Migration::both(include_str!("../migrations/0011_sessions.sql")),
    Migration::both(include_str!("../migrations/0012_zis_oauth.sql")),
    Migration::both(include_str!("../migrations/0013_connection_calls.sql")),
    Migration::both(include_str!("../migrations/0014_private_reach.sql")),
    Migration::both(include_str!("../migrations/0015_terms.sql")),
    Migration::both(include_str!("../migrations/0016_zis_signing.sql")),
];

/// Which text of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

pub(crate) const CREATE_VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)";
pub(crate) const SELECT_VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM schema_versions";
pub(crate) const INSERT_VERSION: &str = "INSERT INTO schema_versions (version, applied_at) VALUES ($1, $2)";

/// Refuses a schema that is not the newest, for those who only read.
pub(crate) fn check(found: i64) -> Result<(), StoreError> {
    match missing(found, Dialect::Sqlite)?.next() {
        None => Ok(()),
        Some(_) => Err(StoreError::Older { found, known: MIGRATIONS.len() as i64 }),
    }
}

/// The migrations that a schema of this version still needs, each with the version that it leads to.
pub(crate) fn missing(
    found: i64,
    dialect: Dialect,
) -> Result<impl Iterator<Item = (i64, &'static str)>, StoreError> {
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let text = move |migration: &Migration| match dialect {
        Dialect::Sqlite => migration.sqlite,
        Dialect::Postgres => migration.postgres,
    };
    Ok((1..).zip(MIGRATIONS.iter().map(text)).skip(found.max(0) as usize))
}
