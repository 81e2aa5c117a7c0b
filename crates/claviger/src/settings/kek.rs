//! Where the master keys come from.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{SecretVariables, SettingsError};
use crate::data_dir::DataDir;

/// Where the master keys come from.
#[derive(Clone)]
pub enum KekSource {
    /// A file, made on the first start.
    File(PathBuf),
    /// A text: what would stand in the file.
    Text(Zeroizing<String>),
    /// A passphrase, from which with a stored salt the key follows.
    Passphrase(Zeroizing<String>),
}

/// Shows where a secret comes from, and not the secret.
impl fmt::Debug for KekSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Passphrase(_) => f.write_str("Passphrase(..)"),
        }
    }
}

impl KekSource {
    pub(super) fn check(
        file: Option<PathBuf>,
        secrets: SecretVariables,
        data: &Path,
    ) -> Result<Self, SettingsError> {
        match (file, secrets.kek, secrets.kek_passphrase) {
            (None, None, None) => Ok(Self::File(DataDir::kek_file(data))),
            (Some(path), None, None) => Ok(Self::File(path)),
            (None, Some(text), None) => Ok(Self::Text(text)),
            (None, None, Some(passphrase)) => Ok(Self::Passphrase(passphrase)),
            _ => Err(SettingsError::KekSources),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Typed;
    use crate::settings::testing::{check_with, secret};

    #[test]
    fn master_keys_come_from_one_place() {
        let variables =
            |kek, kek_passphrase| SecretVariables { kek, kek_passphrase, ..SecretVariables::default() };
        let kek = |secrets, edit: fn(&mut Typed)| check_with(secrets, edit).map(|settings| settings.kek);
        let file: fn(&mut Typed) = |typed| typed.kek_file = Some("other".into());
        let text = || variables(secret("hunter2"), None);
        let passphrase = || variables(None, secret("hunter2"));
        assert!(
            matches!(kek(variables(None, None), file), Ok(KekSource::File(path)) if path.as_os_str() == "other")
        );
        assert!(matches!(kek(text(), |_| ()), Ok(KekSource::Text(text)) if *text == "hunter2"));
        assert!(matches!(kek(passphrase(), |_| ()), Ok(KekSource::Passphrase(text)) if *text == "hunter2"));
        for (secrets, edit) in [
            (text(), file),
            (passphrase(), file),
            (variables(secret("hunter2"), secret("hunter2")), |_: &mut Typed| ()),
        ] {
            let sentence = kek(secrets, edit).unwrap_err().to_string();
            assert!(
                sentence.contains("one of --kek-file, CLAVIGER_KEK and CLAVIGER_KEK_PASSPHRASE"),
                "{sentence}"
            );
        }
        let shown = format!("{:?} {:?}", check_with(text(), |_| ()), check_with(passphrase(), |_| ()));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
