//! Migrations: embedded, forward only, additive.

use crate::StoreError;

/// Each migration once, in order; the version of a schema is how many of them it has had.
pub(crate) const MIGRATIONS: &[&str] =
    &[include_str!("../migrations/0001_ground_floor.sql"), include_str!("../migrations/0002_tombstones.sql")];

pub(crate) const CREATE_VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)";
pub(crate) const SELECT_VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM schema_versions";
pub(crate) const INSERT_VERSION: &str = "INSERT INTO schema_versions (version, applied_at) VALUES ($1, $2)";

/// Refuses a schema that is not the newest, for those who only read.
pub(crate) fn check(found: i64) -> Result<(), StoreError> {
    match missing(found)?.next() {
        None => Ok(()),
        Some(_) => Err(StoreError::Older { found, known: MIGRATIONS.len() as i64 }),
    }
}

/// The migrations that a schema of this version still needs, each with the version that it leads to.
pub(crate) fn missing(found: i64) -> Result<impl Iterator<Item = (i64, &'static str)>, StoreError> {
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    Ok((1..).zip(MIGRATIONS.iter().copied()).skip(found.max(0) as usize))
}
