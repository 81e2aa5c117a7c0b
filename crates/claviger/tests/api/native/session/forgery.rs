//! Requests that a browser was made to send, sessions in wrong places, and what decides beside one.

use http::Method;
use serde_json::json;

use super::code;
use crate::support::session::{ADMIN, Browser, PASSWORD, SESSION, set_password};
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

const OK: &[(&str, &str)] = &[];

on_both_engines! {
    async fn what_changes_something_needs_the_csrf_token(server: &TestServer) {
        let (browser, other) = (Browser::of_admin(server).await, {
            let mut other = Browser::new(server);
            other.sign_in(ADMIN, PASSWORD).await.expect(201);
            other
        });
        let own = browser.csrf.clone().unwrap();
        let foreign = other.csrf.clone().unwrap();
        let (shorter, longer) = (&own[1..], format!("{own}0"));
        let path = "/claviger/v1/keys";
        let body = json!({ "name": "made" });
        let before = server.engine.applied();
        for token in ["", &foreign, shorter, &longer, &browser.token(), "null"] {
            let answer = browser.send(Method::POST, path, &[("x-csrf-token", token)], Some(&body)).await;
            assert_eq!(code(&answer.expect(403)), "forged", "{token}");
            let answer = browser.send(Method::DELETE, SESSION, &[("x-csrf-token", token)], None).await;
            assert_eq!(code(&answer.expect(403)), "forged", "{token}");
        }
        assert_eq!(server.engine.applied(), before, "nothing was changed");
        assert_ne!(own, foreign);
        let line = r#"claviger_refusals_total{credential="session",reason="forged"} 12"#;
        assert!(server.metrics().contains(line), "{}", server.metrics());
        // The same request with the token.
        browser.post(path, &body).await.expect(201);
        // What only looks needs none.
        browser.send(Method::GET, path, &[("x-csrf-token", "")], None).await.expect(200);
        // Whoever has no session is told that, and nothing of tokens.
        let nobody = server.client_with(Keys::default());
        let wrong = [("cookie", "claviger-session=clvsession_0"), ("x-csrf-token", own.as_str())];
        assert_eq!(code(&nobody.send(Method::POST, path, &wrong, Some(body.to_string())).await.expect(401)), "unknown");
        server.verify_state().await;
    }

    /// Every method × where the browser says that the request comes from, with the right token throughout.
    async fn other_sites_pages_ask_in_vain(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let host = server.address.to_string();
        let own = format!("http://{host}");
        let (scheme, port) = (format!("https://{host}"), format!("http://{}:1", server.address.ip()));
        let good: [&[(&str, &str)]; 5] = [
            OK,
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", &own)],
            // A proxy that speaks TLS may stand in front.
            &[("origin", &scheme), ("sec-fetch-site", "same-origin")],
        ];
        let bad: [&[(&str, &str)]; 7] = [
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "anything")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", &port)],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        ];
        let name = json!({ "name": "Renamed" });
        for (method, path, body) in [
            (Method::GET, SESSION, None),
            (Method::GET, "/claviger/v1/org", None),
            (Method::PATCH, "/claviger/v1/org", Some(&name)),
            (Method::GET, "/api/v2/oauth/tokens", None),
            (Method::POST, "/api/services/zis/registry/made", Some(&name)),
        ] {
            for headers in bad {
                let before = server.engine.applied();
                let answer = browser.send(method.clone(), path, headers, body).await;
                assert_eq!(answer.status.as_u16(), 403, "{method} {path} {headers:?}: {}", answer.text);
                assert_eq!(server.engine.applied(), before);
            }
            for headers in good {
                browser.send(method.clone(), path, headers, body).await.expect(200);
            }
        }
        // Nobody is signed in from elsewhere either, not even as somebody who exists.
        let body = json!({ "email": ADMIN, "password": PASSWORD });
        for headers in bad {
            let answer = Browser::new(server).send(Method::POST, SESSION, headers, Some(&body)).await.expect(403);
            assert_eq!((code(&answer).as_str(), answer.header("set-cookie")), ("forged", ""));
        }
        Browser::new(server).send(Method::POST, SESSION, good[4], Some(&body)).await.expect(201);
    }

    /// Another credential decides, good or bad, and the session is not looked at: no CSRF token is asked for then.
    async fn any_other_credential_decides(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let keys = server.admin();
        let (api_key, application_key) = (keys.api_key.unwrap(), keys.application_key.unwrap());
        let narrow = crate::support::sample::application_key(&server.client(), json!(["monitors_read"])).await.secret;
        let bearer = format!("Bearer {application_key}");
        let narrow = format!("Bearer {narrow}");
        let no_token = ("x-csrf-token", "");
        let body = json!({ "name": "Renamed" });
        let rename = async |headers: &[(&str, &str)]| {
            let headers: Vec<_> = headers.iter().copied().chain([no_token]).collect();
            browser.send(Method::PATCH, "/claviger/v1/org", &headers, Some(&body)).await.status.as_u16()
        };
        assert_eq!(rename(&[]).await, 403);
        assert_eq!(rename(&[("dd-api-key", &api_key), ("dd-application-key", &application_key)]).await, 200);
        assert_eq!(rename(&[("authorization", &bearer)]).await, 200);
        for bad in [
            ("authorization", "Bearer 0123456789abcdef0123456789abcdef"),
            ("authorization", "Basic YWRtaW46eA=="),
            ("authorization", "Anything"),
            ("dd-api-key", "0123456789abcdef0123456789abcdef"),
            ("dd-api-key", &api_key),
            ("dd-application-key", &application_key),
            ("authorization", &narrow),
        ] {
            let status = rename(&[bad]).await;
            assert!([401, 403].contains(&status), "{bad:?}: {status}");
            // With the token the session alone would do.
            let with_token = browser.send(Method::PATCH, "/claviger/v1/org", &[bad], Some(&body)).await;
            assert_eq!(with_token.status.as_u16(), status, "{bad:?}");
            let zendesk = browser.send(Method::GET, "/api/v2/oauth/tokens", &[bad], None).await;
            assert!([401, 403].contains(&zendesk.status.as_u16()), "{bad:?}: {}", zendesk.text);
        }
        // Who has signed in is told to sessions alone.
        for other in [("authorization", bearer.as_str()), ("dd-api-key", &api_key)] {
            browser.send(Method::GET, SESSION, &[other], None).await.expect(401);
        }
        browser.patch("/claviger/v1/org", &body).await.expect(200);
    }

    /// The cookie opens nothing where sessions are not taken, and its secret nothing outside the cookie.
    async fn a_session_is_good_in_its_cookie_and_its_places_alone(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let mut closed = 0;
        for route in server.routes.iter().filter(|route| route.path.starts_with("/api/")) {
            let path = route.path.replace(|c| ['{', '}', '*'].contains(&c), "x");
            let body = json!({});
            let answer = browser.send(route.method.clone(), &path, &[], Some(&body)).await;
            assert!([401, 403].contains(&answer.status.as_u16()), "{} {path}: {}", route.method, answer.text);
            closed += 1;
        }
        assert!(closed > 40, "{closed}");
        for path in ["/verify", "/verify/orders", "/api/v1/validate", "/api/v2/validate"] {
            let status = browser.get(path).await.status.as_u16();
            assert!([401, 403].contains(&status), "{path}: {status}");
        }
        let token = browser.token();
        let bearer = format!("Bearer {token}");
        let keys = server.admin();
        let api_key = keys.api_key.unwrap();
        let nobody = server.client_with(Keys::default());
        for headers in [
            &[("authorization", bearer.as_str())][..],
            &[("x-api-key", &token)],
            &[("dd-api-key", &token)],
            &[("dd-api-key", &api_key), ("dd-application-key", &token)],
        ] {
            for path in ["/verify", "/claviger/v1/org", "/api/v2/api_keys", "/api/v2/oauth/tokens", SESSION] {
                let answer = nobody.send(Method::GET, path, headers, None::<String>).await;
                assert!([401, 403].contains(&answer.status.as_u16()), "{path} {headers:?}: {}", answer.text);
            }
        }
        // No other credential stands in for it in the cookie.
        for other in [&api_key, &keys.application_key.unwrap()] {
            let cookie = format!("claviger-session={other}");
            let answer = nobody.send(Method::GET, SESSION, &[("cookie", &cookie)], None::<String>).await;
            assert_eq!(code(&answer.expect(401)), "wrong_kind");
        }
        browser.get(SESSION).await.expect(200);
    }

    /// A session is not listed among keys, nor read, changed or given a new secret as one.
    async fn a_session_is_no_key(server: &TestServer) {
        set_password(server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let browser = Browser::of_admin(server).await;
        let id = server.database().scalar(
            "SELECT id FROM credentials WHERE kind = 'session' AND revoked_at IS NULL").await;
        let client = server.client();
        for path in [
            "/api/v2/api_keys", "/api/v2/application_keys", "/api/v2/current_user/application_keys",
            "/api/v2/personal_access_tokens", "/api/v1/api_key", "/api/v1/application_key", "/claviger/v1/keys",
        ] {
            let listed = client.get(path).await.expect(200);
            assert!(!listed.text.contains(&id), "{path}: {}", listed.text);
        }
        for path in [
            format!("/api/v2/api_keys/{id}"),
            format!("/api/v2/application_keys/{id}"),
            format!("/api/v2/personal_access_tokens/{id}"),
            format!("/claviger/v1/keys/{id}"),
        ] {
            client.get(&path).await.expect(404);
            // To revoke a token that there is not is no error to the vendor.
            let deleted = client.delete(&path).await.status.as_u16();
            assert_eq!(deleted, if path.contains("tokens") { 204 } else { 404 }, "{path}");
        }
        browser.get(SESSION).await.expect(200);
    }
}
