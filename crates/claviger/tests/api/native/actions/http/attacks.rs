//! Attempts to move the secret, or to say more than a call may. Each has a control that goes through.

use serde_json::{Value, json};

use super::{PATH, SECRET, action, ran, refusal};
use crate::broker::{Scene, with_a_world};
use crate::support::connections::{gitlab, http};

/// Checks that an action is refused so, and that nobody was called.
async fn refuses(scene: &Scene, id: &str, more: Value, status: u16, code: &str) {
    let answer = scene.admin.post(PATH, &action(id, more.clone())).await;
    let told = refusal(&answer);
    assert_eq!((told.0, told.1.as_str()), (status, code), "{more}: {}", answer.text);
    assert!(scene.world.take_seen().is_empty() && scene.world.dialled().is_empty(), "{more}");
}

fn header(key: &str, value: &str) -> Value {
    json!([{ "key": key, "value": value }])
}

with_a_world! {
    async fn a_url_leads_to_no_other_host(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for (url, status, code) in [
            ("https://evil.example/", 403, "host_not_allowed"),
            ("https://gitlab.com.evil.example/", 403, "host_not_allowed"),
            ("https://evil.example/https://gitlab.com/", 400, "path_empty_segment"),
            ("https://xgitlab.com/", 403, "host_not_allowed"),
            ("https://sub.gitlab.com/", 403, "host_not_allowed"),
            ("https://gitlab.com:8443/", 403, "host_not_allowed"),
            ("http://gitlab.com/", 403, "host_not_allowed"),
            ("http://gitlab.com:443/", 403, "host_not_allowed"),
            ("https://gitlab。com.evil.example/", 403, "host_not_allowed"),
            ("https://127.0.0.1/", 403, "host_not_allowed"),
            ("https://[::ffff:10.0.0.1]/", 403, "host_not_allowed"),
            ("https://gitlab.com@evil.example/", 400, "url_userinfo"),
            ("https://evil.example@gitlab.com/", 400, "url_userinfo"),
            ("https://gitlab.com:443@evil.example/", 400, "url_userinfo"),
            ("https://evil.example#@gitlab.com/", 400, "url_fragment"),
            ("https://gitlab.com/#evil", 400, "url_fragment"),
            ("https://gitlab.com\\@evil.example/", 400, "url_characters"),
            ("https://evil.example\\.gitlab.com/", 400, "url_characters"),
            ("https://gitlab.com\r\nhost: evil.example/", 400, "url_characters"),
            ("https://gitlab.com\t.evil.example/", 400, "url_characters"),
            ("https://gitlab.com%2f@evil.example/", 400, "url_userinfo"),
            ("https://gitlab.com%00.evil.example/", 400, "host_invalid"),
            ("https://gitlab.com%2eevil.example/", 400, "host_invalid"),
            ("https://gitlab.com:443:1@evil.example/", 400, "url_userinfo"),
            ("https://gitlab.com:0/", 400, "url_port"),
            ("https://2130706433/", 400, "host_number"),
            ("https://0x7f.1/", 400, "host_number"),
            ("https:///gitlab.com/", 400, "host_invalid"),
            ("//evil.example/", 400, "url_scheme"),
            ("/x", 400, "url_scheme"),
            ("file:///etc/passwd", 400, "url_scheme"),
            (" https://gitlab.com/", 400, "url_scheme"),
            ("https://gitlab.com//evil.example/", 400, "path_empty_segment"),
            ("https://gitlab.com/a/../../b", 400, "path_dots"),
            ("https://gitlab.com/%2e%2e/b", 400, "path_dots"),
            ("https://gitlab.com/%252e%252e/b", 400, "path_dots"),
            ("https://gitlab.com/a%2fb", 400, "path_encoded_slash"),
            ("https://gitlab.com/a%5cb", 400, "path_encoded_slash"),
            ("https://gitlab.com/a%zz", 400, "path_escape"),
        ] {
            refuses(scene, &id, json!({ "url": url }), status, code).await;
        }
        ran(&scene.admin, &id, json!({ "url": "https://gitlab.com/x" })).await;
        assert_eq!(scene.world.only().header("private-token"), SECRET);
    }

    async fn a_path_leads_to_no_other_host(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for (path, code) in [
            ("https://evil.example/", "path_no_slash"),
            ("@evil.example/", "path_no_slash"),
            (".evil.example/", "path_no_slash"),
            (":8443/", "path_no_slash"),
            ("x", "path_no_slash"),
            ("//evil.example/", "path_empty_segment"),
            ("/a//b", "path_empty_segment"),
            ("/\\evil.example/", "path_backslash"),
            ("/../admin", "path_dots"),
            ("/..;/admin", "path_dots"),
            ("/%2e%2e/admin", "path_dots"),
            ("/.%09./admin", "path_dots"),
            ("/a%2f..%2fb", "path_encoded_slash"),
            ("/a%c0%afb", "path_encoded_slash"),
            ("/x HTTP/1.1\r\nhost: evil.example\r\n\r\n", "path_characters"),
            ("/x\nx: y", "path_characters"),
            ("/x#y", "path_characters"),
            ("/x\u{0}", "path_characters"),
            ("/é", "path_characters"),
            ("/x?a=\r\nx: y", "path_characters"),
            ("/x?a\\b", "path_backslash"),
            ("/x?%", "path_escape"),
        ] {
            refuses(scene, &id, json!({ "path": path }), 400, code).await;
        }
        // What would end a line or a parameter is encoded where it is a parameter's text.
        let query = json!([{ "key": "a\r\nb", "value": " HTTP/1.1\r\nhost: evil&private_token=x#\u{0}" }]);
        ran(&scene.admin, &id, json!({ "path": "/x", "query": query })).await;
        let seen = scene.world.only();
        assert_eq!(seen.line(), "GET /api/v4/x?a%0D%0Ab=%20HTTP%2F1.1%0D%0Ahost%3A%20evil%26private_token%3Dx%23%00");
        assert_eq!((seen.header("host"), seen.header("private-token")), ("gitlab.com", SECRET));
    }

    async fn headers_say_nothing_of_the_way_and_carry_nothing_of_ours(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let token = scene.token().await;
        let bearer = format!("Bearer {token}");
        for (key, value) in [
            ("Host", "evil.example"),
            ("Claviger-Host", "evil.example"),
            ("claviger_host", "evil.example"),
            ("Claviger-After", "1.99999"),
            ("X-Forwarded-Host", "evil.example"),
            ("X_Forwarded_For", "10.0.0.1"),
            ("Forwarded", "host=evil.example"),
            ("X-Original-URL", "/admin"),
            ("Via", "1.1 evil"),
            ("Cookie", "a=b"),
            ("Transfer-Encoding", "chunked"),
            ("transfer_encoding", "chunked"),
            ("Content-Length", "0"),
            ("Content_Length", "0"),
            ("Connection", "content-length, private-token, x-kept"),
            ("Keep-Alive", "timeout=1"),
            ("Proxy-Authorization", "Basic eDp4"),
            ("TE", "trailers"),
            ("Trailer", "private-token"),
            ("Expect", "100-continue"),
            ("Range", "bytes=1-1"),
            ("Accept-Encoding", "gzip"),
            ("Authorization", &bearer),
            ("DD-API-KEY", "x"),
            ("DD-APPLICATION-KEY", "x"),
            ("X-Api-Key", &token),
            ("Private-Token", "mine"),
            ("private_token", "mine"),
            ("X-ZIS-Authorization", "x"),
            ("Upgrade", "h2c"),
        ] {
            let mut headers = header(key, value);
            headers.as_array_mut().unwrap().push(json!({ "key": key.to_lowercase(), "value": value }));
            let more = json!({ "method": "POST", "path": "/x", "requestBody": "body", "headers": headers });
            ran(&scene.admin, &id, more).await;
            let seen = scene.world.only();
            let kept = [
                ("host", "gitlab.com"), ("private-token", SECRET), ("content-length", "4"), ("accept-encoding", "identity"),
                ("user-agent", "claviger"),
            ];
            assert_eq!(seen.head.lines().count(), 1 + kept.len() + 1, "{key}: {}", seen.head);
            for (name, value) in kept {
                assert_eq!(seen.header(name), value, "{key}");
            }
            assert_eq!((seen.name.as_str(), seen.body.as_slice()), ("gitlab.com", &b"body"[..]), "{key}");
        }
        refuses_upgrades(scene, &id).await;
    }

    async fn lines_cannot_be_ended_in_headers(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for (key, value, field) in [
            ("x-own", "a\r\nhost: evil.example", "headers/0/value"),
            ("x-own", "a\nb", "headers/0/value"),
            ("x-own", "a\rb", "headers/0/value"),
            ("x-own", "a\u{0}b", "headers/0/value"),
            ("x-own", "a\u{7f}", "headers/0/value"),
            ("x-own: evil\r\nx", "a", "headers/0/key"),
            ("x own", "a", "headers/0/key"),
            ("x-own:", "a", "headers/0/key"),
            (":authority", "evil.example", "headers/0/key"),
            ("é", "a", "headers/0/key"),
        ] {
            let answer = scene.admin.post(PATH, &action(&id, json!({ "path": "/x", "headers": header(key, value) }))).await;
            assert_eq!(refusal(&answer), (400, "invalid".to_owned(), field.to_owned()), "{key:?} {value:?}");
        }
        assert!(scene.world.dialled().is_empty());
        ran(&scene.admin, &id, json!({ "path": "/x", "headers": header("x-own", "a\tb") })).await;
        assert_eq!(scene.world.only().header("x-own"), "a\tb");
    }

    /// A connection's own parameters and headers stand where it says, whatever the caller writes.
    async fn what_a_connection_gives_is_not_given_by_the_caller(scene: &Scene) {
        let id = scene.connection(&http("https://hooks.example.com/base", "canary-7Qx2-value")).await;
        for key in ["page", "PAGE", "pag\u{0065}", "page[]", " page"] {
            let query = json!([{ "key": key, "value": "mine" }, { "key": "own", "value": "1" }]);
            ran(&scene.admin, &id, json!({ "path": "/in", "query": query, "headers": header("X-Key", "mine") })).await;
            let seen = scene.world.only();
            assert_eq!((seen.line(), seen.header("x-key")), ("GET /base/in?own=1&page=1", "canary-7Qx2-value"), "{key:?}");
        }
    }

    async fn private_addresses_are_not_called(scene: &Scene) {
        let id = scene.connection(&http("https://hooks.example.com/base", "canary-7Qx2-value")).await;
        for (address, code) in [("10.0.0.1", "address_not_public"), ("169.254.169.254", "address_metadata"), ("::1", "address_not_public")] {
            scene.world.name("hooks.example.com", &[address]);
            refuses(scene, &id, json!({ "path": "/x" }), 403, code).await;
            refuses(scene, &id, json!({ "url": "https://hooks.example.com/x" }), 403, code).await;
        }
        scene.world.name("hooks.example.com", &["93.184.216.34"]);
        ran(&scene.admin, &id, json!({ "url": "https://hooks.example.com/x" })).await;
    }
}

/// The same answer as at the door.
async fn refuses_upgrades(scene: &Scene, id: &str) {
    let more = json!({ "path": "/x", "headers": header("Upgrade", "websocket") });
    let answer = scene.admin.post(PATH, &action(id, more)).await;
    assert_eq!(refusal(&answer), (501, "upgrade_unsupported".to_owned(), String::new()));
    assert!(scene.world.take_seen().is_empty());
}
