//! The configuration file.

use std::fs;
use std::path::Path;

use toml::de::DeTable;

use super::{SettingsError, Typed};

/// From this likeness on (0 to 1), a key is taken for a misspelt setting.
const NEAR_MIN: f64 = 0.8;

/// Reads a configuration file.
pub(super) fn read(path: &Path) -> Result<Typed, SettingsError> {
    let text = fs::read_to_string(path)
        .map_err(|source| SettingsError::FileUnreadable { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Typed, SettingsError> {
    // Only the message: the parser's full text quotes the line, and that may hold a database's password.
    let syntax = |error: toml::de::Error| SettingsError::FileSyntax {
        path: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    };
    let table = DeTable::parse(text).map_err(syntax)?;
    let names = Typed::names();
    let unknown = table.get_ref().keys().filter(|key| !names.iter().any(|name| name == key.get_ref()));
    if let Some(key) = unknown.min_by_key(|key| key.span().start) {
        return Err(SettingsError::FileKey {
            path: path.to_owned(),
            line: line_of(text, key.span().start),
            key: key.get_ref().to_string(),
            near: near(key.get_ref(), names),
        });
    }
    toml::from_str(text).map_err(syntax)
}

fn near(key: &str, names: Vec<String>) -> Option<String> {
    let likeness = |name: &String| strsim::jaro_winkler(key, name);
    let nearest = names.into_iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(&nearest) >= NEAR_MIN).then_some(nearest)
}

/// The line of a byte, counted from one.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use crate::settings::{LogFormat, RateLimits};

    use super::*;

    fn refused(text: &str) -> String {
        parse(Path::new("claviger.toml"), text).err().unwrap().to_string()
    }

    #[test]
    fn every_setting_can_stand_in_the_file() {
        let text = r#"
            data = "/srv/claviger"
            listen = "127.0.0.1:1"
            database = "postgres://db"
            database_ca = "/run/ca.pem"
            kek_file = "/run/kek"
            metrics_listen = "127.0.0.1:2"
            tls_cert = "/run/tls.pem"
            tls_key = "/run/tls.key"
            behind_proxy = true
            trusted_proxy = ["10.0.0.0/8"]
            no_bootstrap_file = true
            email = "ada@example.com"
            org = "Analytical Engines"
            checkpoint_file = "/mnt/elsewhere/checkpoints.jsonl"
            log_format = "json"
            log = "warn"
            limits = "vendor"
            drain_seconds = 3
            webhooks_anywhere = true
            github_keys = "/run/github.json"
            zendesk_base_domain = "claviger.example"
        "#;
        let typed = parse(Path::new("claviger.toml"), text).unwrap();
        assert_eq!(typed.data.as_deref(), Some(Path::new("/srv/claviger")));
        assert_eq!(typed.database.as_deref(), Some("postgres://db"));
        assert_eq!(typed.behind_proxy, Some(true));
        assert_eq!(typed.trusted_proxy, Some(vec!["10.0.0.0/8".to_owned()]));
        assert_eq!(typed.log_format, Some(LogFormat::Json));
        assert_eq!(typed.limits, Some(RateLimits::Vendor));
        assert_eq!(typed.drain_seconds, Some(3));
        let written = text.lines().filter(|line| line.contains('=')).count();
        assert_eq!(written, Typed::names().len());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_its_likeness() {
        for (key, hint) in [
            ("listne", "did you mean `listen`?"),
            ("metrics-listen", "did you mean `metrics_listen`?"),
            ("database_url", "did you mean `database`?"),
            ("kek", "did you mean `kek_file`?"),
            ("port", "`claviger help` names them all"),
        ] {
            let sentence = refused(&format!("# first\nlog = \"info\"\n\n{key} = \"x\"\n"));
            assert!(
                sentence.starts_with(&format!("claviger.toml, line 4: there is no setting `{key}`; ")),
                "{sentence}"
            );
            assert!(sentence.contains(hint), "{sentence}");
        }
        assert!(
            refused("[server]\nlisten = \"x\"\n")
                .starts_with("claviger.toml, line 1: there is no setting `server`")
        );
    }

    #[test]
    fn the_first_of_several_unknown_keys_is_named() {
        assert!(refused("zz = 1\naa = 2\n").contains("line 1: there is no setting `zz`"));
    }

    #[test]
    fn other_mistakes_are_named_with_their_line_and_without_what_stands_there() {
        for text in [
            "log = \"info\"\ndatabase = \"postgres://user:hunter2@db\n",
            "log = \"info\"\ndatabase = postgres://user:hunter2@db\n",
            "log = \"info\"\ndrain_seconds = \"three\"\n",
            "log = \"info\"\nlog_format = \"xml\"\n",
            "log = \"info\"\nbehind_proxy = 1\n",
            "log = \"info\"\nlog = \"info\"\n",
        ] {
            let sentence = refused(text);
            assert!(sentence.starts_with("claviger.toml, line 2: "), "{sentence}");
            assert!(!sentence.contains("hunter2"), "{sentence}");
        }
    }
}
