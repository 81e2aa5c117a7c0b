//! Secrets that the environment may hold. They have no flag, because everybody on a machine sees its flags.

use zeroize::Zeroizing;

use super::SettingsError;

/// What the variables for secrets say.
#[derive(Default)]
pub struct SecretVariables {
    /// `CLAVIGER_KEK`: master keys, as their file would hold them.
    pub kek: Option<Zeroizing<String>>,
    /// `CLAVIGER_KEK_PASSPHRASE`: what the master key follows from.
    pub kek_passphrase: Option<Zeroizing<String>>,
    /// `CLAVIGER_AWS_SECRET_ACCESS_KEY`: the secret of the server's own AWS access key.
    pub aws_secret_access_key: Option<Zeroizing<String>>,
}

impl SecretVariables {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// When a variable is not UTF-8.
    pub fn read() -> Result<Self, SettingsError> {
        Ok(Self {
            kek: read("CLAVIGER_KEK")?,
            kek_passphrase: read("CLAVIGER_KEK_PASSPHRASE")?,
            aws_secret_access_key: read("CLAVIGER_AWS_SECRET_ACCESS_KEY")?,
        })
    }
}

fn read(name: &'static str) -> Result<Option<Zeroizing<String>>, SettingsError> {
    let text = std::env::var_os(name).map(|value| value.into_string());
    text.transpose().map(|text| text.map(Zeroizing::new)).map_err(|_| SettingsError::NotText { name })
}
