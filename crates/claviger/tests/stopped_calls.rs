//! Calls that an orderly stop cuts off are in the record, as what became of them.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;
#[path = "api/support/third_party.rs"]
#[allow(dead_code, reason = "this test uses its part")]
mod third_party;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use program::{Home, on_both_engines};
use serde_json::{Value, json};
use third_party::{Reply, ThirdParty};

const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const APPLICATION_KEY: &str = "ddapp_abcdefghijklmnopqrstuvwxyzABCDEFGH";
const KEYS: [(&str, &str); 2] = [("dd-api-key", API_KEY), ("dd-application-key", APPLICATION_KEY)];
const PATH: &str = "/claviger/v1/connections";
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer without end, as far as it comes.
const BEGUN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n";

/// Sends a call, and reads no answer.
fn called(address: std::net::SocketAddr, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let keys: String = KEYS.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("GET /broker/{target} HTTP/1.1\r\nhost: a\r\n{keys}\r\n").as_bytes()).unwrap();
    stream
}

on_both_engines! {
    fn a_call_that_an_orderly_stop_cut_off_is_recorded(home: &Home) {
        home.import(&json!({ "orgs": [{
            "name": "Acme",
            "users": [{ "email": "ada@example.com", "roles": ["Datadog Admin Role"] }],
            "api_keys": [{ "name": "a", "secret": API_KEY }],
            "application_keys": [{ "name": "b", "owner": "ada@example.com", "secret": APPLICATION_KEY, "registered": true }],
        }] })).succeeds();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let world = runtime.block_on(ThirdParty::start());
        world.answer(|seen| if seen.line().ends_with("/silence") { Reply::raw(&[]) } else { Reply::raw(&[BEGUN]) });
        let ca = home.write("ca.pem", world.pem());
        let upstream = format!("host = \"gitlab.com\"\naddress = \"{}\"\nca_file = {ca:?}", world.address());
        let config = home.write("claviger.toml", &format!("drain_seconds = 1\n[[broker.upstream]]\n{upstream}\n"));
        let variables = [("CLAVIGER_CONFIG", config.to_str().unwrap())];
        let server = home.serve_with(&variables);
        let integration = json!({ "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "api_token": "glpat-canary-7Qx2" } });
        let made = |audit: &str| {
            let body = json!({ "name": "n", "integration": integration, "terms": { "audit": audit } });
            let (status, text) = server.send("POST", PATH, &KEYS, &body);
            assert_eq!(status, 201, "{text}");
            serde_json::from_str::<Value>(&text).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let connections = [made("batched"), made("strict")];
        let mut under_way = Vec::new();
        for id in &connections {
            let mut stream = called(server.address, &format!("{id}/events"));
            let mut read = Vec::new();
            while !String::from_utf8_lossy(&read).contains("data: x") {
                let mut more = [0; 4096];
                let count = stream.read(&mut more).unwrap();
                assert_ne!(count, 0, "{}", String::from_utf8_lossy(&read));
                read.extend_from_slice(&more[..count]);
            }
            under_way.push((stream, called(server.address, &format!("{id}/silence"))));
        }
        let deadline = Instant::now() + PATIENCE;
        while world.seen() < 4 {
            assert!(Instant::now() < deadline, "not all calls arrived");
            std::thread::sleep(Duration::from_millis(5));
        }
        server.signal("TERM");
        let log = server.stopped();
        assert!(log.contains("cut off at the deadline"), "{log}");
        drop(under_way);

        let server = home.serve_with(&variables);
        for id in &connections {
            let (status, text) = server.get(&format!("{PATH}/{id}/calls"), &KEYS);
            assert_eq!(status, 200, "{text}");
            let list = serde_json::from_str::<Value>(&text).unwrap();
            let told = |call: &Value| ["path", "ended", "status", "error"].map(|it| call[it].clone());
            let mut calls: Vec<_> = list["calls"].as_array().unwrap().iter().map(told).collect();
            calls.sort_by_key(|call| call[0].to_string());
            assert_eq!(calls, [
                [json!("/api/v4/events"), json!(true), json!(200), json!("stopped")],
                [json!("/api/v4/silence"), json!(true), Value::Null, json!("stopped")],
            ]);
        }
        server.stop();
    }
}
