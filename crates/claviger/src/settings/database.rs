//! Which database.

use std::path::{Path, PathBuf};

use claviger_store::Location;

use super::SettingsError;
use crate::data_dir::DataDir;

pub(super) fn check(
    url: Option<String>,
    ca: Option<PathBuf>,
    data: &Path,
) -> Result<Location, SettingsError> {
    match url {
        None if ca.is_some() => Err(SettingsError::DatabaseCa),
        None => Ok(Location::Sqlite(DataDir::sqlite_file(data))),
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(Location::Postgres(match ca {
                Some(ca) => claviger_store::with_root_certificates(&url, &ca),
                None => url,
            }))
        }
        Some(_) => Err(SettingsError::Database),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Typed;
    use crate::settings::testing::{check, refused};

    #[test]
    fn a_database_is_postgresql_or_not_named() {
        for url in ["postgres://db/claviger", "postgresql://db/claviger"] {
            let settings = check(|typed| typed.database = Some(url.into())).unwrap();
            assert_eq!(settings.database, Location::Postgres(url.into()));
        }
        for url in ["", "mysql://user:hunter2@db", "claviger.db", "sqlite://claviger.db"] {
            refused(|typed| typed.database = Some(url.into()), "leave --database out");
        }
        let sentence = check(|typed| typed.database = Some("mysql://user:hunter2@db".into())).unwrap_err();
        assert!(!format!("{sentence} {sentence:?}").contains("hunter2"));
    }

    #[test]
    fn certificates_of_a_database_become_part_of_its_address() {
        refused(|typed| typed.database_ca = Some("ca.pem".into()), "--database-ca is for PostgreSQL");
        let with_ca = |typed: &mut Typed| {
            typed.database = Some("postgres://db/claviger".into());
            typed.database_ca = Some("/run/ca.pem".into());
        };
        let expected =
            claviger_store::with_root_certificates("postgres://db/claviger", "/run/ca.pem".as_ref());
        assert_eq!(check(with_ca).unwrap().database, Location::Postgres(expected));
    }
}
