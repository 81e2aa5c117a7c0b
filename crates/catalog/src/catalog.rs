//! The catalog: all integrations, by type.

use thiserror::Error;

use crate::connection::Connection;
use crate::entry::Integration;
use crate::load::{self, CatalogError, Formats};
use crate::settings::Settings;

const FILE: &str = "integrations.toml";
const EMBEDDED: &str = include_str!("../integrations.toml");

/// All integrations that connections can be made to.
#[derive(Debug)]
pub struct Catalog {
    formats: Formats,
    integrations: Vec<Integration>,
}

/// A stored connection is of a type that the catalog does not have, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the catalog has no credentials {credentials} of an integration {integration}")]
pub struct UnknownType {
    /// The type of the integration.
    pub integration: String,
    /// The type of the credentials.
    pub credentials: String,
}

impl Catalog {
    /// The catalog that this crate carries.
    ///
    /// # Errors
    ///
    /// When an entry is wrong, which a test rules out.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self { formats: Formats::new(), integrations: Vec::new() }.with_extra(FILE, EMBEDDED)
    }

    /// The catalog with what another text adds: integrations, and formats of their own. `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// When an entry is wrong, or its name is taken; the error names it and the field.
    pub fn with_extra(mut self, file: &str, text: &str) -> Result<Self, CatalogError> {
        load::add(&mut self.formats, &mut self.integrations, file, text)?;
        Ok(self)
    }

    /// All integrations: those of the vendor by name, then what was added.
    pub fn integrations(&self) -> &[Integration] {
        &self.integrations
    }

    /// The integration of that type.
    pub fn integration(&self, kind: &str) -> Option<&Integration> {
        self.integrations.iter().find(|integration| integration.kind == kind)
    }

    /// A stored connection as its entry sees it.
    ///
    /// # Errors
    ///
    /// When there is no such entry.
    pub fn connection<'c>(&'c self, settings: &'c Settings) -> Result<Connection<'c>, UnknownType> {
        let integration = self.integration(&settings.integration);
        let found = integration.and_then(|entry| Some((entry, entry.credential(&settings.credentials)?)));
        let (integration, credential) = found.ok_or_else(|| UnknownType {
            integration: settings.integration.clone(),
            credentials: settings.credentials.clone(),
        })?;
        Ok(Connection { catalog: self, integration, credential, settings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that went missing is an error that names an entry, or leaves a catalog that holds: never a panic, and
    /// never a secret without a host.
    #[test]
    fn no_missing_line_goes_unnoticed_or_panics() {
        let lines: Vec<&str> = EMBEDDED.lines().filter(|line| !line.starts_with('#')).collect();
        let mut refused = 0;
        for index in (0..lines.len()).step_by(7) {
            let without = [&lines[..index], &lines[index + 1..]].concat().join("\n");
            let empty = Catalog { formats: Formats::new(), integrations: Vec::new() };
            match empty.with_extra(FILE, &without) {
                Err(error) => {
                    assert!(!error.entry.is_empty() && !error.field.is_empty(), "{error}");
                    refused += 1;
                }
                Ok(catalog) => assert!(
                    catalog
                        .integrations
                        .iter()
                        .all(|entry| { entry.host_rule.is_some() || !entry.hosts.is_empty() })
                ),
            }
        }
        assert!(refused > 20, "{refused}");
    }
}
