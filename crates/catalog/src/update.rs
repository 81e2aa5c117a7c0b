//! Changes of connections, and who may aim a secret elsewhere: only whoever brings it anew.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::catalog::Catalog;
use crate::connection::Connection;
use crate::create::ServerValues;
use crate::fault::{Faults, Warning};
use crate::field::{Made, Shape};
use crate::merge::{Merged, merge};
use crate::placement;
use crate::request::{Given, read};
use crate::secret::{SecretName, Secrets};
use crate::settings::{Setting, Settings};
use crate::template;

/// A valid change, taken apart.
#[derive(Debug)]
pub struct Updated {
    /// All settings after the change, to be kept in clear.
    pub settings: Settings,
    /// Secrets to be sealed, in place of those of the same names.
    pub write: Secrets,
    /// Kept secrets that go away.
    pub delete: BTreeSet<SecretName>,
    /// Whether the connection goes elsewhere than before. All of its kept secrets are then in `write` or `delete`.
    pub repointed: bool,
    /// What is unusual about it.
    pub warnings: Vec<Warning>,
}

impl Catalog {
    /// What is wrong with the `integration` value of an update by its form alone, whatever connection it is for.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it so.
    pub fn check_update(&self, integration: Value) -> Result<(), Faults> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let nothing = Settings {
            integration: text(&integration["type"]),
            credentials: text(&integration["credentials"]["type"]),
            fields: Default::default(),
        };
        let mut faults = Faults::default();
        read(self, Some(&nothing), integration, &mut faults);
        faults.or(())
    }
}

impl Connection<'_> {
    /// Merges the `integration` value of an update into the connection, whose secrets are kept under the names `kept`.
    /// What is absent keeps; the types cannot change; lists are merged by name. Texts that are refused or not taken are
    /// cleared.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, with pointers into it. Among that is: a setting changes from which a host, a
    /// base URL or the URL of an exchange is built, and a kept secret is neither brought anew nor deleted; or a text of an
    /// HTTP connection that names a token changes, moves or is new, and the token is kept and not brought anew.
    pub fn update(
        &self,
        kept: &BTreeSet<SecretName>,
        integration: Value,
        server: &ServerValues<'_>,
    ) -> Result<Updated, Faults> {
        let mut faults = Faults::default();
        let Some((_, _, mut given)) = read(self.catalog, Some(self.settings), integration, &mut faults)
        else {
            return Err(faults);
        };
        let Merged { mut settings, write, delete } =
            merge(self.credential, self.settings.clone(), &mut given, &mut faults);
        let mut warnings = std::mem::take(&mut given.warnings);
        if self.credential.fills_templates() {
            template::check(&settings, &given, &mut faults, &mut warnings);
        }
        let delete: BTreeSet<SecretName> = delete.intersection(kept).cloned().collect();
        let changed = self.repointing(&settings);
        let settled = |name: &&SecretName| write.contains_key(*name) || delete.contains(*name);
        let missing = kept.iter().filter(|name| !settled(name));
        if !changed.is_empty() {
            missing.for_each(|name| self.demand(name, &changed, &mut faults));
        } else if self.credential.fills_templates() {
            placement::demand(self.settings, &settings, missing, &mut faults);
        }
        self.renew(&mut settings, &given, server);
        faults.or(Updated { settings, write, delete, repointed: !changed.is_empty(), warnings })
    }

    /// The settings with a part in where secrets go that mean something else in `settings` than before.
    fn repointing(&self, settings: &Settings) -> Vec<&str> {
        let meaning = |of: &Settings, name: &str| {
            let field = self.credential.field(name)?;
            of.text(name).map(|text| field.stands_for(text))
        };
        let fields = self.credential.host_fields.iter().map(String::as_str);
        fields.filter(|name| meaning(self.settings, name) != meaning(settings, name)).collect()
    }

    fn demand(&self, name: &SecretName, changed: &[&str], faults: &mut Faults) {
        let changed = changed.join(" and ");
        let tail = format!("since {changed} changes and with it where it is sent");
        match name.as_str().split_once('/') {
            Some((list, item)) => {
                let reason = format!("must bring {item} anew or delete it, {tail}");
                faults.push(format!("/credentials/{list}"), reason);
            }
            None => faults.push(format!("/credentials/{name}"), format!("must be given anew, {tail}")),
        }
    }

    fn renew(&self, settings: &mut Settings, given: &Given, server: &ServerValues<'_>) {
        let external = self
            .credential
            .fields
            .iter()
            .filter(|field| matches!(field.shape, Shape::Made(Made::ExternalId)));
        for field in external.filter(|_| given.renew) {
            settings.fields.insert(field.name.clone(), Setting::Text(server.make(Made::ExternalId)));
        }
    }
}
