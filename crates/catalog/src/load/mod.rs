//! From TOML to checked entries. Whatever is wrong is an error that names the entry and the field.

mod credentials;
mod field;
mod format;
mod integration;
mod raw;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::{Table, Value};

use crate::entry::Integration;
use crate::format::Format;

/// Formats by name.
pub(crate) type Formats = BTreeMap<String, Arc<Format>>;

/// Why a catalog cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}: {entry}: {field}: {reason}")]
pub struct CatalogError {
    /// Which file.
    pub file: String,
    /// Which entry: the type of an integration, or a format.
    pub entry: String,
    /// Which part of it.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What is wrong with a part of an entry.
#[derive(Debug)]
pub(crate) struct Wrong {
    field: String,
    reason: String,
}

pub(crate) fn wrong<T>(field: impl Into<String>, reason: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { field: field.into(), reason: reason.into() })
}

impl Wrong {
    /// The same, seen from further out.
    fn within(mut self, outer: &str) -> Self {
        let dot = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{outer}{dot}{}", self.field);
        self
    }

    fn of(self, file: &str, entry: &str) -> CatalogError {
        let field = if self.field.is_empty() { "as a whole".to_owned() } else { self.field };
        CatalogError { file: file.to_owned(), entry: entry.to_owned(), field, reason: self.reason }
    }
}

/// Adds what a file holds to what is there.
pub(crate) fn add(
    formats: &mut Formats,
    integrations: &mut Vec<Integration>,
    file: &str,
    text: &str,
) -> Result<(), CatalogError> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        let reason = error.to_string().trim_end().to_owned();
        CatalogError {
            file: file.to_owned(),
            entry: "the file".to_owned(),
            field: "as TOML".to_owned(),
            reason,
        }
    })?;
    for (name, value) in take_table(&mut table, "formats").map_err(|e| e.of(file, "the file"))? {
        let entry = format!("format {name}");
        let made = read(value).and_then(|raw| format::check(&name, raw)).map_err(|e| e.of(file, &entry))?;
        if formats.insert(name.clone(), Arc::new(made)).is_some() {
            return wrong("name", "there is a format of this name already")
                .map_err(|e: Wrong| e.of(file, &entry));
        }
    }
    for (index, value) in
        take_array(&mut table, "integration").map_err(|e| e.of(file, "the file"))?.into_iter().enumerate()
    {
        let entry = name_of(&value).unwrap_or_else(|| format!("integration {}", index + 1));
        let made = read(value)
            .and_then(|raw| integration::check(raw, formats))
            .and_then(|made| unlike(made, integrations))
            .map_err(|e| e.of(file, &entry))?;
        integrations.push(made);
    }
    match table.keys().next() {
        Some(key) => {
            wrong(key, "is neither `formats` nor `integration`").map_err(|e: Wrong| e.of(file, "the file"))
        }
        None => Ok(()),
    }
}

/// The type of an integration, even where the rest of it cannot be read.
fn name_of(value: &Value) -> Option<String> {
    value.get("type")?.as_str().map(str::to_owned)
}

/// An integration whose names no other one has: credential types are told apart by name alone in errors.
fn unlike(made: Integration, others: &[Integration]) -> Result<Integration, Wrong> {
    for other in others {
        if other.kind == made.kind {
            return wrong("type", "there is an integration of this type already");
        }
        if let Some(shared) = made.credentials.iter().find(|mine| other.credential(&mine.kind).is_some()) {
            return wrong("credentials", format!("{} belongs to {} already", shared.kind, other.kind));
        }
    }
    Ok(made)
}

/// Reads a part; what serde finds wrong is named by its path.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        Wrong { field, reason: error.into_inner().to_string().trim_end().replace('\n', " ") }
    })
}

fn take_table(table: &mut Table, name: &str) -> Result<Table, Wrong> {
    match table.remove(name) {
        None => Ok(Table::new()),
        Some(Value::Table(inner)) => Ok(inner),
        Some(_) => wrong(name, "must be a table"),
    }
}

fn take_array(table: &mut Table, name: &str) -> Result<Vec<Value>, Wrong> {
    match table.remove(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => wrong(name, "must be tables in double brackets"),
    }
}
