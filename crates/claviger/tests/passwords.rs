//! `claviger user password`: with a running server and without one, and what becomes of it in a backup.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

use std::io::Write;
use std::process::Stdio;

use program::{Home, Outcome, Server, on_both_engines};
use serde_json::{Value, json};

const ADMIN: &str = "admin@claviger.local";
const PASSWORD: &str = "correct horse battery";
const SESSION: &str = "/claviger/v1/session";

/// Runs the command with something on standard input.
fn password(home: &Home, arguments: &[&str], typed: &str) -> Outcome {
    let arguments = [&["user", "password"], arguments].concat();
    let mut command = home.command(&arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing, and ends, is no fault of the test's.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    Outcome(child.wait_with_output().unwrap())
}

fn sign_in(server: &Server, email: &str, password: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": password });
    let (status, text) = server.send("POST", SESSION, &[], &body);
    (status, serde_json::from_str(&text).unwrap())
}

on_both_engines! {
    fn a_running_server_knows_a_password_at_once(home: &Home) {
        let server = home.serve();
        assert_eq!(sign_in(&server, ADMIN, PASSWORD).0, 401);
        let said = password(home, &[ADMIN], &format!("{PASSWORD}\n")).succeeds();
        assert_eq!(said.stdout(), format!("{ADMIN} has a new password; sessions ended: 0\n"));
        assert_eq!(sign_in(&server, ADMIN, PASSWORD).0, 201);
        assert_eq!(sign_in(&server, ADMIN, "correct horse batter").0, 401);
        // A change ends what was begun with the one before.
        let said = password(home, &[ADMIN], "another horse battery\r\n").succeeds();
        assert!(said.stdout().ends_with("sessions ended: 1\n"), "{}", said.stdout());
        assert_eq!(sign_in(&server, ADMIN, PASSWORD).0, 401);
        assert_eq!(sign_in(&server, ADMIN, "another horse battery").0, 201);
        let said = password(home, &[ADMIN, "--remove"], "").succeeds();
        assert_eq!(said.stdout(), format!("{ADMIN} has no password now; sessions ended: 1\n"));
        assert_eq!(sign_in(&server, ADMIN, "another horse battery").0, 401);
        password(home, &[ADMIN, "--remove"], "").succeeds();
        let log = server.stop();
        assert!(log.contains("a password was changed"), "{log}");
        for typed in [PASSWORD, "another horse battery", "correct horse batter"] {
            assert!(!log.contains(typed));
        }
        let verified = home.run(&["ledger", "verify", "--state"]).succeeds().stdout();
        assert!(!verified.contains("WRONG"), "{verified}");
    }

    fn without_a_server_the_command_does_it_and_bad_ones_change_nothing(home: &Home) {
        home.serve().stop();
        let before = home.ledger_length();
        password(home, &[ADMIN], "elevenchars\n").fails(&["at least 12 characters"]);
        password(home, &[ADMIN], "").fails(&["at least 12 characters"]);
        password(home, &[ADMIN], &"x".repeat(1025)).fails(&["at most 1024 bytes"]);
        password(home, &[ADMIN], &"x".repeat(100_000)).fails(&["at most 1024 bytes"]);
        password(home, &[ADMIN], "correct horse\nbattery\n").fails(&["a password is one line"]);
        password(home, &["nobody@example.com"], PASSWORD).fails(&["nobody there has the address nobody@example.com"]);
        password(home, &["me"], PASSWORD).fails(&["is not an e-mail address"]);
        password(home, &[ADMIN, "--in", "nowhere"], PASSWORD).fails(&["no org has the id or subdomain nowhere"]);
        // It is no argument.
        assert_eq!(password(home, &[ADMIN, PASSWORD], "").0.status.code(), Some(2));
        assert_eq!(home.ledger_length(), before);

        password(home, &[ADMIN], PASSWORD).succeeds();
        // The same address in another org: which is meant must be said.
        home.run(&["org", "create", "Acme", "--admin", ADMIN]).succeeds();
        let list: Value = serde_json::from_str(&home.run(&["org", "list", "--json"]).succeeds().stdout()).unwrap();
        let second = list["orgs"][1]["id"].as_str().unwrap();
        password(home, &[ADMIN], PASSWORD).fails(&["in several orgs", second, "--in"]);
        password(home, &[ADMIN, "--in", second], "another horse battery").succeeds();
        let server = home.serve();
        assert_eq!(sign_in(&server, ADMIN, PASSWORD).1["org"]["id"], list["orgs"][0]["id"]);
        let body = json!({ "email": ADMIN, "password": "another horse battery", "org": second });
        let (status, text) = server.send("POST", SESSION, &[], &body);
        assert_eq!((status, text.contains(second)), (201, true));
        server.stop();
        let missing = home.command(&["user", "password", ADMIN, "--data", "elsewhere"]).output().unwrap();
        assert_ne!(missing.status.code(), Some(0));
        let verified = home.run(&["ledger", "verify", "--state"]).succeeds().stdout();
        assert!(!verified.contains("WRONG"), "{verified}");
    }

    /// A backup has the passwords, sealed, and brings no session back.
    fn passwords_are_restored_and_sessions_are_not(home: &Home) {
        let server = home.serve();
        password(home, &[ADMIN], PASSWORD).succeeds();
        let (status, headers) = server.head_of("POST", SESSION, &json!({ "email": ADMIN, "password": PASSWORD }));
        assert_eq!(status, 201);
        let cookie = headers.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = cookie.split_once(';').unwrap().0.to_owned();
        assert_eq!(server.get(SESSION, &[("cookie", &cookie)]).0, 200);
        let file = home.write("one.backup", "");
        std::fs::remove_file(&file).unwrap();
        home.run(&["backup", file.to_str().unwrap()]).succeeds();
        assert_eq!(server.get(SESSION, &[("cookie", &cookie)]).0, 200, "the server it was made of goes on");
        server.stop();
        let text = std::fs::read_to_string(&file).unwrap();
        let (_, token) = cookie.split_once('=').unwrap();
        assert!(!text.contains(PASSWORD) && !text.contains("argon2id") && !text.contains(token));

        // Whichever engine it came from.
        let restored = Home::new();
        std::fs::create_dir(restored.data()).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(restored.data(), private).unwrap();
        for name in ["kek", "dead.jsonl"] {
            if home.file(name).exists() {
                std::fs::copy(home.file(name), restored.file(name)).unwrap();
            }
        }
        restored.run(&["restore", file.to_str().unwrap()]).succeeds();
        let verified = restored.run(&["ledger", "verify", "--state"]).succeeds().stdout();
        assert!(!verified.contains("WRONG"), "{verified}");
        let server = restored.serve();
        assert_eq!(server.get(SESSION, &[("cookie", &cookie)]).0, 401);
        assert_eq!(sign_in(&server, ADMIN, PASSWORD).0, 201);
        server.stop();
    }
}
