//! The program as people use it: commands that are clients of a running server.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod operator;

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use operator::{Home, Keys, Server, program};
use serde_json::Value;

/// Somebody at a shell, with a home of their own.
struct Person {
    home: Home,
    server: Server,
}

/// What a command came to.
struct Said(Output);

impl Said {
    fn text(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn error(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.0.status.code(), Some(0), "{}{}", self.text(), self.error());
        self
    }

    #[track_caller]
    fn fails(self, code: i32, expected: &str) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}{}", self.text(), self.error());
        assert!(self.error().contains(expected), "{expected:?} is not in {}", self.error());
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

fn text(value: &Value, place: &str) -> String {
    value.pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("no {place} in {value}")).to_owned()
}

impl Person {
    fn new() -> Self {
        let home = Home::new();
        let server = home.serve();
        Self { home, server }
    }

    /// Who is logged in with what the first start made.
    fn logged_in() -> Self {
        let person = Self::new();
        let bootstrap = person.home.file("bootstrap.json");
        let url = person.url();
        person.run(&["login", &url, "--bootstrap", bootstrap.to_str().unwrap()]).ok();
        person
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    fn profiles(&self) -> PathBuf {
        self.home.directory.path().join(".config/claviger/profiles.toml")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        let directory = self.home.directory.path();
        command.env("HOME", directory).current_dir(directory).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said(self.command(arguments).stdin(Stdio::null()).output().unwrap())
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Said(child.wait_with_output().unwrap())
    }

    /// The same, with its answer as JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).ok().json()
    }

    fn is_valid(&self, secret: &str) -> bool {
        let keys = Keys { api_key: secret.to_owned(), application_key: String::new() };
        self.server.call(&keys, "GET", "/api/v1/validate", None).0 == 200
    }
}

#[test]
fn who_somebody_is_is_kept_where_nobody_else_reads_it() {
    let person = Person::new();
    let (url, keys) = (person.url(), Keys::of(&person.home));
    person.run(&["key", "api", "list"]).fails(1, "run `claviger login");
    person.run_with(&["login", &url], "").fails(2, "no secrets are to be found");
    let wrong = person.run_with(&["login", &url], &format!("{}\nnobodys-key\n", keys.api_key));
    assert!(!wrong.fails(3, "refused (401)").error().contains(&keys.api_key));
    assert!(!person.profiles().exists());

    person.run_with(&["login", &url], &format!("{}\n{}\n", keys.api_key, keys.application_key)).ok();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(person.profiles()), 0o600);
    assert_eq!(mode(person.profiles().parent().unwrap().to_owned()), 0o700);
    person.run(&["key", "api", "list"]).ok();

    person.run_with(&["login", &url, "--as", "other"], &format!("{}\n", keys.application_key)).ok();
    let listed = person.run(&["profile", "list"]).ok().text();
    assert!(listed.contains("default") && listed.contains("other") && listed.contains(&url), "{listed}");
    assert!(!listed.contains(&keys.application_key));
    person.run(&["profile", "remove", "other"]).ok();
    person.run(&["profile", "remove", "other"]).fails(4, "there is no profile other");
    person.run(&["key", "api", "list", "--as", "other"]).fails(1, "there is no profile other");

    fs::set_permissions(person.profiles(), Permissions::from_mode(0o644)).unwrap();
    person.run(&["key", "api", "list"]).fails(1, "chmod 600");
    let elsewhere = person.home.directory.path().join("elsewhere.toml");
    fs::copy(person.profiles(), &elsewhere).unwrap();
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o600)).unwrap();
    person.run(&["key", "api", "list", "--profile", elsewhere.to_str().unwrap()]).ok();
    person.run_with(&["login", "http://keys.example.com", "--profile", "x"], "a\nb\n").fails(2, "not https");
    person.server.stop();
}

#[test]
fn an_api_key_from_create_to_revoke() {
    let person = Person::logged_in();
    let made = person.run(&["key", "api", "create", "ci"]).ok();
    assert!(made.error().contains("shown this once"));
    let line = |name: &str| {
        let text = made.text();
        let found = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{text}"));
        found.trim().to_owned()
    };
    let (id, secret) = (line("id"), line("secret"));
    assert!(person.is_valid(&secret));
    let other = person.json(&["key", "api", "create", "other"]);
    assert_eq!(text(&other, "/attributes/key").len(), 32);

    let table = person.run(&["key", "api", "list"]).ok().text();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("ID  "));
    assert!(lines.any(|line| line.contains(&id) && line.contains("ci") && line.contains(&secret[28..])));
    let found = person.json(&["key", "api", "list", "--filter", "ci"]);
    assert_eq!(found.as_array().unwrap().len(), 1);

    let renamed = person.run(&["key", "api", "rename", &id, "cd"]).ok().text();
    let shown = person.run(&["key", "api", "show", &id, "--json"]).ok().text();
    assert!(renamed.contains("cd") && shown.contains("\"cd\""));
    assert!(!renamed.contains(&secret) && !shown.contains(&secret) && !table.contains(&secret), "{renamed}");

    let rotated = person.json(&["key", "api", "rotate", &id, "--grace", "600"]);
    let newer = text(&rotated, "/secret");
    assert!(
        rotated["old_secret_valid_until"].is_string() && person.is_valid(&secret) && person.is_valid(&newer)
    );
    let newest = text(&person.json(&["key", "api", "rotate", &id]), "/secret");
    assert!(!person.is_valid(&newer) && person.is_valid(&newest));

    person.run(&["key", "api", "revoke", &id]).ok();
    assert!(!person.is_valid(&secret) && !person.is_valid(&newest));
    person.run(&["key", "api", "revoke", &id]).fails(4, "API key not found");
    person.run(&["key", "api", "show", &id]).fails(4, "there is no API key");
    person.run(&["key", "api", "revoke", "../users/1"]).fails(2, "an id is");
    person.run(&["key", "api", "create"]).fails(2, "required");
    person.server.stop();
}

#[test]
fn more_than_a_page_is_listed() {
    let person = Person::logged_in();
    let keys = Keys::of(&person.home);
    for number in 0..120 {
        person.server.create_api_key(&keys, &format!("key {number}"));
    }
    assert_eq!(person.json(&["key", "api", "list"]).as_array().unwrap().len(), 121);
    assert_eq!(person.json(&["key", "api", "list", "--filter", "key 11"]).as_array().unwrap().len(), 11);
    person.server.stop();
}

#[test]
fn an_application_key_is_narrowed_and_whoever_has_it_is_told_what_is_missing() {
    let person = Person::logged_in();
    let made = person.json(&[
        "key",
        "app",
        "create",
        "robot",
        "--scope",
        "api_keys_read",
        "--scope",
        "user_app_keys",
    ]);
    let (id, secret) = (text(&made, "/id"), text(&made, "/attributes/key"));
    let api_key = Keys::of(&person.home).api_key;
    person.run_with(&["login", &person.url(), "--as", "robot"], &format!("{api_key}\n{secret}\n")).ok();
    person.run(&["key", "api", "list", "--as", "robot"]).ok();
    person
        .run(&["key", "api", "create", "x", "--as", "robot"])
        .fails(3, "Failed permission authorization checks");

    let shown = person.json(&["key", "app", "scope", &id, "monitors_read"]);
    assert_eq!(shown["attributes"]["scopes"], serde_json::json!(["monitors_read"]));
    person.run(&["key", "app", "rename", &id, "android"]).ok();
    let listed = person.run(&["key", "app", "list", "--all"]).ok().text();
    assert!(listed.contains("android") && listed.contains("monitors_read"), "{listed}");
    person.run(&["key", "app", "scope", &id, "no_such_thing"]).fails(1, "refused (400)");
    person.run(&["key", "app", "revoke", &id]).ok();
    person.run(&["key", "app", "show", &id]).fails(4, "not found");
    person.run(&["key", "api", "list", "--as", "robot"]).fails(3, "refused (401)");
    person.server.stop();
    let away = person.home.directory.path().join(".config");
    assert!(away.exists());
}

#[test]
fn an_application_key_is_registered_and_registered_no_more() {
    let person = Person::logged_in();
    let made = person.json(&["key", "app", "create", "terraform"]);
    let id = text(&made, "/id");
    let is_registered = |arguments: &[&str]| {
        let list = person.json(&[&["key", "app", "list"], arguments].concat());
        let key = list.as_array().unwrap().iter().find(|key| key["id"] == *id).unwrap().clone();
        key.get("registered").and_then(Value::as_bool)
    };
    assert_eq!(is_registered(&[]), Some(false));
    assert!(person.run(&["key", "register", &id]).ok().text().contains("is registered"));
    person.run(&["key", "register", &id]).ok();
    assert_eq!(is_registered(&["--all"]), Some(true));
    let table = person.run(&["key", "app", "list"]).ok().text();
    assert!(table.lines().any(|line| line.contains("terraform") && line.contains("yes")), "{table}");

    // Whoever may not see everybody's keys is told of none.
    let robot = person.json(&["key", "app", "create", "robot", "--scope", "user_app_keys"]);
    let secrets = format!("{}\n{}\n", Keys::of(&person.home).api_key, text(&robot, "/attributes/key"));
    person.run_with(&["login", &person.url(), "--as", "robot"], &secrets).ok();
    assert_eq!(is_registered(&["--as", "robot"]), None);

    person.run(&["key", "unregister", &id]).ok();
    assert_eq!(is_registered(&[]), Some(false));
    person.run(&["key", "unregister", &id]).fails(4, "app key not found");
    person.run(&["key", "register", "../users"]).fails(2, "an id is");
    person.run(&["key", "register", "terraform"]).fails(1, "expected type \"uuid\"");
    person.server.stop();
}

#[test]
fn a_server_that_is_away_is_told_from_one_that_refuses() {
    let Person { home, server } = Person::logged_in();
    let address = server.address;
    server.stop();
    let mut command = program();
    command.env("HOME", home.directory.path()).args(["key", "api", "list"]);
    Said(command.output().unwrap()).fails(5, &format!("http://{address} does not answer"));
}

#[test]
fn people_and_roles_from_create_to_disable() {
    let person = Person::logged_in();
    let role = person.json(&["role", "create", "Auditors", "--permission", "audit_logs_read"]);
    let role_id = text(&role, "/id");
    let shown = person.json(&["role", "show", "Auditors"]);
    assert!(shown["permissions"].as_array().unwrap().contains(&"audit_logs_read".into()), "{shown}");
    person.run(&["role", "allow", "Auditors", "api_keys_read"]).ok();
    person.run(&["role", "deny", "Auditors", "audit_logs_read"]).ok();
    let permissions = person.run(&["role", "show", &role_id]).ok().text();
    assert!(
        permissions.contains("api_keys_read") && !permissions.contains("audit_logs_read"),
        "{permissions}"
    );
    person.run(&["role", "allow", "Auditors", "everything"]).fails(4, "there is no permission everything");
    person.run(&["role", "show", "Nobodies"]).fails(4, "there is no role Nobodies");
    assert!(person.run(&["role", "permissions"]).ok().text().contains("org_management"));

    let made = person.json(&["user", "create", "Ada@example.com", "--name", "Ada", "--role", "Auditors"]);
    let user = text(&made, "/id");
    person.run(&["user", "create", "ada@example.com"]).fails(1, "already exists");
    let table = person.run(&["user", "list", "--filter", "ada"]).ok().text();
    assert!(table.contains("ada@example.com") && table.contains(&role_id), "{table}");
    person.run(&["role", "withdraw", "Auditors", &user]).ok();
    assert!(!person.run(&["user", "show", &user]).ok().text().contains(&role_id));
    person.run(&["role", "grant", "Auditors", &user]).ok();
    assert!(person.run(&["user", "show", &user]).ok().text().contains(&role_id));
    assert_eq!(person.json(&["user", "rename", &user, "Ada L."])["attributes"]["name"], "Ada L.");
    let given = person.json(&["user", "give-key", &user, "First", "--scope", "user_app_keys"]);
    assert!(text(&given, "/secret").starts_with("ddapp_") && text(&given, "/owner") == user);
    assert!(person.run(&["user", "show", &user]).ok().text().contains("Active"));
    person.run(&["user", "disable", &user]).ok();
    assert!(person.run(&["user", "show", &user]).ok().text().contains("Disabled"));
    person.run(&["user", "enable", &user]).ok();
    person.run(&["role", "rename", "Auditors", "Readers"]).ok();
    person.run(&["role", "delete", "Readers"]).ok();
    person.run(&["role", "show", &role_id]).fails(4, "refused (404)");
    person.server.stop();
}

#[test]
fn tokens_and_service_accounts_from_create_to_revoke() {
    let person = Person::logged_in();
    let create = ["token", "create", "ci", "--scope", "api_keys_read", "--expires"];
    let soon = soon();
    let made = person.json(&[&create[..], &[&soon]].concat());
    let (id, secret) = (text(&made, "/id"), text(&made, "/attributes/key"));
    assert!(secret.starts_with("ddpat_"));
    person.run_with(&["login", &person.url(), "--as", "ci"], &secret).ok();
    person.run(&["key", "api", "list", "--as", "ci"]).ok();
    let listed = person.run(&["token", "list"]).ok().text();
    assert!(
        listed.contains(&id) && listed.contains("api_keys_read") && !listed.contains(&secret),
        "{listed}"
    );
    person.run(&["token", "rename", &id, "cd"]).ok();
    assert!(person.run(&["token", "show", &id]).ok().text().contains("cd"));
    assert!(person.run(&["token", "rotate", &id]).ok().text().contains("ddpat_"));
    person.run(&["key", "api", "list", "--as", "ci"]).fails(3, "refused (401)");
    person.run(&["token", "revoke", &id]).ok();

    let robot = person.json(&[
        "user",
        "create",
        "robot@example.com",
        "--service-account",
        "--role",
        "Datadog Standard Role",
    ]);
    let robot = text(&robot, "/id");
    let of_robot = ["--service-account", robot.as_str()];
    let made =
        person.json(&[&["token", "create", "deploy", "--scope", "monitors_read"], &of_robot[..]].concat());
    let (id, secret) = (text(&made, "/id"), text(&made, "/attributes/key"));
    assert!(secret.starts_with("ddsat_"));
    assert!(person.run(&[&["token", "list"], &of_robot[..]].concat()).ok().text().contains(&id));
    let key = person.json(&[&["key", "app", "create", "robot"], &of_robot[..]].concat());
    assert!(text(&key, "/attributes/key").starts_with("ddapp_"));
    person.run(&[&["token", "revoke", &id], &of_robot[..]].concat()).ok();
    person.run(&["user", "disable", &robot]).ok();
    person.server.stop();
}

/// A day from now, as the API takes it.
fn soon() -> String {
    let now = claviger_model::Clock::now(&claviger_engine::SystemClock);
    let at = now + std::time::Duration::from_secs(86_400);
    format!("{}T00:00:00Z", (at + std::time::Duration::from_secs(86_400)).utc().date())
}

#[test]
fn shells_get_their_completions() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let mut command = program();
        command.current_dir(directory.path()).args(["completions", shell]);
        let script = Said(command.output().unwrap()).ok().text();
        assert!(script.contains("claviger") && script.contains("service-account"), "{shell}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
