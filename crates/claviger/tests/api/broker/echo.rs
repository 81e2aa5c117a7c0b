//! Third parties that echo the secret where few look: in names of headers, and in addresses that point elsewhere.

use http::Method;
use serde_json::json;

use super::with_a_world;
use crate::support::connections::{gitlab, http};
use crate::support::third_party::Reply;

/// Header lines around a text.
const LINES: [&str; 12] = [
    "location: https://hooks.example.com/base/next?apikey={}&x=1",
    "location: /base/{}",
    "content-location: https://hooks.example.com/?apikey={}",
    "refresh: 0;url=https://hooks.example.com/?apikey={}",
    "link: <https://hooks.example.com/base?apikey={}&page=2>; rel=\"next\"",
    "www-authenticate: Bearer realm=\"{}\"",
    "etag: \"{}\"",
    "content-disposition: attachment; filename=\"{}\"",
    "content-type: text/plain; boundary={}",
    "server-timing: a;desc=\"{}\"",
    "x-debug: token={}, {}",
    "vary: {}",
];

/// As it is, and as URLs, base64 and hex have it.
fn written(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    let escaped = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    let url: String = secret.bytes().map(escaped).collect();
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
    vec![secret.to_owned(), url.clone(), url.replace('%', "%25"), hex, base64]
}

with_a_world! {
    async fn a_headers_name_holds_no_secret(scene: &Scene) {
        for secret in ["glpat-canary-7Qx2hK91", "0123456789abcdef0123456789abcdef"] {
            let id = scene.connection(&gitlab(secret)).await;
            let lines = format!("x-own: 1\r\n{secret}: 2\r\nX-Echo-{secret}-Of: 3\r\nx-hex-{}: 4\r\n", written(secret)[3]);
            scene.world.answer(move |_| Reply::with("200 OK", &lines, "ok"));
            let answer = scene.admin.get(&format!("/broker/{id}/x")).await.expect(200);
            assert_eq!(answer.header("x-own"), "1");
            for name in answer.headers.keys().map(http::HeaderName::as_str) {
                assert!(written(secret).iter().all(|it| !name.contains(&it.to_lowercase())), "{name}");
            }
        }
    }

    async fn an_answer_that_points_elsewhere_takes_no_secret_along(scene: &Scene) {
        let secret = "canary/4Zt8+pL35=k&v";
        let mut connection = http("https://hooks.example.com/base", secret);
        connection["credentials"]["url_parameters"] = json!([{ "name": "apikey", "value": "{{ token1 }}" }]);
        let id = scene.connection(&connection).await;
        let mut attempts = 0;
        for status in ["200 OK", "201 Created", "302 Found", "308 Permanent Redirect", "401 Unauthorized", "404 Not Found", "500 Internal Server Error"] {
            for line in LINES {
                for form in written(secret) {
                    let line = line.replace("{}", &form);
                    let body = format!("{{\"error\": \"{line} {form}\"}}");
                    let lines = format!("{line}\r\n");
                    scene.world.answer(move |_| Reply::with(status, &lines, &body));
                    let answer = scene.admin.send(Method::GET, &format!("/broker/{id}/x"), &[], None::<String>).await;
                    let told = format!("{:?} {}", answer.headers, answer.text);
                    assert!(!told.contains(&form), "{status}, {line}: {told}");
                    let expected = if line.starts_with("x-debug") { 5 } else { 3 };
                    assert_eq!(told.matches(&"*".repeat(form.len())).count(), expected, "{told}");
                    attempts += 1;
                }
            }
        }
        println!("{attempts} echoes");
        assert!(scene.world.take_seen().iter().all(|seen| seen.line().ends_with("apikey=canary%2F4Zt8%2BpL35%3Dk%26v")));
    }

    /// Some servers write in the charset that a caller asks for.
    async fn an_answer_in_utf16_holds_no_secret(scene: &Scene) {
        let secret = "glpat-canary-7Qx2hK91";
        let id = scene.connection(&gitlab(secret)).await;
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let body: Vec<u8> = format!("<{secret}>").encode_utf16().flat_map(order).collect();
            let length = body.len();
            scene.world.answer(move |_| Reply::with("200 OK", "content-type: text/plain;charset=utf-16\r\n", &body));
            let answer = scene.admin.get(&format!("/broker/{id}/x")).await.expect(200);
            let left = answer.text.replace('\0', "");
            assert!(left.starts_with('<') && left.ends_with('>') && left.trim_matches(['<', '>']).trim_matches('*').is_empty(), "{left:?}");
            assert_eq!(answer.text.len(), length);
        }
    }
}
