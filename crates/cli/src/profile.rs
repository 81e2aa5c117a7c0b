//! Profiles: where a server is, and who calls it. A file that is its owner's alone.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::CliError;

/// The profile that is meant where none is named.
pub(crate) const DEFAULT: &str = "default";

/// Where a server is, and who calls it: a pair of keys, or a token. It has no `Debug`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) application_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// Certificates of authorities to trust in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

impl Drop for Profile {
    fn drop(&mut self) {
        for secret in [&mut self.api_key, &mut self.application_key, &mut self.token] {
            secret.zeroize();
        }
    }
}

/// The profiles of one file.
pub(crate) struct Profiles {
    path: PathBuf,
    pub(crate) all: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Reads a file; none where it is not there.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let failed = |source| CliError::Read { path: path.to_owned(), source };
        let mut file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { path: path.to_owned(), all: BTreeMap::new() });
            }
            opened => opened.map_err(failed)?,
        };
        // Asked of the open file, so that nobody can put another one there in between.
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(CliError::Exposed { path: path.to_owned() });
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(failed)?;
        // Only the message: the parser's full text quotes the line.
        let all = toml::from_str(&text).map_err(|error| CliError::Profiles {
            path: path.to_owned(),
            reason: error.message().to_owned(),
        })?;
        Ok(Self { path: path.to_owned(), all })
    }

    /// The one that is meant.
    pub(crate) fn choose(mut self, name: Option<&str>) -> Result<Profile, CliError> {
        let only = (self.all.len() == 1).then(|| self.all.keys().next().cloned()).flatten();
        let name = match (name, only) {
            (Some(name), _) => name.to_owned(),
            (None, Some(only)) => only,
            (None, None) => DEFAULT.to_owned(),
        };
        if self.all.is_empty() {
            return Err(CliError::NoProfile { path: self.path });
        }
        match self.all.remove(&name) {
            Some(profile) => Ok(profile),
            None => {
                let known = self.all.keys().cloned().collect();
                Err(CliError::NoSuchProfile { name, path: self.path, known })
            }
        }
    }

    /// Writes the file anew, all of it or nothing.
    pub(crate) fn write(&self) -> Result<(), CliError> {
        let failed = |source| CliError::Write { path: self.path.clone(), source };
        let text = toml::to_string(&self.all).expect("profiles are tables of texts");
        let text = Zeroizing::new(text);
        if let Some(parent) = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
        }
        let mut unfinished = self.path.as_os_str().to_owned();
        unfinished.push(".new");
        // Anew, because the mode of a file that is there already would stay what it is.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&unfinished, &self.path).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(url: &str) -> Profile {
        let mut profile = Profile::default();
        (profile.url, profile.token) = (url.to_owned(), Some("hunter2".to_owned()));
        profile
    }

    #[test]
    fn what_is_written_is_read_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("below/profiles.toml");
        let mut profiles = Profiles::read(&path).unwrap();
        assert!(matches!(profiles.write(), Ok(())));
        profiles.all.insert("work".into(), profile("https://a.example"));
        profiles.write().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Profiles::read(&path).unwrap().choose(None).unwrap();
        assert_eq!((read.url.as_str(), read.token.as_deref()), ("https://a.example", Some("hunter2")));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Profiles::read(&path), Err(CliError::Exposed { .. })));
    }

    #[test]
    fn a_profile_is_named_or_the_only_one_or_the_default() {
        let with = |names: &[&str]| Profiles {
            path: "x".into(),
            all: names.iter().map(|name| ((*name).to_owned(), profile(name))).collect(),
        };
        let chosen = |names: &[&str], name| with(names).choose(name).map(|it| it.url.clone()).ok();
        assert_eq!(chosen(&["a", "b"], Some("b")), Some("b".into()));
        assert_eq!(chosen(&["a"], None), Some("a".into()));
        assert_eq!(chosen(&["a", "default"], None), Some("default".into()));
        assert_eq!(chosen(&["a", "b"], None), None);
        assert_eq!(chosen(&["a"], Some("b")), None);
        assert_eq!(chosen(&[], None), None);
    }

    #[test]
    fn a_mistake_is_named_without_what_stands_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("profiles.toml");
        for text in ["[a]\nurl = \"x\"\ntoken = hunter2\n", "[a]\nurl = \"x\"\npassword = \"hunter2\"\n"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = Profiles::read(&path).err().unwrap().to_string();
            assert!(error.contains("no file of profiles") && !error.contains("hunter2"), "{error}");
        }
    }
}
