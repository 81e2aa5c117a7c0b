//! The lines of a backup.

use std::collections::BTreeMap;

use claviger_model::{Position, Timestamp};
use claviger_vault::hex;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::tables::{Kind, TABLES, Table};
use crate::StoreError;
use crate::ledger::{Head, framed};
use crate::value::{Row, Value};

/// The form of the file.
const FORMAT: u32 = 1;
/// Whoever finds the file shall know what it is worth.
const NOTE: &str = "Claviger backup. It holds no master key: without the master keys named here nobody can use it, \
                    so keep them, and keep them apart from it.";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    claviger_backup: u32,
    note: String,
    pub(super) schema: i64,
    pub(super) engine: String,
    pub(super) created_at_micros: i64,
    position: String,
    mac: String,
    master_keys: Vec<String>,
}

impl Header {
    pub(super) fn new(
        head: &Head,
        schema: i64,
        engine: &str,
        at: Timestamp,
        master_keys: Vec<String>,
    ) -> Self {
        Self {
            claviger_backup: FORMAT,
            note: NOTE.to_owned(),
            schema,
            engine: engine.to_owned(),
            created_at_micros: at.micros(),
            position: head.position.to_string(),
            mac: hex::digits(&head.mac).collect(),
            master_keys,
        }
    }

    /// Reads it; nothing where it is something else.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(line).ok().filter(|header| header.claviger_backup == FORMAT)
    }

    pub(super) fn head(&self) -> Option<Head> {
        let position: Position = self.position.parse().ok()?;
        Some(Head { position, mac: decode(&self.mac)? })
    }
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) rows: BTreeMap<String, u64>,
    pub(super) blake3: String,
    pub(super) key: String,
    pub(super) mac: String,
}

/// What the MAC at the end covers.
pub(super) fn signed(hash: &blake3::Hash) -> Vec<u8> {
    framed(&[b"claviger backup 1", hash.as_bytes()])
}

/// A row as a line of its own, with its end.
pub(super) fn of_row(table: &Table, row: &dyn Row) -> Result<String, StoreError> {
    let column = |(place, (_, kind)): (usize, &(&str, Kind))| -> Result<Json, StoreError> {
        Ok(match kind {
            Kind::Int => row.int(place)?.into(),
            Kind::Text => row.text(place)?.into(),
            Kind::Bytes => match row.bytes(place)? {
                None => Json::Null,
                Some(bytes) => hex::digits(bytes).collect::<String>().into(),
            },
        })
    };
    let values = table.columns.iter().enumerate().map(column).collect::<Result<Vec<_>, _>>()?;
    Ok(json!([table.name, values]).to_string() + "\n")
}

/// Reads such a line; nothing where it is something else.
pub(super) fn to_row(line: &[u8]) -> Option<(&'static Table, Vec<Value>)> {
    let (name, values): (String, Vec<Json>) = serde_json::from_slice(line).ok()?;
    let table = Table::find(&name).filter(|table| table.columns.len() == values.len())?;
    let value = |((_, kind), json): (&(&str, Kind), Json)| {
        Some(match (kind, json) {
            (_, Json::Null) => Value::Null,
            (Kind::Int, Json::Number(number)) => Value::Int(number.as_i64()?),
            (Kind::Text, Json::String(text)) => Value::Text(text),
            (Kind::Bytes, Json::String(text)) => Value::Bytes(decode(&text)?),
            _ => return None,
        })
    };
    let row = table.columns.iter().zip(values).map(value).collect::<Option<_>>()?;
    Some((table, row))
}

/// How many rows of each table there are, before any is counted.
pub(super) fn no_rows() -> BTreeMap<String, u64> {
    TABLES.iter().map(|table| (table.name.to_owned(), 0)).collect()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    hex::decode(text, &mut bytes).map(|()| bytes)
}
