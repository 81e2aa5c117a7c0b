//! A call that is written down before it is made stays in the record when the server is killed meanwhile.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use program::{Home, ask, on_both_engines};
use serde_json::{Value, json};

const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const APPLICATION_KEY: &str = "ddapp_abcdefghijklmnopqrstuvwxyzABCDEFGH";
const KEYS: [(&str, &str); 2] = [("dd-api-key", API_KEY), ("dd-application-key", APPLICATION_KEY)];
const PATH: &str = "/claviger/v1/connections";
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever connects.
fn accepted_at(listener: TcpListener) -> Receiver<TcpStream> {
    let (sender, accepted) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    accepted
}

on_both_engines! {
    fn a_call_that_a_kill_cut_off_is_there_as_begun(home: &Home) {
        home.import(&json!({ "orgs": [{
            "name": "Acme",
            "users": [{ "email": "ada@example.com", "roles": ["Datadog Admin Role"] }],
            "api_keys": [{ "name": "a", "secret": API_KEY }],
            "application_keys": [{ "name": "b", "owner": "ada@example.com", "secret": APPLICATION_KEY, "registered": true }],
        }] })).succeeds();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = accepted_at(listener);
        let config = home.write("claviger.toml", &format!("[[broker.upstream]]\nhost = \"gitlab.com\"\naddress = \"{address}\"\n"));
        let variables = [("CLAVIGER_CONFIG", config.to_str().unwrap())];
        let server = home.serve_with(&variables);
        let integration = json!({ "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "api_token": "glpat-canary-7Qx2" } });
        let made = |audit: &str| {
            let body = json!({ "name": "n", "integration": integration, "terms": { "audit": audit } });
            let (status, text) = server.send("POST", PATH, &KEYS, &body);
            assert_eq!(status, 201, "{text}");
            serde_json::from_str::<Value>(&text).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let (strict, batched, at) = (made("strict"), made("batched"), server.address);
        // They go out: nobody answers, not even to TLS.
        let under_way = [&strict, &batched].map(|id| {
            let call = format!("/broker/{id}/projects/7");
            let calling = std::thread::spawn(move || ask(at, "GET", &call, &KEYS));
            (accepted.recv_timeout(PATIENCE).expect("somebody comes"), calling)
        });
        server.kill();
        for (_, calling) in under_way {
            assert!(calling.join().unwrap().is_err());
        }

        let server = home.serve_with(&variables);
        let calls = |id: &str| {
            let (status, text) = server.get(&format!("{PATH}/{id}/calls"), &KEYS);
            assert_eq!(status, 200, "{text}");
            serde_json::from_str::<Value>(&text).unwrap()["calls"].as_array().unwrap().clone()
        };
        assert!(calls(&batched).is_empty(), "this is what is lost where nobody asks for more");
        let [call] = &calls(&strict)[..] else { panic!() };
        let told = ["method", "host", "path", "ended", "status", "error", "duration_us"].map(|it| call[it].clone());
        assert_eq!(told, [json!("GET"), json!("gitlab.com"), json!("/api/v4/projects/7"), json!(false), Value::Null, Value::Null, Value::Null]);
        server.stop();
    }
}
