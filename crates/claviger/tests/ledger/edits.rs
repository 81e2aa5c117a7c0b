//! Random edits of what the check covers.

use claviger_model::Random;
use claviger_model::testing::SeededRandom;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Tables and those of their columns that the check covers; of the last ones, only whether they are null.
const COVERED: &[(&str, &[&str], &[&str])] = &[
    (
        "ledger",
        &[
            "sequence",
            "epoch",
            "id",
            "at",
            "org_id",
            "action",
            "subject_kind",
            "subject_id",
            "actor",
            "change",
            "mac_key",
            "mac",
        ],
        &[],
    ),
    ("ledger_head", &["epoch", "sequence", "mac"], &[]),
    ("vault_keys", &["id", "purpose", "org_id", "kek_id", "wrapped", "created_at"], &[]),
    ("orgs", &["id", "one_time_read", "connections"], &["disabled_at"]),
    ("roles", &["id", "org_id", "managed", "permissions"], &[]),
    ("own_permissions", &["id", "org_id", "number", "name", "uses"], &[]),
    ("users", &["id", "org_id", "kind"], &["disabled_at"]),
    ("user_roles", &["org_id", "user_id", "role_id"], &[]),
    (
        "credentials",
        &[
            "id",
            "org_id",
            "kind",
            "owner_id",
            "name",
            "last4",
            "scopes",
            "remote_config_read",
            "expires_at",
            "allow_list",
            "requests_max",
            "requests_period",
            "public_portion",
            "external_id",
            "metadata",
        ],
        &["revoked_at"],
    ),
    ("secrets", &["digest", "org_id", "credential_id", "valid_until"], &["dead_at"]),
    ("app_key_registrations", &["org_id", "application_key_id"], &[]),
    ("credential_counts", &["org_id", "kind", "owner_id", "live"], &[]),
    (
        "connections",
        &[
            "id",
            "org_id",
            "dialect",
            "container",
            "name",
            "integration",
            "credentials",
            "settings",
            "hosts",
            "secrets",
            "restriction",
        ],
        &["expires_at"],
    ),
    ("connection_secrets", &["connection_id", "org_id", "name", "revision", "sealed"], &[]),
];

/// Random numbers, the same ones each time.
pub(super) struct Dice(pub(super) SeededRandom);

impl Dice {
    fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % end as u64) as usize
    }

    fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn flip(&self, bytes: &mut Vec<u8>) {
        match bytes.len() {
            0 => bytes.push(b'x'),
            length => bytes[self.below(length)] ^= 1 << self.below(8),
        }
    }

    fn row(&self, database: &Connection, table: &str) -> Option<i64> {
        let sql = format!("SELECT rowid FROM {table}");
        let mut statement = database.prepare(&sql).unwrap();
        let rows: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        (!rows.is_empty()).then(|| *self.pick(&rows))
    }
}

fn value(database: &Connection, table: &str, column: &str, row: i64) -> Value {
    let sql = format!("SELECT {column} FROM {table} WHERE rowid = ?1");
    database.query_row(&sql, [row], |row| row.get(0)).unwrap()
}

fn set(database: &Connection, table: &str, column: &str, row: i64, value: Value) -> bool {
    let sql = format!("UPDATE {table} SET {column} = ?1 WHERE rowid = ?2");
    database.execute(&sql, params_from_iter([value, Value::Integer(row)])).is_ok()
}

/// One random edit. Tells what it did; nothing where the database did not let it or nothing changed.
pub(super) fn edit(database: &Connection, dice: &Dice) -> Option<String> {
    let (table, columns, flags) = dice.pick(COVERED);
    let row = dice.row(database, table)?;
    match dice.below(6) {
        // A bit in a column.
        0 | 1 => {
            let column = dice.pick(columns);
            let flipped = match value(database, table, column, row) {
                Value::Null => Value::Text("x".into()),
                Value::Integer(int) => Value::Integer(int ^ (1 << dice.below(63))),
                Value::Text(text) => {
                    let mut bytes = text.into_bytes();
                    dice.flip(&mut bytes);
                    // What is no text any more is kept as bytes.
                    match String::from_utf8(bytes) {
                        Ok(text) => Value::Text(text),
                        Err(bytes) => Value::Blob(bytes.into_bytes()),
                    }
                }
                Value::Blob(mut bytes) => {
                    dice.flip(&mut bytes);
                    Value::Blob(bytes)
                }
                Value::Real(_) => return None,
            };
            set(database, table, column, row, flipped).then(|| format!("flip {table}.{column} of {row}"))
        }
        // Revoked, dead, disabled, or not.
        2 => {
            let column = flags.first()?;
            let toggled = match value(database, table, column, row) {
                Value::Null => Value::Integer(1),
                _ => Value::Null,
            };
            set(database, table, column, row, toggled).then(|| format!("toggle {table}.{column} of {row}"))
        }
        3 => {
            // Counts of nothing say nothing.
            if *table == "credential_counts" {
                return None;
            }
            database.execute(&format!("DELETE FROM {table} WHERE rowid = ?1"), [row]).ok()?;
            Some(format!("delete {table} {row}"))
        }
        // Two equal counts would say the same after it.
        4 if *table == "credential_counts" => None,
        // Two rows change places in one column.
        4 => {
            let (other, column) = (dice.row(database, table)?, dice.pick(columns));
            let (one, two) = (value(database, table, column, row), value(database, table, column, other));
            let is_done = one != two
                // Something else first, or unique columns would refuse.
                && set(database, table, column, row, Value::Blob(b"in between".to_vec()))
                && set(database, table, column, other, one)
                && set(database, table, column, row, two);
            is_done.then(|| format!("swap {table}.{column} of {row} and {other}"))
        }
        // One more, like another.
        _ => insert_like(database, dice, table, row),
    }
}

/// A copy of a row under an id of its own.
fn insert_like(database: &Connection, dice: &Dice, table: &str, row: i64) -> Option<String> {
    let mut statement = database.prepare(&format!("SELECT * FROM {table} WHERE rowid = ?1")).unwrap();
    let count = statement.column_count();
    let key = match table {
        "ledger" => "sequence",
        "secrets" => "digest",
        "user_roles" => "role_id",
        "app_key_registrations" => "application_key_id",
        "orgs" | "roles" | "users" | "credentials" | "connections" => "id",
        "connection_secrets" => "connection_id",
        _ => return None,
    };
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut values: Vec<Value> =
        statement.query_row([row], |row| (0..count).map(|column| row.get(column)).collect()).unwrap();
    let mut bytes = [0; 32];
    dice.0.fill(&mut bytes);
    let id = uuid::Uuid::from_slice(&bytes[..16]).unwrap();
    for (name, value) in names.iter().zip(&mut values) {
        match (name.as_str(), &value) {
            (name, Value::Integer(sequence)) if name == key => *value = Value::Integer(sequence + 1000),
            (name, Value::Blob(_)) if name == key => *value = Value::Blob(bytes.to_vec()),
            (name, _) if name == key => *value = Value::Text(id.to_string()),
            // What is unique beside the key.
            ("number" | "revision", Value::Integer(_)) => *value = Value::Integer(1_000_000),
            ("email", _) => *value = Value::Text(format!("{id}@example.com")),
            ("name", _) if table == "roles" => *value = Value::Text(id.to_string()),
            ("id", _) if table == "ledger" => *value = Value::Text(id.to_string()),
            _ => {}
        }
    }
    let places: Vec<_> = (1..=count).map(|place| format!("?{place}")).collect();
    let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
    database.execute(&sql, params_from_iter(values)).ok()?;
    Some(format!("insert {table} like {row}"))
}
