//! The secrets of OAuth: of clients, of what is on its way to a connection, and of connections.

use std::collections::HashMap;

use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{APP, CALLBACK, CLIENTS, CODES, ONE, REFRESH, START, client_body, id_of, query};
use crate::support::provider::{CODE, Mood, Provider, SECRET};
use crate::support::sample::unique_name;
use crate::support::zis::Zis;
use crate::support::{Answer, Keys, TestServer};
use crate::zendesk::note_shown;
use crate::{Answers, Canaries, random_text};

/// The members of the address to which a browser is sent, or by which whoever asks goes on.
type Way = HashMap<String, String>;

/// Somebody's walk from clients to connections, by every turn.
pub(crate) struct Walk<'a> {
    server: &'a TestServer,
    provider: &'a Provider,
    zis: &'a Zis,
    canaries: &'a mut Canaries,
    answers: &'a mut Answers,
}

/// What a server is stopped in the middle of.
pub(crate) struct UnderWay {
    begun: Way,
    granted: String,
    connection: Value,
}

/// What the provider was asked with; nobody else ever sees a verifier.
pub(crate) fn note_asked(provider: &Provider, canaries: &mut Canaries) {
    let mut verifiers = 0;
    for asked in provider.asked() {
        for member in ["client_secret", "code", "code_verifier", "refresh_token"] {
            if let Some(text) = asked.form.get(member) {
                canaries.add_whole(&format!("{member}, as the provider was asked"), text);
                verifiers += usize::from(member == "code_verifier");
            }
        }
    }
    assert!(verifiers > 10, "{verifiers}");
    // What it answered; all of a kind begin alike.
    for (name, text) in [
        ("an access token", "canary-access-1"),
        ("a token for renewing", "canary-refresh-1"),
        ("the rest of an answer", "canary-body-1"),
        ("a refusal", "canary-description"),
    ] {
        canaries.add(name, text);
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        server: &'a TestServer,
        provider: &'a Provider,
        zis: &'a Zis,
        canaries: &'a mut Canaries,
        answers: &'a mut Answers,
    ) -> Self {
        Self { server, provider, zis, canaries, answers }
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let answer = self.zis.send(method, path, body).await;
        self.answers.keep(path.split('?').next().unwrap_or_default(), &answer);
        answer
    }

    fn secret(&mut self, about: &str) -> String {
        let secret = format!("{SECRET}-{}", random_text());
        self.canaries.add(about, &secret);
        secret
    }

    async fn client(&mut self) -> String {
        let mut body = client_body();
        body["name"] = json!(unique_name());
        body["client_secret"] = json!(self.secret("a client's secret"));
        let made = self.send(Method::POST, CLIENTS, Some(body.clone())).await.expect(201).json();
        self.send(Method::POST, CLIENTS, Some(body)).await.expect(409);
        made["uuid"].as_str().unwrap().to_owned()
    }

    async fn begin(&mut self, client: &str, name: &str, more: Value) -> Way {
        let mut body = json!({ "name": name, "oauth_client_uuid": client });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.zis.post(START, &body).await.expect(200);
        let shown = note_shown("a beginning", &answer, self.canaries);
        assert_eq!(shown.len(), 1);
        self.answers.keep_but("a beginning", &answer, &shown);
        let way = query(answer.json()["redirect_url"].as_str().unwrap());
        if let Some(challenge) = way.get("code_challenge") {
            self.provider.expect_challenge(challenge);
        }
        way
    }

    /// A browser comes back; it is sent on with the verification code alone.
    async fn come_back(&mut self, way: &Way, with: &str) -> (Answer, Option<String>) {
        let path = format!("{CALLBACK}?state={}&{with}", way["state"]);
        let answer = self.server.client_with(Keys::default()).get(&path).await;
        let code = query(answer.header("location")).remove("verification_token");
        let shown: Vec<_> = code.iter().cloned().collect();
        shown.iter().for_each(|code| self.canaries.add("a verification code", code));
        self.answers.keep_but("a callback", &answer, &shown);
        (answer, code)
    }

    async fn agree(&mut self, way: &Way) -> String {
        let (answer, code) = self.come_back(way, &format!("code={CODE}")).await;
        answer.expect(302);
        self.come_back(way, &format!("code={CODE}")).await.0.expect(400);
        code.unwrap()
    }

    async fn finish(&mut self, code: &str) -> Value {
        let path = format!("{CODES}?verification_code={code}");
        let made = self.send(Method::GET, &path, None).await.expect(200).json();
        self.send(Method::GET, &path, None).await.expect(400);
        made
    }

    async fn connect(&mut self, client: &str) -> Value {
        let way = self.begin(client, &unique_name(), json!({ "origin_oauth_redirect_url": APP })).await;
        let code = self.agree(&way).await;
        self.finish(&code).await
    }

    /// Whatever tells of a connection.
    async fn look_at(&mut self, connection: &Value) {
        let (name, uuid) = (connection["name"].as_str().unwrap(), connection["uuid"].as_str().unwrap());
        self.send(Method::POST, &format!("{REFRESH}?name={name}"), None).await;
        self.send(Method::GET, CLIENTS, None).await.expect(200);
        let all = "/api/services/zis/integrations/my_integration/connections/all";
        self.send(Method::GET, all, None).await.expect(200);
        let admin = self.server.client();
        let native = "/claviger/v1/connections";
        for path in [
            native.to_owned(),
            format!("{native}/{uuid}"),
            format!("{native}/{uuid}/history"),
            format!("{native}/export"),
        ] {
            self.answers.keep(&path, &admin.get(&path).await.expect(200));
        }
        let token = self.server.oauth.access_token(self.server.founded.org, id_of(connection)).await;
        self.answers.0.push(("the code that uses one".to_owned(), format!("{token:?}")));
    }

    /// Every way to a connection and away from it.
    pub(crate) async fn go(&mut self) {
        let client = self.client().await;
        let one = format!("{CLIENTS}/{client}");
        let made = self.connect(&client).await;
        self.look_at(&made).await;
        self.send(Method::GET, &format!("{ONE}?name={}", made["name"].as_str().unwrap()), None)
            .await
            .expect(200);
        // By a page, by nobody's leave, and by being the client.
        let way = self.begin(&client, &unique_name(), json!({})).await;
        self.come_back(&way, &format!("code={CODE}")).await.0.expect(200);
        let way = self.begin(&client, &unique_name(), json!({})).await;
        let denied = format!("error=access_denied&error_description={}", self.secret("a description"));
        self.come_back(&way, &denied).await.0.expect(400);
        let way = self.begin(&client, &unique_name(), json!({ "origin_oauth_redirect_url": APP })).await;
        let odd = self.secret("what is no code of an error");
        self.come_back(&way, &format!("error={odd}X&code={odd}")).await.0.expect(302);
        let way = self.begin(&client, &unique_name(), json!({ "grant_type": "client_credentials" })).await;
        let machine = self.finish(&way["verification_code"]).await;
        self.look_at(&machine).await;
        self.meet_moods(&client, &machine).await;
        self.misplace(&client).await;

        // A token that is over is renewed, and a client of another secret is another one.
        let last = self.connect(&client).await;
        self.server.clock.advance_micros(3_600_000_000);
        self.look_at(&last).await;
        let secret = self.secret("a client's new secret");
        self.send(Method::PATCH, &one, Some(json!({ "client_secret": secret }))).await.expect(204);
        self.look_at(&last).await;
        let named = format!("{ONE}?uuid={}", machine["uuid"].as_str().unwrap());
        self.send(Method::DELETE, &named, None).await.expect(204);
        let gone = self.client().await;
        self.connect(&gone).await;
        self.send(Method::DELETE, &format!("{CLIENTS}/{gone}"), None).await.expect(204);
    }

    /// What is told when an authorization server does not give what it should.
    async fn meet_moods(&mut self, client: &str, machine: &Value) {
        let refresh = format!("{REFRESH}?name={}", machine["name"].as_str().unwrap());
        for mood in [
            Mood::Refusing("invalid_grant"),
            Mood::Refusing("slow_down"),
            Mood::Echoing,
            Mood::Broken(500),
            Mood::Huge,
            Mood::Limiting,
            Mood::Redirecting,
        ] {
            self.provider.set(mood);
            for more in [json!({}), json!({ "origin_oauth_redirect_url": APP })] {
                let way = self.begin(client, &unique_name(), more).await;
                let (answer, code) = self.come_back(&way, &format!("code={CODE}")).await;
                assert!(matches!(answer.status.as_u16(), 302 | 400) && code.is_none(), "{mood:?}");
            }
            let way = self.begin(client, &unique_name(), json!({ "grant_type": "client_credentials" })).await;
            let path = format!("{CODES}?verification_code={}", way["verification_code"]);
            assert!(!self.send(Method::GET, &path, None).await.status.is_success(), "{mood:?}");
            assert!(!self.send(Method::POST, &refresh, None).await.status.is_success(), "{mood:?}");
        }
        self.provider.set(Mood::Good);
        // A code that is none.
        let way = self.begin(client, &unique_name(), json!({})).await;
        let wrong = self.secret("a code that nobody gave");
        self.come_back(&way, &format!("code={wrong}")).await.0.expect(400);
    }

    /// Secrets where none has a place, or where they have one beside what is wrong.
    async fn misplace(&mut self, client: &str) {
        let secret = self.secret("a misplaced secret");
        let one = format!("{CLIENTS}/{client}");
        let mut good = client_body();
        good["allowed_domain"] = json!("api.example.com");
        good["client_secret"] = json!(secret);
        // Two members are wrong, so that one is when the other is changed.
        let mut wrong_client = good.clone();
        wrong_client["grant_type"] = json!(secret);
        wrong_client["default_scopes"] = json!([secret]);
        let wrong_start = json!({ "name": [secret], "oauth_client_name": secret, "oauth_client_uuid": secret,
            "grant_type": secret, "permission_scopes": "read", "oauth_url_subdomain": "acme",
            "origin_oauth_redirect_url": APP, "allow_offline_access": secret });
        let values = [
            json!([secret]),
            json!({ secret.as_str(): secret }),
            json!(format!("{secret}\r\n{secret}")),
            json!(format!("https://{secret}@example.com/")),
            json!(format!("http://{secret}.example.com/{secret}")),
            json!(format!("*.{secret}")),
            json!(secret.repeat(100)),
        ];
        for (method, path, body) in [
            (Method::POST, CLIENTS, &wrong_client),
            (Method::PATCH, one.as_str(), &wrong_client),
            (Method::POST, START, &wrong_start),
        ] {
            let mut bodies = vec![json!(secret), json!([secret]), body.clone()];
            for member in body.as_object().unwrap().keys() {
                for value in &values {
                    let mut body = body.clone();
                    body[member] = value.clone();
                    bodies.push(body);
                }
            }
            for body in bodies {
                self.send(method.clone(), path, Some(body)).await.expect(400);
            }
        }
        // What is well formed, and does not fit.
        for (member, value, status) in [
            ("oauth_client_name", secret.clone(), 404),
            ("oauth_client_uuid", secret.clone(), 404),
            ("oauth_url_subdomain", secret.clone(), 400),
            ("origin_oauth_redirect_url", format!("https://{secret}.example.com/{secret}"), 400),
            ("origin_oauth_redirect_url", format!("{APP}#{secret}"), 400),
        ] {
            let mut body = json!({ "name": unique_name(), "oauth_client_uuid": client });
            body[member] = json!(value);
            self.send(Method::POST, START, Some(body)).await.expect(status);
        }
    }

    /// Begins one thing and has another agreed to.
    pub(crate) async fn leave_under_way(&mut self) -> UnderWay {
        let client = self.client().await;
        let connection = self.connect(&client).await;
        let way = self.begin(&client, &unique_name(), json!({ "origin_oauth_redirect_url": APP })).await;
        let granted = self.agree(&way).await;
        let begun = self.begin(&client, &unique_name(), json!({ "origin_oauth_redirect_url": APP })).await;
        UnderWay { begun, granted, connection }
    }

    /// Goes on where another server was stopped; this one shows tokens, in one answer.
    pub(crate) async fn end(&mut self, UnderWay { begun, granted, connection }: UnderWay) {
        let second = self.finish(&granted).await;
        self.provider.expect_challenge(&begun["code_challenge"]);
        let code = self.agree(&begun).await;
        let third = self.finish(&code).await;
        for connection in [&connection, &second, &third] {
            self.look_at(connection).await;
            let path = format!("{ONE}?name={}", connection["name"].as_str().unwrap());
            let shown = self.zis.get(&path).await.expect(200);
            assert!(
                shown.text.contains("canary-access-"),
                "what is looked for is what the operator let it show"
            );
        }
    }
}
