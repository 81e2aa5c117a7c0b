//! A real nginx before an application, with the very configuration that the documentation shows.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::extract::Request;
use claviger_http::{Bucket, Limits, Rate, ServerOptions, TrustedProxies, Ways};
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::sample::{application_key, native_key};
use crate::support::{Answer, Client, Keys, Setup, TestDatabase, TestServer, guarded};

const DOCUMENTATION: &str = include_str!("../../../../docs/gateways.md");

/// nginx, ended when it goes.
struct Nginx {
    process: Child,
    address: SocketAddr,
    _files: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Nginx {
    fn start(claviger: SocketAddr, application: SocketAddr) -> Self {
        // The port is free now; should somebody take it before nginx does, another is tried.
        (0..5).find_map(|_| Self::try_start(claviger, application)).expect("nginx starts")
    }

    fn try_start(claviger: SocketAddr, application: SocketAddr) -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let path = files.path().join("nginx.conf");
        std::fs::write(&path, configuration(files.path(), address, claviger, application)).unwrap();
        let program =
            ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().find(|path| Path::new(path).exists());
        let mut process = Command::new(program.unwrap_or("nginx"))
            .args(["-e", "stderr", "-p"])
            .arg(files.path())
            .arg("-c")
            .arg(&path)
            .stderr(Stdio::piped())
            .spawn()
            .expect("nginx is installed: `cargo xtask setup` does it");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let is_started = log.by_ref().any(|line| {
            let is_started = line.contains("using the");
            said.push(line);
            is_started
        });
        // Somebody must read what else it says, or it would stop once the pipe is full.
        std::thread::spawn(move || log.for_each(drop));
        let nginx = Self { process, address, _files: files };
        match is_started {
            true => Some(nginx),
            false if said.iter().any(|line| line.contains("Address already in use")) => None,
            false => panic!("nginx does not take its configuration: {said:#?}"),
        }
    }
}

/// The documented configuration with the addresses of the test, and around it what keeps nginx within its directory.
fn configuration(files: &Path, nginx: SocketAddr, claviger: SocketAddr, application: SocketAddr) -> String {
    let (_, recipe) = DOCUMENTATION.split_once("```nginx\n").unwrap();
    let (recipe, _) = recipe.split_once("```").unwrap();
    let mut recipe = recipe.to_owned();
    for (documented, real) in
        [("127.0.0.1:7070", claviger), ("127.0.0.1:8080", application), ("127.0.0.1:80;", nginx)]
    {
        let end = if documented.ends_with(';') { ";" } else { "" };
        assert_eq!(recipe.matches(documented).count(), 1, "{documented} stands once in the documentation");
        recipe = recipe.replace(documented, &format!("{real}{end}"));
    }
    let files = files.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {files}/{kind};\n"))
        .concat();
    format!(
        "daemon off;\nmaster_process off;\npid {files}/pid;\nerror_log stderr notice;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{recipe}}}\n"
    )
}

/// An application that tells what reaches it.
async fn application() -> SocketAddr {
    let echo = async |request: Request| {
        let (parts, body) = request.into_parts();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers: Vec<_> =
            parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = body.collect().await.unwrap().to_bytes();
        let status = match parts.uri.path() {
            "/broken" => http::StatusCode::INTERNAL_SERVER_ERROR,
            _ => http::StatusCode::OK,
        };
        let told = json!({
            "method": parts.method.as_str(),
            "uri": parts.uri.to_string(),
            "headers": headers,
            "body": String::from_utf8_lossy(&body),
        });
        (status, axum::Json(told))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, options) = (Router::new().fallback(echo), ServerOptions::default());
    tokio::spawn(claviger_http::serve(listener, Ways::routed(router), options, std::future::pending()));
    address
}

/// All values of a header that reached the application.
fn reached(answer: &Answer, name: &str) -> Vec<String> {
    let told = answer.json();
    let headers = told["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_lets_through_whom_claviger_knows() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let nginx = Nginx::start(server.address, application().await);
    let client = Client::new(nginx.address, server.admin());

    let allowed = client.get("/orders?x=1").await.expect(200);
    assert_eq!(allowed.json()["uri"], "/orders?x=1");
    assert_eq!(reached(&allowed, "claviger-org"), [server.founded.org.to_string()]);
    assert_eq!(reached(&allowed, "claviger-user"), [server.founded.user.to_string()]);
    assert_eq!(reached(&allowed, "claviger-key-id"), [server.founded.application_key_id.to_string()]);
    assert!(reached(&allowed, "claviger-position")[0].starts_with("1."));
    assert_eq!(reached(&allowed, "claviger-scopes"), [""; 0]);
    for secret in ["dd-api-key", "dd-application-key", "authorization", "x-api-key"] {
        assert_eq!(reached(&allowed, secret), [""; 0], "the application is given no secret");
    }
    client.get("/admin/x").await.expect(200);
    let posted = client.post("/orders", &json!({ "a": "b".repeat(100_000) })).await.expect(200).json();
    assert_eq!((posted["method"].as_str(), posted["body"].as_str().unwrap().len()), (Some("POST"), 100_008));
    client.send(Method::HEAD, "/orders", &[], None::<String>).await.expect(200);
    client.send(Method::DELETE, "/orders/1", &[], None::<String>).await.expect(200);
    assert_eq!(
        client.get("/broken").await.expect(500).json()["uri"],
        "/broken",
        "its own errors are its own"
    );

    let nobody = Client::new(nginx.address, Keys::default());
    let refused = nobody.get("/orders").await.expect(401);
    assert_eq!((refused.header("www-authenticate"), refused.header("claviger-error")), ("Bearer", "missing"));
    nobody.post("/orders", &json!({ "a": "b".repeat(100_000) })).await.expect(401);
    nobody.get("/_claviger").await.expect(404);
    let narrow = application_key(&server.client(), json!(["user_app_keys", "org_management"])).await;
    let narrow = Client::new(nginx.address, Keys { bearer: Some(narrow.secret), ..Keys::default() });
    assert_eq!(
        reached(&narrow.get("/orders").await.expect(200), "claviger-scopes"),
        ["user_app_keys org_management"]
    );
    let customers = native_key(&server.client(), &json!({ "name": "n", "external_id": "customer-17" })).await;
    let customer = Client::new(nginx.address, Keys { bearer: Some(customers.secret), ..Keys::default() });
    assert_eq!(reached(&customer.get("/orders").await.expect(200), "claviger-external-id"), ["customer-17"]);
    customer.get("/admin/x").await.expect(403);
    let refused = narrow.get("/admin/x").await.expect(403);
    assert_eq!(refused.header("claviger-error"), "missing_permission");
    narrow.get("/admin/x?permission=user_app_keys").await.expect(403);
    let unrequired = [("claviger-require", "")];
    narrow.send(Method::GET, "/admin/x", &unrequired, None::<String>).await.expect(403);
    drop(nginx);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_lets_no_client_say_who_it_is() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let nginx = Nginx::start(server.address, application().await);
    // A lone API key has no user and no scopes, so that nothing of Claviger's would replace these.
    let lone = Client::new(nginx.address, Keys { application_key: None, ..server.admin() });
    let names = [
        "claviger-org",
        "claviger-user",
        "claviger-key-id",
        "claviger-scopes",
        "claviger-external-id",
        "claviger-position",
        "claviger-require",
        "Claviger_User",
        "claviger_org",
    ];
    let smuggled = names.map(|name| (name, "smuggled"));
    let allowed = lone.send(Method::GET, "/orders", &smuggled, None::<String>).await.expect(200);
    assert!(!allowed.text.contains("smuggled"), "{}", allowed.text);
    assert_eq!(reached(&allowed, "claviger-user"), [""; 0]);
    assert_eq!(reached(&allowed, "claviger-org"), [server.founded.org.to_string()]);
    drop(nginx);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_tells_from_where_a_key_is_used() {
    let proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
    let server = TestServer::start_with(TestDatabase::sqlite(), Setup { proxies, ..Setup::default() }).await;
    let nginx = Nginx::start(server.address, application().await);
    let client = async |networks: &[&str]| {
        let key = guarded::application_key(&server.client(), json!({ "allow_list": networks })).await;
        Client::new(nginx.address, Keys { bearer: Some(key.secret), ..Keys::default() })
    };
    client(&["127.0.0.1"]).await.get("/orders").await.expect(200);
    let elsewhere = client(&["203.0.113.5"]).await;
    for headers in [
        &[][..],
        &[("x-forwarded-for", "203.0.113.5")],
        &[("forwarded", "for=203.0.113.5")],
        &[("x-forwarded-for", "203.0.113.5"), ("forwarded", "for=203.0.113.5")],
    ] {
        let refused = elsewhere.send(Method::GET, "/orders", headers, None::<String>).await.expect(403);
        assert_eq!(refused.header("claviger-error"), "address_not_allowed");
    }
    drop(nginx);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_passes_on_that_it_must_wait() {
    let limits = Limits::of([(Bucket::VERIFY, Rate { limit: 1, period_seconds: 3600 })]);
    let server = TestServer::start_with(TestDatabase::sqlite(), Setup { limits, ..Setup::default() }).await;
    let nginx = Nginx::start(server.address, application().await);
    let client = Client::new(nginx.address, server.admin());
    client.get("/orders").await.expect(200);
    for answer in [client.get("/orders").await, client.post("/orders", &json!({})).await] {
        let limited = answer.expect(429);
        assert_eq!(limited.text, r#"{"errors":["Rate limit exceeded"]}"#);
        assert_eq!(limited.header("content-type"), "application/json");
        // Until the next hour begins, by the server's clock.
        assert_eq!(limited.header("retry-after"), (3600 - 6 * 60 - 7).to_string());
        assert_eq!(limited.header("claviger-error"), "rate_limited");
    }
    server.stop().await;
    let unknown = client.get("/orders").await.expect(503);
    assert_eq!(unknown.json(), json!({ "errors": ["Service unavailable"] }));
    assert_eq!(unknown.json().get("uri"), None::<&Value>, "the application was not asked");
}
