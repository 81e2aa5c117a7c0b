//! The program from outside: what a first start leaves behind, what a second one leaves alone, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod process;

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use claviger::settings::{self, SecretVariables, Settings, Typed};
use claviger::start;
use claviger::terminal::Terminal;
use process::{Outcome, Serving, program};
use serde_json::Value;
use tempfile::TempDir;

/// A data directory that is not there yet.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// One where `init` was run.
    fn founded() -> Self {
        let home = Self::new();
        home.init(&[]).succeeds();
        home
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.directory.path()).args(arguments).arg("--data").arg(self.data());
        command
    }

    fn init(&self, arguments: &[&str]) -> Outcome {
        self.init_with(arguments, &[])
    }

    fn init_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let mut command = self.command(&["init"]);
        Outcome::of(command.args(arguments).envs(variables.iter().copied()))
    }

    fn bootstrap(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.file("bootstrap.json")).unwrap()).unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        secrets_in(&self.bootstrap())
    }
}

fn secrets_in(bootstrap: &Value) -> Vec<String> {
    ["api_key", "application_key"].map(|key| bootstrap[key].as_str().unwrap().to_owned()).into()
}

impl Outcome {
    /// Ends with this code, and a last sentence on standard error that has all of these in it.
    fn fails(self, code: i32, expected: &[&str]) -> Self {
        let stderr = self.stderr();
        let sentence = stderr.lines().last().unwrap_or_default();
        assert!(sentence.starts_with("claviger: "), "{stderr}");
        for part in expected {
            assert!(sentence.contains(part), "{part:?} is not in: {sentence}");
        }
        self.ends(code, &[])
    }

    fn says_nothing_of(self, secrets: &[String]) -> Self {
        for secret in secrets {
            assert!(!self.stdout().contains(secret) && !self.stderr().contains(secret));
        }
        self
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_first_start_leaves_private_files_and_tells_no_secret_to_a_pipe() {
    let home = Home::new();
    let outcome = home.init(&[]).succeeds().says_nothing_of(&home.secrets());
    assert_eq!(outcome.stdout(), format!("{}\n", home.file("bootstrap.json").display()));
    assert_eq!(mode(&home.data()), 0o700);
    let mut names: Vec<_> = fs::read_dir(home.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["bootstrap.json", "claviger.db", "kek", "lock"]);
    for name in names {
        assert_eq!(mode(&home.file(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_first_start_writes_what_its_readers_expect() {
    let home = Home::founded();
    let bootstrap = home.bootstrap();
    let mut fields: Vec<_> = bootstrap.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = ["api_key", "application_key", "application_key_id", "email", "org_id", "url", "user_id"];
    assert_eq!(fields, expected);
    assert_eq!(bootstrap["url"], "http://127.0.0.1:7070");
    assert_eq!(bootstrap["email"], "admin@claviger.local");
    assert_eq!(bootstrap["api_key"].as_str().unwrap().len(), 32);
    assert!(bootstrap["application_key"].as_str().unwrap().starts_with("ddapp_"));
    for id in ["org_id", "user_id", "application_key_id"] {
        assert_eq!(bootstrap[id].as_str().unwrap().len(), 36, "{id}");
    }
}

#[test]
fn a_second_start_changes_nothing_and_tells_no_secret() {
    let home = Home::founded();
    let before = [home.file("kek"), home.file("bootstrap.json")].map(|path| fs::read(path).unwrap());
    let outcome = home.init(&["--email", "other@example.com"]).succeeds().says_nothing_of(&home.secrets());
    assert_eq!(outcome.stdout(), "");
    assert_eq!(outcome.stderr().lines().filter(|line| line.contains("delete it")).count(), 1);
    let after = [home.file("kek"), home.file("bootstrap.json")].map(|path| fs::read(path).unwrap());
    assert_eq!(before, after);
}

#[test]
fn a_bootstrap_file_that_was_deleted_stays_so() {
    let home = Home::founded();
    fs::remove_file(home.file("bootstrap.json")).unwrap();
    let outcome = home.init(&[]).succeeds();
    assert!(!home.file("bootstrap.json").exists());
    assert!(!outcome.stderr().contains("delete it"));
}

#[test]
fn a_start_finishes_what_a_crash_after_the_commit_left() {
    let home = Home::founded();
    let secrets = home.secrets();
    fs::rename(home.file("bootstrap.json"), home.file("bootstrap.json.new")).unwrap();
    home.init(&[]).succeeds().says_nothing_of(&secrets);
    assert_eq!(home.secrets(), secrets);
    assert!(!home.file("bootstrap.json.new").exists());
}

#[test]
fn a_start_replaces_what_a_crash_before_the_commit_left() {
    let (home, other) = (Home::new(), Home::founded());
    fs::create_dir(home.data()).unwrap();
    set_mode(&home.data(), 0o700);
    fs::copy(other.file("bootstrap.json"), home.file("bootstrap.json.new")).unwrap();
    home.init(&[]).succeeds();
    assert_ne!(home.secrets(), other.secrets());
    assert!(!home.file("bootstrap.json.new").exists());
}

#[test]
fn keys_of_another_database_are_neither_taken_nor_overwritten() {
    let (home, other) = (Home::founded(), Home::founded());
    let secrets = home.secrets();
    fs::rename(other.file("bootstrap.json"), home.file("bootstrap.json.new")).unwrap();
    let outcome = home.init(&[]).succeeds();
    assert!(outcome.stderr().contains("no org of this database"));
    assert_eq!(home.secrets(), secrets);

    fs::remove_file(home.file("claviger.db")).unwrap();
    home.init(&[]).fails(1, &["bootstrap.json holds the first keys of another database", "move it away"]);
    assert_eq!(home.secrets(), secrets);
}

#[test]
fn without_a_bootstrap_file_and_a_terminal_nothing_is_made() {
    let home = Home::new();
    home.init(&["--no-bootstrap-file"]).fails(1, &["without --no-bootstrap-file"]);
    assert!(!home.file("bootstrap.json").exists());
    home.init(&[]).succeeds();
}

#[tokio::test]
async fn a_terminal_is_told_the_secrets_once() {
    for is_file_wanted in [true, false] {
        let home = Home::new();
        let typed =
            Typed { data: Some(home.data()), no_bootstrap_file: Some(!is_file_wanted), ..Typed::default() };
        let settings = Settings::check(typed, SecretVariables::default()).unwrap();
        let mut shown = Vec::new();
        for _ in 0..2 {
            let mut terminal = Terminal::new(&mut shown, true);
            start::run(settings::Command::Init, &settings, &mut terminal).await.unwrap();
        }
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(shown.matches("curl -sS -H \"DD-API-KEY: ").count(), 1, "{shown}");
        assert!(shown.contains("\" http://127.0.0.1:7070/api/v2/api_keys\n"), "{shown}");
        assert_eq!(home.file("bootstrap.json").exists(), is_file_wanted);
        if is_file_wanted {
            // On a line of its own, and in the line to paste.
            for secret in home.secrets() {
                assert_eq!(shown.matches(&secret).count(), 2, "{shown}");
            }
        }
    }
}

#[test]
fn missing_master_keys() {
    let home = Home::founded();
    let kek = fs::read_to_string(home.file("kek")).unwrap();
    fs::remove_file(home.file("kek")).unwrap();
    home.init(&[]).fails(1, &["the master keys are missing", "data/kek back", "CLAVIGER_KEK"]);
    assert!(!home.file("kek").exists(), "new keys would hide the mistake");
    home.init_with(&[], &[("CLAVIGER_KEK", &kek)]).succeeds();
}

#[test]
fn wrong_master_keys() {
    let (home, other) = (Home::founded(), Home::founded());
    // The comment above each key is its id.
    let id = |home: &Home| {
        let text = fs::read_to_string(home.file("kek")).unwrap();
        let mut ids = text.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.len() == 16);
        ids.next_back().unwrap().to_owned()
    };
    let wanted = format!("master key {} is wanted", id(&home));
    fs::copy(other.file("kek"), home.file("kek")).unwrap();
    home.init(&[]).fails(1, &["not the master keys of this database", &wanted, &id(&other)]);
}

#[test]
fn master_keys_that_others_can_read() {
    let home = Home::founded();
    set_mode(&home.file("kek"), 0o644);
    let advice = format!("`chmod 600 {}`", home.file("kek").display());
    home.init(&[]).fails(1, &[&advice]);
    set_mode(&home.file("kek"), 0o600);
    home.init(&[]).succeeds();
}

#[test]
fn master_keys_from_a_passphrase() {
    let home = Home::new();
    let init = |passphrase| home.init_with(&[], &[("CLAVIGER_KEK_PASSPHRASE", passphrase)]);
    let secret = "correct horse battery".to_owned();
    init(&secret).succeeds().says_nothing_of(std::slice::from_ref(&secret));
    assert!(!home.file("kek").exists());
    assert_eq!(fs::read_to_string(home.file("kek.salt")).unwrap().trim().len(), 32);
    init(&secret).succeeds();
    init("incorrect horse battery").fails(1, &["not the master keys of this database"]);
    fs::remove_file(home.file("kek.salt")).unwrap();
    init(&secret).fails(1, &["the salt of the passphrase is missing"]);
}

#[test]
fn master_keys_from_two_places() {
    let home = Home::new();
    let variables = [("CLAVIGER_KEK", "x"), ("CLAVIGER_KEK_PASSPHRASE", "x")];
    home.init_with(&[], &variables).fails(2, &["more than one place"]);
    home.init_with(&["--kek-file", "kek"], &variables[..1]).fails(2, &["more than one place"]);
    assert!(!home.data().exists(), "settings are checked before anything is made");
}

#[test]
fn a_data_directory_that_others_can_read() {
    let home = Home::founded();
    for mode in [0o755, 0o750, 0o701] {
        set_mode(&home.data(), mode);
        let advice = format!("`chmod 700 {}`", home.data().display());
        home.init(&[]).fails(1, &[&advice]);
    }
}

#[test]
fn a_data_directory_that_is_a_file() {
    let home = Home::new();
    fs::write(home.data(), "").unwrap();
    home.init(&[]).fails(1, &["cannot be used", "--data"]);
}

#[test]
fn a_data_directory_in_use() {
    let home = Home::founded();
    let lock = File::open(home.file("lock")).unwrap();
    lock.try_lock().unwrap();
    home.init(&[]).fails(1, &["the data directory is in use: "]);
    drop(lock);
    home.init(&[]).succeeds();
}

#[test]
fn a_database_of_a_later_version() {
    let home = Home::founded();
    let database = rusqlite::Connection::open(home.file("claviger.db")).unwrap();
    database.execute("INSERT INTO schema_versions (version, applied_at) VALUES (99, 0)", []).unwrap();
    drop(database);
    home.init(&[]).fails(1, &["schema version 99", "use the newer binary"]);
}

#[test]
fn an_unknown_key_in_the_configuration() {
    let home = Home::new();
    fs::write(home.directory.path().join("claviger.toml"), "log = \"info\"\nlistne = \"127.0.0.1:1\"\n")
        .unwrap();
    let expected = "claviger.toml, line 2: there is no setting `listne`; did you mean `listen`?";
    home.init(&["--config", "claviger.toml"]).fails(2, &[expected]);
    home.init(&["--config", "absent.toml"]).fails(2, &["absent.toml cannot be read"]);
}

#[test]
fn a_bad_database_address() {
    let home = Home::new();
    let password = ["hunter2".to_owned()];
    home.init(&["--database", "mysql://user:hunter2@db"])
        .fails(2, &["postgres://", "leave --database out"])
        .says_nothing_of(&password);
    home.init(&["--database", "postgres://user:hunter2@db:port/x"])
        .fails(1, &["the database address is not understood"])
        .says_nothing_of(&password);
    // Port 1 answers nobody.
    home.init(&["--database", "postgres://user:hunter2@127.0.0.1:1/x"])
        .fails(1, &["the database is unavailable"])
        .says_nothing_of(&password);
}

#[test]
fn a_command_line_that_is_not_understood() {
    let home = Home::new();
    for arguments in [&["--listne", "x"][..], &["--log-format", "xml"], &["--drain-seconds", "x"]] {
        assert_eq!(home.init(arguments).0.status.code(), Some(2));
    }
    home.init(&["--listen", "0.0.0.0:7070"]).fails(2, &["--behind-proxy"]);
    assert!(!home.data().exists());
}

#[test]
fn help_does_not_show_what_the_environment_holds() {
    let home = Home::new();
    let help = home.init_with(&["--help"], &[("CLAVIGER_DATABASE", "postgres://user:hunter2@db")]).succeeds();
    assert!(help.stdout().contains("CLAVIGER_DATABASE") && !help.stdout().contains("hunter2"));
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let email = |arguments: &[&str], variables: &[(&str, &str)]| {
        let home = Home::new();
        let config = "email = \"file@example.com\"\norg = \"File\"\n";
        fs::write(home.directory.path().join("claviger.toml"), config).unwrap();
        home.init_with(arguments, variables).succeeds();
        home.bootstrap()["email"].as_str().unwrap().to_owned()
    };
    let (flag, variable) = (["--email", "flag@example.com"], ("CLAVIGER_EMAIL", "variable@example.com"));
    let (config, config_variable) = (["--config", "claviger.toml"], ("CLAVIGER_CONFIG", "claviger.toml"));
    assert_eq!(email(&[config, flag].concat(), &[variable]), "flag@example.com");
    assert_eq!(email(&config, &[variable]), "variable@example.com");
    assert_eq!(email(&config, &[]), "file@example.com");
    assert_eq!(email(&[], &[config_variable]), "file@example.com");
}

#[test]
fn serving_starts_announces_its_address_and_ends_when_told_to() {
    let home = Home::new();
    let server = Serving::start(home.command(&["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(home.bootstrap()["url"], format!("http://{}", server.address));
    home.init(&[]).fails(1, &["the data directory is in use: "]);
    let log = server.stop();
    for secret in home.secrets() {
        assert!(!log.contains(&secret));
    }
}

#[test]
fn a_port_that_is_taken_is_found_before_anything_is_announced() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let sentence = format!("cannot listen on {address}: stop what listens there");
    let outcome =
        Outcome::of(&mut home.command(&["serve", "--listen", &address])).fails(1, &[&sentence, "--listen"]);
    assert_eq!(outcome.stdout(), "");
    assert!(!home.file("bootstrap.json").exists());
}

#[test]
fn a_metrics_port_that_is_taken_is_found_before_anything_is_announced() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let sentence = format!("cannot listen on {address}: stop what listens there");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &address];
    let outcome = Outcome::of(&mut home.command(&arguments)).fails(1, &[&sentence, "--metrics-listen"]);
    assert_eq!(outcome.stdout(), "");
    assert!(!home.file("bootstrap.json").exists());
}

#[test]
fn authorities_that_cannot_be_used_are_found_before_anything_is_made() {
    for (name, text, expected) in [
        ("absent.pem", None, "absent.pem cannot be read"),
        ("none.pem", Some("none"), "has no certificates of authorities"),
    ] {
        let home = Home::new();
        let path = |name: &str| home.directory.path().join(name);
        if let Some(text) = text {
            fs::write(path(name), text).unwrap();
        }
        let upstream = format!(
            "[[broker.upstream]]\nhost = \"git.example\"\naddress = \"10.1.2.3\"\nca_file = \"{name}\"\n"
        );
        fs::write(path("claviger.toml"), upstream).unwrap();
        for arguments in [&["init"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            let outcome = Outcome::of(home.command(arguments).args(["--config", "claviger.toml"]))
                .fails(1, &[expected]);
            assert_eq!(outcome.stdout(), "");
            assert!(!home.data().exists(), "{arguments:?}");
        }
    }
}
