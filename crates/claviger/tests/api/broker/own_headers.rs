//! What a connection's own headers may say: its maker need not know its secrets any more, and must not loosen what guards
//! them.

use http::Method;
use serde_json::json;

use super::with_a_world;
use crate::support::connections::{ALL, body, http};

/// Ours to say, whoever else would.
const OURS: [&str; 45] = [
    "Range",
    "Request-Range",
    "X-Request-Range",
    "x-ms-range",
    "Accept-Charset",
    "A-IM",
    "If-Range",
    "Accept-Encoding",
    "Via",
    "Forwarded",
    "X-Forwarded-Host",
    "X_Forwarded_Host",
    "X-Forwarded",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X_Original_URL",
    "X-Host",
    "X_Host",
    "X-HTTP-Host-Override",
    "X-Envoy-Original-Path",
    "Front-End-Https",
    "Proxy",
    "HTTP2-Settings",
    "HTTP2_Settings",
    "Host",
    "Connection",
    "Content-Length",
    "Content_Length",
    "Transfer-Encoding",
    "Transfer_Encoding",
    "TE",
    "Trailer",
    "Upgrade",
    "Expect",
    "Keep-Alive",
    "Keep_Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Claviger-Host",
    "Claviger-Error",
    "Claviger_Error",
    "X-ZIS-Authorization",
];

/// In which third parties take credentials, or which they make something of.
const THEIRS: [&str; 7] =
    ["Authorization", "X-Api-Key", "Cookie", "DD-API-KEY", "X-Own", "User-Agent", "Accept"];

with_a_world! {
    async fn a_connection_says_what_is_its_own_to_say(scene: &Scene) {
        let mut made = 0;
        for (names, expected) in [(&OURS[..], 0), (&THEIRS[..], 1)] {
            for name in names {
                let mut connection = http("https://hooks.example.com/base", "canary-7Qx2-value");
                let own = json!([{ "name": "X-Key", "value": "{{ token1 }}" }, { "name": name, "value": "own-words" }]);
                connection["credentials"]["headers"] = own;
                let answer = scene.admin.post(ALL, &body("Made", &connection)).await;
                if answer.status == 400 {
                    assert_eq!(expected, 0, "{name}");
                    continue;
                }
                made += 1;
                let id = answer.expect(201).json()["data"]["id"].as_str().unwrap().to_owned();
                scene.admin.send(Method::POST, &format!("/broker/{id}/x"), &[], Some("{}")).await.expect(200);
                let seen = scene.world.only();
                assert_eq!(seen.header("x-key"), "canary-7Qx2-value", "{name}");
                assert_eq!(seen.all(name).iter().filter(|value| value.contains("own-words")).count(), expected, "{}", seen.head);
                assert_eq!(seen.header("accept-encoding"), "identity");
                assert_eq!((seen.header("host"), seen.all("transfer-encoding").len()), ("hooks.example.com", 0));
            }
        }
        println!("{made} connections were made");
    }
}
