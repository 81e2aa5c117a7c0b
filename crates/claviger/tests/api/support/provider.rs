//! A third party's authorization server, over TLS, that keeps what it was asked and can be told to misbehave.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use claviger_catalog::SecretText;
use claviger_egress::{Egress, Policy, Roots, Settings, SystemDialer, SystemResolver, Upstream};
use claviger_outbound::Client as OutboundClient;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::until;

/// By these names it is called.
pub(crate) const HOSTS: [&str; 2] = ["auth.example.com", "acme.auth.example.com"];
/// The code that it takes.
pub(crate) const CODE: &str = "canary-code-of-a-browser";
/// With this begins every secret that it takes.
pub(crate) const SECRET: &str = "canary-client-secret";

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// With tokens that live for an hour, and another token for renewing each time.
    Good,
    /// The same without a token for renewing.
    Fleeting,
    /// The same, but a renewal brings no new token for renewing.
    Keeping,
    /// With tokens that end nobody knows when.
    Endless,
    /// Not before it is let go, and then as if it were good.
    Held,
    /// The same by this name; good by all others.
    HeldAt(&'static str),
    /// Never.
    Silent,
    /// With this code.
    Refusing(&'static str),
    /// The same with the secret of whoever asks.
    Echoing,
    /// With this status and no sense.
    Broken(u16),
    /// That it wants to be asked less.
    Limiting,
    /// With more than anybody reads.
    Huge,
    /// That somebody else should be asked.
    Redirecting,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) form: HashMap<String, String>,
}

/// The server, as long as somebody holds it.
pub(crate) struct Provider {
    port: u16,
    certificate: String,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    asked: Mutex<Vec<Asked>>,
    /// The challenge of the way that was begun last.
    challenge: Mutex<Option<String>>,
    /// How many tokens for renewing there were; only the last one is good.
    renewing: Mutex<u32>,
    given: Mutex<u32>,
    held: watch::Sender<bool>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(HOSTS.map(str::to_owned)).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Good),
            asked: Mutex::default(),
            challenge: Mutex::default(),
            renewing: Mutex::default(),
            given: Mutex::default(),
            held: watch::Sender::new(true),
        });
        let (serving, acceptor) = (shared.clone(), TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, acceptor) = (serving.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let answer = service_fn(move |request| {
                        let shared = shared.clone();
                        async move { Ok::<_, Infallible>(shared.answer(request).await) }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Self { port, certificate: certificate.pem(), shared }
    }

    /// A way out that leads its hosts here, under the policy for everybody; each exchange may take so long.
    pub(crate) fn exchange(&self, deadline: Duration) -> OutboundClient {
        let roots = Roots::parse(self.certificate.as_bytes()).unwrap();
        let upstream = |host: &str| Upstream {
            host: host.parse().unwrap(),
            named_port: None,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: self.port.try_into().ok(),
            roots: Some(roots.clone()),
        };
        let upstreams = HOSTS.map(upstream).to_vec();
        let settings = Settings { upstreams, ..Settings::new(Roots::none()) };
        let egress = Egress::over(settings, SystemResolver, SystemDialer).unwrap();
        OutboundClient::new(egress, Policy::public(), deadline, claviger_exchange::ANSWER_BYTES_MAX)
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.shared.held.send_replace(matches!(mood, Mood::Held | Mood::HeldAt(_)));
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// Lets whoever is held go, and answers well from now on.
    pub(crate) fn release(&self) {
        self.set(Mood::Good);
    }

    /// What a browser was sent with.
    pub(crate) fn expect_challenge(&self, challenge: &str) {
        *self.shared.challenge.lock().unwrap() = Some(challenge.to_owned());
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn wait_for(&self, count: usize) {
        until(&format!("it was asked {count} times"), async || match self.asked().len() {
            asked if asked >= count => Ok(()),
            asked => Err(asked),
        })
        .await;
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/token"));
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let form: HashMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
        self.asked.lock().unwrap().push(Asked { host: host.clone(), form: form.clone() });
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::HeldAt(name) if name != host => self.judge(&form, mood),
            Mood::Held | Mood::HeldAt(_) => {
                // Judged by when it was asked: what it gives late is what it would have given then.
                let answer = self.judge(&form, mood);
                let _ = self.held.subscribe().wait_for(|held| !*held).await;
                answer
            }
            Mood::Silent => std::future::pending().await,
            Mood::Refusing(code) => refusal(code),
            Mood::Echoing => refusal(&form["client_secret"]),
            Mood::Broken(status) => text(status, "<html>no sense</html>".to_owned()),
            Mood::Limiting => {
                let mut answer = text(429, String::new());
                answer.headers_mut().insert("retry-after", "7".parse().unwrap());
                answer
            }
            Mood::Huge => {
                let padding = "x".repeat(128 * 1024);
                text(200, json!({ "access_token": "canary-access-huge", "padding": padding }).to_string())
            }
            Mood::Redirecting => {
                let mut answer = text(307, String::new());
                let elsewhere = format!("https://{}/token?elsewhere", HOSTS[1]);
                answer.headers_mut().insert("location", elsewhere.parse().unwrap());
                answer
            }
            mood => self.judge(&form, mood),
        }
    }

    fn judge(&self, form: &HashMap<String, String>, mood: Mood) -> Response<Full<Bytes>> {
        let member = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if !member("client_secret").starts_with(SECRET) {
            return refusal("invalid_client");
        }
        let mut renewing = self.renewing.lock().unwrap();
        let is_good = match member("grant_type") {
            "authorization_code" => {
                let verifier = SecretText::new(member("code_verifier").to_owned());
                let challenge = claviger_exchange::oauth::challenge(&verifier);
                member("code") == CODE && Some(challenge) == *self.challenge.lock().unwrap()
            }
            "refresh_token" => member("refresh_token") == format!("canary-refresh-{}", *renewing),
            "client_credentials" => true,
            _ => false,
        };
        if !is_good {
            return refusal("invalid_grant");
        }
        let mut given = self.given.lock().unwrap();
        *given += 1;
        let mut tokens = json!({
            "access_token": format!("canary-access-{}", *given),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "read write",
            // Nobody asked for it: it is kept with the rest of the answer.
            "id_token": format!("canary-body-{}", *given),
        });
        let is_renewal = member("grant_type") == "refresh_token";
        let brings_another = match mood {
            Mood::Fleeting => false,
            Mood::Keeping => !is_renewal,
            _ => member("grant_type") != "client_credentials",
        };
        if brings_another {
            *renewing += 1;
            tokens["refresh_token"] = json!(format!("canary-refresh-{}", *renewing));
        }
        if mood == Mood::Endless {
            tokens.as_object_mut().unwrap().remove("expires_in");
        }
        json_answer(200, &tokens)
    }
}

fn refusal(code: &str) -> Response<Full<Bytes>> {
    json_answer(400, &json!({ "error": code, "error_description": "canary-description" }))
}

fn json_answer(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut answer = text(status, body.to_string());
    answer.headers_mut().insert("content-type", "application/json".parse().unwrap());
    answer
}

fn text(status: u16, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}
