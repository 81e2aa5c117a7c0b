//! The guard under hyper-util's client, and apart from the process's environment.

use std::process::Command;
use std::sync::Arc;

use claviger_egress::{ConnectError, Connector, Egress, Policy, Roots, Settings};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::Service;

use crate::network::{Authority, Scene, Upstream, ip};

type Pool = Client<Connector, Empty<&'static [u8]>>;

fn pool(egress: &Egress, policy: Policy) -> Pool {
    Client::builder(TokioExecutor::new()).build(egress.connector(Arc::new(policy)))
}

async fn get(pool: &Pool, url: &str) -> Result<Vec<u8>, String> {
    let request = Request::get(url).body(Empty::new()).unwrap();
    let answer = pool.request(request).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        source.and_then(|source| source.downcast_ref::<ConnectError>()).unwrap().code().to_owned()
    })?;
    Ok(answer.into_body().collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn a_connection_is_used_again_and_a_refusal_is_told() {
    let scene = Scene::trusted(["api.example"]).await;
    scene.names.say("api.example", &[ip("93.184.216.34")]);
    scene.names.say("inside.example", &[ip("10.0.0.1")]);
    let pool = pool(&scene.egress, Policy::public());
    for _ in 0..3 {
        assert_eq!(get(&pool, "https://api.example/").await.unwrap(), b"ok");
    }
    assert_eq!(scene.upstream.accepted(), 1);
    for (url, code) in [
        ("https://inside.example/", "address_not_public"),
        ("https://127.0.0.1/", "address_not_public"),
        ("https://[::1]/", "address_not_public"),
        ("https://2130706433/", "host_number"),
        ("https://169.254.169.254/", "address_metadata"),
        ("https://user@api.example/", "url_userinfo"),
        ("http://api.example/", "clear_text"),
    ] {
        assert_eq!(get(&pool, url).await.unwrap_err(), code, "{url}");
    }
    assert_eq!(scene.upstream.accepted(), 1);
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    let upstream = Upstream::start(Some(authority.acceptor(["api.example"]))).await;
    for http2 in [false, true] {
        let settings = Settings { http2, ..Settings::new(authority.roots()) };
        let scene = Scene::new(upstream.clone(), settings);
        scene.names.say("api.example", &[ip("93.184.216.34")]);
        let connection = scene.call("https://api.example/", &Policy::public()).await.unwrap();
        assert_eq!(connection.is_http2(), http2);
    }
}

#[tokio::test]
async fn what_is_no_address_of_the_web_is_refused() {
    let egress = Egress::new(Settings::new(Roots::none())).unwrap();
    let mut connector = egress.connector(Arc::new(Policy::private_too()));
    for (uri, code) in
        [("ftp://a.example/", "url_scheme"), ("/x", "url_scheme"), ("a.example:443", "url_scheme")]
    {
        let error = connector.call(uri.parse::<Uri>().unwrap()).await.unwrap_err();
        assert_eq!(error.code(), code, "{uri}");
    }
}

#[tokio::test]
async fn the_system_s_resolver_and_tcp_reach_loopback() {
    let upstream = Upstream::start(None).await;
    let egress = Egress::new(Settings::new(Roots::none())).unwrap();
    let pool = pool(&egress, Policy::private_too());
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("http://{host}:{}/", upstream.address.port());
        assert_eq!(get(&pool, &url).await.unwrap(), b"ok", "{host}");
    }
    let refused = self::pool(&egress, Policy::public());
    let url = format!("https://localhost:{}/", upstream.address.port());
    assert_eq!(get(&refused, &url).await.unwrap_err(), "address_not_public");
}

#[tokio::test]
async fn no_proxy_of_the_environment_is_used() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "pool::the_system_s_resolver_and_tcp_reach_loopback"]).env_remove("NO_PROXY");
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        again.env(name, &address);
    }
    let output = tokio::task::spawn_blocking(move || again.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    // Whoever had used it would be waiting here to be accepted.
    let waiting = tokio::time::timeout(std::time::Duration::ZERO, proxy.accept()).await;
    assert!(waiting.is_err());
}
