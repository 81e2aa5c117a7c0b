//! How answers look: tables for people, JSON for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::CliError;

/// Where and how answers are shown.
pub(crate) struct Output {
    is_json: bool,
}

/// A column: its heading, and what stands in it for a resource.
pub(crate) type Column = (&'static str, fn(&Value) -> String);

impl Output {
    pub(crate) fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    /// Several resources.
    pub(crate) fn list(&self, items: &[Value], columns: &[Column]) -> Result<(), CliError> {
        match self.is_json {
            true => self.write(&json!(items)),
            false => put(&table(items, columns)),
        }
    }

    /// One resource, a line for each column.
    pub(crate) fn one(&self, item: &Value, columns: &[Column]) -> Result<(), CliError> {
        match self.is_json {
            true => self.write(item),
            false => put(&lines(columns.iter().map(|(name, cell)| (*name, cell(item))))),
        }
    }

    /// One resource with the secret that it was made with, which no other command shows.
    pub(crate) fn made(&self, item: &Value, columns: &[Column]) -> Result<(), CliError> {
        const SECRET: Column = ("SECRET", |item| {
            // As the vendor's API has it, and as Claviger's own.
            text(item, "/attributes/key") + &text(item, "/secret")
        });
        self.one(item, &[columns, &[SECRET]].concat())?;
        if !self.is_json {
            let _ = writeln!(io::stderr(), "The secret is shown this once: keep it safely.");
        }
        Ok(())
    }

    /// That something is done.
    pub(crate) fn done(&self, what: &str) -> Result<(), CliError> {
        match self.is_json {
            true => self.write(&json!({ "done": what })),
            false => put(&format!("{what}\n")),
        }
    }

    fn write(&self, value: &Value) -> Result<(), CliError> {
        put(&format!("{value:#}\n"))
    }
}

fn put(text: &str) -> Result<(), CliError> {
    io::stdout().write_all(text.as_bytes()).map_err(CliError::Output)
}

/// A text of a resource by its JSON pointer; lists parted by commas, nothing for what is not there.
pub(crate) fn text(item: &Value, place: &str) -> String {
    match item.pointer(place) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let texts: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            texts.join(",")
        }
        Some(other) => other.to_string(),
    }
}

/// A resource without its secret, for all answers but the one that made it.
pub(crate) fn without_secret(mut item: Value) -> Value {
    if let Some(attributes) = item.get_mut("attributes").and_then(Value::as_object_mut) {
        attributes.remove("key");
    }
    item
}

fn table(items: &[Value], columns: &[Column]) -> String {
    let heading = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let row = |item: &Value| columns.iter().map(|(_, cell)| cell(item)).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(items.iter().map(row)).collect();
    let widths: Vec<_> = (0..columns.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn lines(pairs: impl Iterator<Item = (&'static str, String)>) -> String {
    let pairs: Vec<_> = pairs.collect();
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        let name = name.to_lowercase();
        format!("{}\n", format!("{name:width$}  {value}").trim_end())
    };
    pairs.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let items = [json!({ "id": "1", "attributes": { "scopes": ["a", "b"] } }), json!({ "id": "22é" })];
        let columns: &[Column] =
            &[("ID", |item| text(item, "/id")), ("SCOPES", |item| text(item, "/attributes/scopes"))];
        assert_eq!(table(&items, columns), "ID   SCOPES\n1    a,b\n22é\n");
        assert_eq!(
            lines([("ID", "1".to_owned()), ("SCOPES", String::new())].into_iter()),
            "id      1\nscopes\n"
        );
    }
}
