//! What is in a backup: every table that cannot be made from the others, in an order in which no row comes before
//! one that it refers to.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

use Kind::{Bytes, Int, Text};

/// A table and its columns.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// What its rows are ordered by, so that one database always gives the same file.
    order: &'static str,
}

impl Table {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }

    pub(super) fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.names(), self.name, self.order)
    }

    pub(super) fn insert(&self) -> String {
        let places: Vec<_> = (1..=self.columns.len()).map(|place| format!("${place}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.names(), places.join(", "))
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// The wrapped keys: first in a file, so that what follows can be checked with them.
pub(super) const VAULT_KEYS: &str = "vault_keys";
/// The entries, in the order of [`crate::ledger::SELECT_AFTER`].
pub(super) const LEDGER: &str = "ledger";

pub(super) const TABLES: &[Table] = &[
    Table {
        name: VAULT_KEYS,
        columns: &[
            ("id", Text),
            ("purpose", Text),
            ("org_id", Text),
            ("kek_id", Text),
            ("wrapped", Bytes),
            ("created_at", Int),
        ],
        order: "id",
    },
    Table {
        name: LEDGER,
        columns: &[
            ("sequence", Int),
            ("epoch", Int),
            ("id", Text),
            ("at", Int),
            ("org_id", Text),
            ("action", Text),
            ("subject_kind", Text),
            ("subject_id", Text),
            ("actor", Text),
            ("change", Text),
            ("mac_key", Text),
            ("mac", Bytes),
        ],
        order: "sequence",
    },
    Table {
        name: "orgs",
        columns: &[
            ("id", Text),
            ("number", Int),
            ("name", Text),
            ("one_time_read", Int),
            ("api_keys_max", Int),
            ("application_keys_per_user_max", Int),
            ("created_at", Int),
            ("modified_at", Int),
            ("disabled_at", Int),
            ("native_keys_max", Int),
            ("native_key_prefix", Text),
            ("leaks", Text),
            ("connections", Int),
            ("connections_max", Int),
            ("private_reach", Text),
            ("subdomain", Text),
        ],
        order: "id",
    },
    Table {
        name: "own_permissions",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("number", Int),
            ("name", Text),
            ("description", Text),
            ("uses", Int),
            ("created_at", Int),
            ("modified_at", Int),
        ],
        order: "id",
    },
    Table {
        name: "roles",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("name", Text),
            ("managed", Text),
            ("permissions", Text),
            ("created_at", Int),
            ("modified_at", Int),
            ("name_sort", Bytes),
            ("search", Text),
            ("created_by", Text),
            ("modified_by", Text),
            ("removed_at", Int),
        ],
        order: "id",
    },
    Table {
        name: "users",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("kind", Text),
            ("email", Text),
            ("handle", Text),
            ("name", Text),
            ("title", Text),
            ("verified", Int),
            ("created_at", Int),
            ("modified_at", Int),
            ("disabled_at", Int),
            ("name_sort", Bytes),
            ("search", Text),
        ],
        order: "id",
    },
    Table {
        name: "user_roles",
        columns: &[("org_id", Text), ("user_id", Text), ("role_id", Text)],
        order: "user_id, role_id",
    },
    Table {
        name: "user_invitations",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("user_id", Text),
            ("created_at", Int),
            ("expires_at", Int),
        ],
        order: "id",
    },
    Table {
        name: "user_passwords",
        columns: &[
            ("user_id", Text),
            ("org_id", Text),
            ("revision", Int),
            ("sealed", Bytes),
            ("modified_at", Int),
        ],
        order: "user_id",
    },
    Table {
        name: "credentials",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("kind", Text),
            ("owner_id", Text),
            ("name", Text),
            ("name_sort", Bytes),
            ("name_search", Text),
            ("last4", Bytes),
            ("scopes", Text),
            ("category", Text),
            ("remote_config_read", Int),
            ("revision", Int),
            ("created_at", Int),
            ("created_by", Text),
            ("modified_at", Int),
            ("modified_by", Text),
            ("expires_at", Int),
            ("revoked_at", Int),
            ("public_portion", Text),
            ("external_id", Text),
            ("metadata", Text),
            ("allow_list", Text),
            ("requests_max", Int),
            ("requests_period", Int),
            ("zis_integration_id", Text),
            ("zis_scopes", Text),
            ("token_number", Int),
        ],
        order: "id",
    },
    Table {
        name: "secrets",
        columns: &[
            ("digest", Bytes),
            ("digest_key", Text),
            ("org_id", Text),
            ("credential_id", Text),
            ("revision", Int),
            ("sealed", Bytes),
            ("created_at", Int),
            ("dead_at", Int),
            ("valid_until", Int),
        ],
        order: "digest",
    },
    Table { name: "tombstones", columns: &[("digest", Bytes)], order: "digest" },
    Table {
        name: "app_key_registrations",
        columns: &[("org_id", Text), ("application_key_id", Text), ("created_at", Int)],
        order: "org_id, application_key_id",
    },
    Table {
        name: "zis_integrations",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("name", Text),
            ("description", Text),
            ("client_number", Int),
            ("client_secret", Bytes),
            ("revision", Int),
            ("created_at", Int),
            ("created_by", Text),
            ("modified_at", Int),
            ("modified_by", Text),
            ("redirect_origins", Text),
            ("jwt_public_key", Text),
            ("signing_key", Bytes),
        ],
        order: "id",
    },
    Table {
        name: "zis_oauth_clients",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("integration", Text),
            ("name", Text),
            ("auth_url", Text),
            ("token_url", Text),
            ("client_id", Text),
            ("client_secret", Bytes),
            ("secret_revision", Int),
            ("default_scopes", Text),
            ("grant_type", Text),
            ("allowed_domain", Text),
            ("grant_revision", Int),
            ("revision", Int),
            ("created_at", Int),
            ("created_by", Text),
            ("modified_at", Int),
            ("modified_by", Text),
        ],
        order: "id",
    },
    Table {
        name: "webhooks",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("url", Text),
            ("events", Text),
            ("enabled", Int),
            ("secret", Bytes),
            ("secret_revision", Int),
            ("previous_secret", Bytes),
            ("previous_until", Int),
            ("revision", Int),
            ("created_at", Int),
            ("created_by", Text),
            ("modified_at", Int),
            ("modified_by", Text),
            ("deleted_at", Int),
        ],
        order: "id",
    },
    Table {
        name: "webhook_standings",
        columns: &[
            ("webhook_id", Text),
            ("sequence", Int),
            ("attempts", Int),
            ("next_attempt_at", Int),
            ("failing_since", Int),
            ("last_attempt_at", Int),
            ("last_success_at", Int),
            ("last_error", Text),
        ],
        order: "webhook_id",
    },
    Table {
        name: "expiry_warnings",
        columns: &[("credential_id", Text), ("expires_at", Int), ("within_seconds", Int)],
        order: "credential_id, expires_at, within_seconds",
    },
    Table {
        name: "connection_expiry_warnings",
        columns: &[("connection_id", Text), ("expires_at", Int), ("within_seconds", Int)],
        order: "connection_id, expires_at, within_seconds",
    },
    Table {
        name: "leaks",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("credential_id", Text),
            ("at", Int),
            ("source", Text),
            ("url", Text),
        ],
        order: "id",
    },
    Table {
        name: "connections",
        columns: &[
            ("id", Text),
            ("org_id", Text),
            ("dialect", Text),
            ("container", Text),
            ("name", Text),
            ("name_sort", Bytes),
            ("search", Text),
            ("integration", Text),
            ("credentials", Text),
            ("settings", Text),
            ("hosts", Text),
            ("tags", Text),
            ("secrets", Text),
            ("restriction", Text),
            ("revision", Int),
            ("created_at", Int),
            ("created_by", Text),
            ("modified_at", Int),
            ("modified_by", Text),
            ("expires_at", Int),
            ("terms", Text),
            ("check_seconds", Int),
        ],
        order: "id",
    },
    Table {
        name: "connection_secrets",
        columns: &[
            ("connection_id", Text),
            ("name", Text),
            ("org_id", Text),
            ("revision", Int),
            ("sealed", Bytes),
        ],
        order: "connection_id, name",
    },
    Table {
        name: "connection_standings",
        columns: &[
            ("connection_id", Text),
            ("last_used_at", Int),
            ("health", Text),
            ("health_reason", Text),
            ("health_at", Int),
        ],
        order: "connection_id",
    },
    Table { name: "last_used", columns: &[("credential_id", Text), ("at", Int)], order: "credential_id" },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::migrate::MIGRATIONS;

    /// Tables that a restore makes anew; besides them, the index of names, which the tables' triggers keep.
    const MADE_ANEW: [&str; 2] = ["credential_counts", "ledger_head"];
    /// Tables of what lives for minutes: whoever began something begins again.
    const SHORT_LIVED: [&str; 2] = ["zis_oauth_flows", "zis_oauth_refreshes"];

    /// What was called through connections is kept for a while only, and is most of a busy server's rows: a backup of what
    /// there is to restore need not carry it.
    const LEFT_OUT: [&str; 1] = ["connection_calls"];

    /// A migration that adds a table or a column must say here what becomes of it.
    #[test]
    fn a_backup_has_every_column_of_every_table() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|step| database.execute_batch(step.sqlite).unwrap());
        let sql = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
                   WHERE m.type = 'table' AND m.name NOT GLOB 'credential_trigrams*'
                   AND m.name NOT IN ('credential_numbers', 'sqlite_sequence')";
        let mut statement = database.prepare(sql).unwrap();
        let mut found = BTreeMap::<String, Vec<(String, Kind)>>::new();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let kind = match row.get::<_, String>(2).unwrap().as_str() {
                "BIGINT" => Int,
                "TEXT" => Text,
                "BYTEA" => Bytes,
                other => panic!("{other}"),
            };
            found.entry(row.get(0).unwrap()).or_default().push((row.get(1).unwrap(), kind));
        }
        for name in MADE_ANEW.into_iter().chain(SHORT_LIVED).chain(LEFT_OUT) {
            assert!(found.remove(name).is_some(), "{name}");
        }
        for table in TABLES {
            let mut kept: Vec<_> =
                table.columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
            let mut columns = found.remove(table.name).unwrap();
            kept.sort_by(|one, other| one.0.cmp(&other.0));
            columns.sort_by(|one, other| one.0.cmp(&other.0));
            assert_eq!(kept, columns, "{}", table.name);
        }
        assert!(found.is_empty(), "not in backups: {found:?}");
    }
}
