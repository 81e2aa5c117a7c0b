//! A call goes through as it came, with the secret in its place, and nothing else.

use http::Method;

use super::with_a_world;
use crate::support::connections::gitlab;
use crate::support::session::Browser;
use crate::support::third_party::Reply;

const SECRET: &str = "glpat-canary-7Qx2";

with_a_world! {
    async fn a_call_reaches_the_connections_host_with_its_secret(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let path = format!("/broker/{id}/projects/a%20b/x?q=1&%2F=..&private_token=mine");
        let headers = [("x-own", "1"), ("private-token", "mine"), ("cookie", "a=b"), ("accept", "application/json")];
        let answer = scene.admin.send(Method::POST, &path, &headers, Some("{\"a\": 1}")).await;
        let answer = answer.expect(200);
        assert_eq!(answer.text, "ok");
        assert_eq!(answer.header("content-security-policy"), "sandbox");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("claviger-error"), "");
        let seen = scene.world.only();
        assert_eq!(seen.name, "gitlab.com");
        assert_eq!(seen.header("host"), "gitlab.com");
        assert!(seen.line().starts_with("POST /api/v4/projects/a%20b/x?q=1&%2F=.."), "{}", seen.line());
        assert_eq!(seen.header("content-length"), "8");
        assert_eq!(seen.body, b"{\"a\": 1}");
        assert_eq!((seen.header("x-own"), seen.header("accept")), ("1", "application/json"));
        assert_eq!(seen.header("accept-encoding"), "identity");
        assert_eq!(seen.head.matches(SECRET).count(), 1, "{}", seen.head);
        for gone in ["cookie", "dd-api-key", "dd-application-key"] {
            assert_eq!(seen.all(gone), Vec::<&str>::new(), "{gone}");
        }
        assert!(!seen.head.contains("mine"), "{}", seen.head);
    }

    async fn a_browsers_session_opens_nothing(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let browser = Browser::of_admin(&scene.server).await;
        browser.get("/claviger/v1/connections").await.expect(200);
        for method in [Method::GET, Method::POST, Method::DELETE] {
            // Its CSRF token could be somebody's token, by its form.
            browser.send(method, &format!("/broker/{id}/x"), &[], None).await.expect(401);
        }
        assert_eq!(scene.world.take_seen().len(), 0);
        scene.admin.get(&format!("/broker/{id}/x")).await.expect(200);
    }

    async fn a_connection_is_used_again(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for _ in 0..20 {
            scene.admin.get(&format!("/broker/{id}/version")).await.expect(200);
        }
        assert_eq!((scene.world.take_seen().len(), scene.world.connections()), (20, 1));
        // A third party that closes it is called anew, and no call is lost.
        scene.world.answer(|_| Reply::ok("ok").closing());
        for _ in 0..5 {
            scene.admin.get(&format!("/broker/{id}/version")).await.expect(200);
        }
        assert_eq!(scene.world.take_seen().len(), 5);
    }

    async fn what_a_third_party_echoes_is_masked(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        scene.world.answer(|seen| Reply::with("200 OK", &format!("x-echo: {SECRET}!\r\nset-cookie: a=b\r\n"), &seen.head));
        let answer = scene.admin.get(&format!("/broker/{id}/x")).await.expect(200);
        assert!(!answer.text.contains(SECRET) && answer.text.contains(&"*".repeat(SECRET.len())), "{}", answer.text);
        assert_eq!(answer.header("x-echo"), format!("{}!", "*".repeat(SECRET.len())));
        assert_eq!(answer.header("set-cookie"), "");
    }
}
