//! TLS on the real program: both protocols, certificates that change under load, and pairs that are refused.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "../process/mod.rs"]
mod process;
mod support;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use support::{Authority, Server, fetch, until};

#[tokio::test]
async fn both_protocols_are_spoken_over_tls_alone() {
    let authority = Authority::new();
    let server = Server::start(&authority, &[]);
    assert_eq!(server.bootstrap["url"], format!("https://{}", server.address));
    for (protocol, version) in
        [("h2", http::Version::HTTP_2), ("http/1.1", http::Version::HTTP_11), ("", http::Version::HTTP_11)]
    {
        // A front's answer, and the router's.
        for path in ["/api/v1/validate", "/api/v2/api_keys", "/healthz"] {
            let answer = fetch(&server, &authority, protocol, path).await.unwrap();
            assert_eq!((answer.status, answer.version), (200, version), "{protocol} {path}: {}", answer.body);
        }
    }
    let plain = server.curl(&["--include", &format!("http://{}/healthz", server.address)]);
    assert!(!plain.stdout.starts_with(b"HTTP/"), "{plain:?}");
    let stranger = fetch(&server, &Authority::new(), "h2", "/healthz").await.unwrap_err();
    assert!(stranger.to_string().contains("certificate"), "{stranger}");
    server.stop().await;
}

#[tokio::test]
async fn old_versions_are_refused() {
    let authority = Authority::new();
    let server = Server::start(&authority, &[]);
    let url = format!("https://{}/healthz", server.address);
    let with = |version: &str, max: &str| {
        server.curl(&[
            "--silent",
            "--cacert",
            authority.file.to_str().unwrap(),
            version,
            "--tls-max",
            max,
            &url,
        ])
    };
    let old = with("--tlsv1.2", "1.2");
    assert!(old.status.success(), "{old:?}");
    assert!(with("--tlsv1.3", "1.3").status.success());
    assert!(!with("--tlsv1.0", "1.1").status.success());
    server.stop().await;
}

/// The files are replaced again and again while clients connect anew for each request: none of them fails, and
/// in the end the last certificate is shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_taken_under_load_with_no_failed_request() {
    let authority = Arc::new(Authority::new());
    let server = Arc::new(Server::start(&authority, &[]));
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for protocol in ["h2", "http/1.1"] {
        let (server, authority) = (server.clone(), authority.clone());
        let (done, answered) = (done.clone(), answered.clone());
        clients.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let answer = fetch(&server, &authority, protocol, "/api/v1/validate").await.unwrap();
                assert_eq!(answer.status, 200);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for _ in 0..5 {
        let certificate = server.replace_certificate(&authority);
        server.hang_up();
        let shown = until("the new certificate is shown", async || {
            fetch(&server, &authority, "h2", "/healthz").await.unwrap().certificate == certificate
        });
        shown.await;
        let so_far = answered.load(Ordering::Relaxed);
        until("requests go on", async || answered.load(Ordering::Relaxed) > so_far + 4).await;
    }
    done.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    Arc::into_inner(server).unwrap().stop().await;
}

/// Nobody says anything: the files are looked at every few seconds.
#[tokio::test]
async fn a_new_certificate_is_found_without_a_signal() {
    let authority = Authority::new();
    let server = Server::start(&authority, &[]);
    let certificate = server.replace_certificate(&authority);
    let shown =
        async || fetch(&server, &authority, "http/1.1", "/healthz").await.unwrap().certificate == certificate;
    until("the new certificate is shown", shown).await;
    server.stop().await;
}

#[tokio::test]
async fn a_bad_new_pair_is_refused_and_the_old_one_goes_on() {
    let authority = Authority::new();
    let server = Server::start(&authority, &[]);
    let first = fetch(&server, &authority, "h2", "/healthz").await.unwrap().certificate;
    let mut refused = 0;
    let mut check = async |advice: &str| {
        refused += 1;
        server.hang_up();
        until("the pair is refused", async || {
            server.log().matches("the old one stays in use").count() == refused
        })
        .await;
        assert!(server.log().contains(advice), "{}", server.log());
        assert_eq!(fetch(&server, &authority, "h2", "/healthz").await.unwrap().certificate, first);
    };
    // The key of another certificate, as when only one file was replaced so far.
    std::fs::write(server.key(), authority.issue().1).unwrap();
    check("do not make a pair").await;
    std::fs::write(server.certificate(), "nonsense").unwrap();
    check("no certificate in PEM form").await;
    std::fs::remove_file(server.key()).unwrap();
    check("cannot be read").await;
    let certificate = server.replace_certificate(&authority);
    std::fs::set_permissions(server.key(), PermissionsExt::from_mode(0o644)).unwrap();
    check("others can read the TLS key").await;
    std::fs::set_permissions(server.key(), PermissionsExt::from_mode(0o600)).unwrap();
    server.hang_up();
    until("the mended pair is shown", async || {
        fetch(&server, &authority, "h2", "/healthz").await.unwrap().certificate == certificate
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_found_before_anything_opens() {
    let authority = Authority::new();
    let check = |prepare: &dyn Fn(&support::Home), code, expected: &str| {
        let home = support::Home::new(&authority);
        prepare(&home);
        let output = home.serve(&[]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
        assert!(!home.data().exists(), "nothing is made");
    };
    let open = |home: &support::Home| {
        std::fs::set_permissions(home.key(), PermissionsExt::from_mode(0o640)).unwrap();
    };
    check(&open, 1, "others can read the TLS key: run `chmod 600 ");
    check(&|home| std::fs::remove_file(home.certificate()).unwrap(), 1, "cert.pem cannot be read");
    check(&|home| std::fs::write(home.key(), authority.issue().1).unwrap(), 1, "cannot be used for TLS");
}

/// A drain waits for what is under way on an HTTP/2 connection, and closes idle ones.
#[tokio::test]
async fn a_drain_ends_idle_connections_of_both_protocols() {
    let authority = Authority::new();
    let server = Server::start(&authority, &["--drain-seconds", "60"]);
    let one = support::connect(&server, &authority, "h2").await.unwrap();
    let other = support::connect(&server, &authority, "http/1.1").await.unwrap();
    let (one, other) = (one.get("/healthz").await.unwrap(), other.get("/healthz").await.unwrap());
    assert_eq!((one.0.status, other.0.status), (200, 200));
    // Kept open by both ends until now; a server that waited for its clients would take a minute.
    server.stop().await;
    drop((one, other));
}

/// The metrics have a listener of their own, plain whatever the other speaks; what it shows is read as a collector
/// would: each family is told once with its help and type, samples belong to the family above them, the end is
/// marked.
#[tokio::test]
async fn metrics_are_shown_in_clear_and_in_their_format() {
    let authority = Authority::new();
    let server = Server::start(&authority, &["--metrics-listen", "127.0.0.1:0"]);
    for path in ["/healthz", "/api/v1/validate", "/nowhere"] {
        fetch(&server, &authority, "h2", path).await.unwrap();
    }
    let log = server.log();
    let line = log.lines().find(|line| line.contains("\"showing metrics\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let url = format!("http://{}/metrics", line["address"].as_str().unwrap());
    let output = server.curl(&["--fail", &url]);
    assert!(output.status.success(), "{output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    let lines = page.strip_suffix("# EOF\n").expect("the end is marked").lines();

    let (mut families, mut family, mut kind) = (Vec::new(), "", "");
    for line in lines {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(text.ends_with('.') && !text.ends_with(".."), "{line}");
            assert!(!families.contains(&name), "{name} is told twice");
            families.push(name);
            family = name;
        } else if let Some(told) = line.strip_prefix("# TYPE ") {
            let (name, told) = told.split_once(' ').unwrap();
            assert_eq!(name, family);
            kind = told;
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let suffix = sample.split('{').next().unwrap().strip_prefix(family).expect(line);
            let suffixes: &[&str] = match kind {
                "counter" => &["_total"],
                "gauge" => &[""],
                "histogram" => &["_sum", "_count", "_bucket"],
                other => panic!("{other}"),
            };
            assert!(suffixes.contains(&suffix), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(page.contains("\nclaviger_verified_total 1\n"), "{page}");
    let unmatched = "claviger_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1\n";
    assert!(page.contains(unmatched), "{page}");
    server.stop().await;
}
