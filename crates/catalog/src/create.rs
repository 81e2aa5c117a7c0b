//! New connections.

use claviger_model::Random;
use serde_json::Value;

use crate::catalog::Catalog;
use crate::entry::CredentialType;
use crate::fault::{Faults, Warning};
use crate::field::{Made, Shape};
use crate::inject::Presentation;
use crate::merge::{Merged, merge};
use crate::request::read;
use crate::secret::Secrets;
use crate::settings::{Setting, Settings};
use crate::template;

/// What the server puts into connections by itself.
pub struct ServerValues<'s> {
    /// The AWS account of the operator, in which the server's own AWS credentials are.
    pub principal_id: &'s str,
    /// Where the digits of an ExternalId come from.
    pub random: &'s dyn Random,
}

/// A valid body, taken apart.
#[derive(Debug)]
pub struct Created {
    /// To be kept in clear.
    pub settings: Settings,
    /// To be sealed, each on its own.
    pub secrets: Secrets,
    /// What is unusual about it.
    pub warnings: Vec<Warning>,
}

impl Catalog {
    /// Takes the `integration` value of a create apart. Texts of it that are refused or not taken are cleared.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, with pointers into it. None of them holds a value.
    pub fn create(&self, integration: Value, server: &ServerValues<'_>) -> Result<Created, Faults> {
        let mut faults = Faults::default();
        let Some((entry, credential, mut given)) = read(self, None, integration, &mut faults) else {
            return Err(faults);
        };
        let settings = Settings {
            integration: entry.kind.clone(),
            credentials: credential.kind.clone(),
            fields: Default::default(),
        };
        let Merged { mut settings, write, .. } = merge(credential, settings, &mut given, &mut faults);
        let mut warnings = std::mem::take(&mut given.warnings);
        if credential.fills_templates() {
            template::check(&settings, &given, &mut faults, &mut warnings);
        }
        for field in &credential.fields {
            if let Shape::Made(made) = field.shape {
                settings.fields.insert(field.name.clone(), Setting::Text(server.make(made)));
            }
        }
        faults.or(Created { settings, secrets: write, warnings })
    }
}

impl ServerValues<'_> {
    pub(crate) fn make(&self, made: Made) -> String {
        match made {
            Made::PrincipalId => self.principal_id.to_owned(),
            Made::ExternalId => {
                let mut bytes = [0; 16];
                self.random.fill(&mut bytes);
                bytes.iter().map(|byte| format!("{byte:02x}")).collect()
            }
        }
    }
}

impl CredentialType {
    pub(crate) fn fills_templates(&self) -> bool {
        self.injections.iter().any(|injection| matches!(injection.what, Presentation::HttpTemplate))
    }
}
