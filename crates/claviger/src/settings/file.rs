//! The configuration file.

use std::io::ErrorKind;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::faults::Faults;
use super::sections::{FILE_ONLY, SECTIONS};
use super::{SettingsError, SettingsErrors, Typed};
use crate::private_file;

/// From this likeness on (0 to 1), a key is taken for a misspelt setting.
const NEAR_MIN: f64 = 0.8;

/// Reads a configuration file.
pub(super) fn read(path: &Path) -> Result<Typed, SettingsErrors> {
    let unreadable = |source| SettingsError::FileUnreadable { path: path.to_owned(), source };
    let contents = private_file::read(path).and_then(|read| read.ok_or_else(|| ErrorKind::NotFound.into()));
    let contents = contents.map_err(unreadable)?;
    let typed = parse(path, &contents.text)?;
    match contents.is_exposed && typed.aws.secret_access_key.is_some() {
        true => Err(SettingsError::FileExposed { path: path.to_owned() }.into()),
        false => Ok(typed),
    }
}

fn parse(path: &Path, text: &str) -> Result<Typed, SettingsErrors> {
    // Only the message: the parser's full text quotes the line, and that may hold a database's password.
    let syntax = |error: toml::de::Error| SettingsError::FileSyntax {
        path: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    };
    let table = DeTable::parse(text).map_err(syntax)?;
    // The parser would quote what stands there.
    let mut sections =
        table.get_ref().iter().filter(|(key, _)| SECTIONS.iter().any(|name| name == key.get_ref()));
    if let Some((key, _)) = sections.find(|(_, value)| !matches!(value.get_ref(), DeValue::Table(_))) {
        let message = format!("`{0}` is a section: begin it with [{0}]", key.get_ref());
        let line = line_of(text, key.span().start);
        return Err(SettingsError::FileSyntax { path: path.to_owned(), line, message }.into());
    }
    let mut faults = Faults::default();
    for (at, key) in unknown(table.get_ref()) {
        let (line, near) = (line_of(text, at), near(&key, keys()));
        faults.add(SettingsError::FileKey { path: path.to_owned(), line, near, key });
    }
    faults.or(Some(()))?;
    Ok(toml::from_str(text).map_err(syntax)?)
}

/// The keys that are no settings, and where they stand. Within a section, its name stands before them.
fn unknown(table: &DeTable<'_>) -> Vec<(usize, String)> {
    let keys = keys();
    let mut found = Vec::new();
    for (key, value) in table {
        let section = SECTIONS.into_iter().find(|section| section == key.get_ref());
        match (section, value.get_ref()) {
            (Some(section), DeValue::Table(inner)) => {
                let inner =
                    inner.keys().map(|key| (key.span().start, format!("{section}.{}", key.get_ref())));
                found.extend(inner);
            }
            _ => found.push((key.span().start, key.get_ref().to_string())),
        }
    }
    found.retain(|(_, key)| !keys.contains(key));
    found.sort_unstable();
    found
}

/// All keys, those within sections with a dot.
fn keys() -> Vec<String> {
    let in_section = |name: String| {
        let mut parts = SECTIONS
            .iter()
            .filter_map(|section| Some((section, name.strip_prefix(section)?.strip_prefix('_')?)));
        parts.next().map(|(section, key)| format!("{section}.{key}")).unwrap_or(name.clone())
    };
    Typed::names().into_iter().chain(FILE_ONLY.map(str::to_owned)).map(in_section).collect()
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
            zendesk_requests_per_minute = 200
            zendesk_connections_max = 50
            zendesk_public_url = "https://zis.claviger.example"
            zendesk_show_tokens = true
            zendesk_oauth_anywhere = true
            broker.requests_per_minute = 600
            broker.upstream = [{ host = "git.example", address = "10.1.2.3:8443", ca_file = "/run/ca.pem" }]
            broker.calls_max = 1000
            broker.calls_per_org_max = 100
            catalog.extra = "/etc/claviger/integrations.toml"
            [aws]
            region = "eu-west-1"
            principal_id = "123456789012"
            access_key_id = "AKIDEXAMPLE"
            secret_access_key = "secret"
        "#;
        let typed = parse(Path::new("claviger.toml"), text).unwrap();
        assert_eq!(typed.data.as_deref(), Some(Path::new("/srv/claviger")));
        assert_eq!(typed.database.as_deref(), Some("postgres://db"));
        assert_eq!(typed.behind_proxy, Some(true));
        assert_eq!(typed.trusted_proxy, Some(vec!["10.0.0.0/8".to_owned()]));
        assert_eq!(typed.log_format, Some(LogFormat::Json));
        assert_eq!(typed.limits, Some(RateLimits::Vendor));
        assert_eq!(typed.drain_seconds, Some(3));
        assert_eq!((typed.zendesk_requests_per_minute, typed.zendesk_connections_max), (Some(200), Some(50)));
        assert_eq!(typed.catalog.extra.as_deref(), Some(Path::new("/etc/claviger/integrations.toml")));
        assert_eq!((typed.broker.calls_max, typed.broker.calls_per_org_max), (Some(1000), Some(100)));
        assert_eq!(typed.aws.region.as_deref(), Some("eu-west-1"));
        assert_eq!(typed.aws.secret_access_key.unwrap().0.as_str(), "secret");
        let written = text.lines().filter(|line| line.contains('=')).count();
        assert_eq!(written, keys().len());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_its_likeness() {
        for (key, hint) in [
            ("listne", "did you mean `listen`?"),
            ("metrics-listen", "did you mean `metrics_listen`?"),
            ("database_url", "did you mean `database`?"),
            ("kek", "did you mean `kek_file`?"),
            ("aws_region", "did you mean `aws.region`?"),
            ("aws.reigon", "did you mean `aws.region`?"),
            ("catalog.file", "did you mean `catalog.extra`?"),
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
    fn each_of_several_unknown_keys_is_named() {
        let told = refused("zz = 1\naa = 2\n[aws]\nkk = 3\n");
        let told: Vec<_> = told.lines().collect();
        assert_eq!(told.len(), 3);
        for (line, key) in [(1, "zz"), (2, "aa"), (4, "aws.kk")] {
            assert!(
                told.iter().any(|it| it.contains(&format!("line {line}: there is no setting `{key}`"))),
                "{told:?}"
            );
        }
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
            "log = \"info\"\naws = \"hunter2\"\n",
            "[aws]\nregion = 1\n",
            "[aws]\nsecret_access_key = [\"hunter2\"]\n",
        ] {
            let sentence = refused(text);
            assert!(sentence.starts_with("claviger.toml, line 2: "), "{sentence}");
            assert!(!sentence.contains("hunter2"), "{sentence}");
        }
    }

    #[test]
    fn a_file_with_a_secret_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("claviger.toml");
        let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        std::fs::write(&path, "[aws]\nsecret_access_key = \"hunter2\"\n").unwrap();
        mode(0o640);
        let sentence = read(&path).err().unwrap().to_string();
        assert!(sentence.contains("`chmod 600 ") && !sentence.contains("hunter2"), "{sentence}");
        mode(0o600);
        assert!(read(&path).is_ok());
        std::fs::write(&path, "log = \"info\"\n").unwrap();
        mode(0o644);
        assert!(read(&path).is_ok());
    }
}
