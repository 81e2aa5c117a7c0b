//! Names as the system's own resolver asks a name server for them, and addresses as its own network has them: in a
//! namespace of its own, where both public and special addresses are this machine's, and a listener is behind each.

mod server;

use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use claviger_broker::{Faults, Guard, Options};
use claviger_egress::{Resolver, SystemResolver};
use http::Method;
use serde_json::json;
use server::NameServer;

use super::Scene;
use crate::support::third_party::{Reply, ThirdParty};
use crate::support::zis::Zis;
use crate::support::{Setup, TestDatabase};

/// What is the Internet's there.
const PUBLIC: [&str; 2] = ["93.184.216.34", "2606:2800:220:1::34"];

/// What is not.
const SPECIAL: [&str; 20] = [
    "10.0.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "100.100.100.200",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "192.0.0.192",
    "198.18.0.1",
    "192.88.99.1",
    "::1",
    "fd00:ec2::254",
    "fd00::1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "2001::1",
    "100::1",
    "fec0::1",
];

/// The operator's own list.
const LISTED: &str = "93.184.216.34 listed.corpus.example.com listed\n10.0.0.1 inside.corpus.example.com\n";

const WILD: &str = "/broker/zis:names:wild/x";

/// `absent` leaves this out, on purpose: where there are no namespaces to be had, nothing can be shown.
const NAMESPACES: &str = "CLAVIGER_TEST_NAMESPACES";

/// Runs what is below where nobody else is.
#[test]
fn a_name_servers_word_leads_to_no_special_address() {
    let itself = std::env::current_exe().unwrap();
    let in_namespace = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "--net", "--"]).arg(program).args(arguments);
        command.output()
    };
    if !in_namespace(Path::new("true"), &[]).is_ok_and(|output| output.status.success()) {
        let is_waived = std::env::var(NAMESPACES).is_ok_and(|namespaces| namespaces == "absent");
        assert!(
            is_waived,
            "this test needs namespaces of its own, and this machine gives none: run it by `cargo xtask test --quick`, \
             which says what it leaves out, or set {NAMESPACES}=absent"
        );
        println!("left out: there are no namespaces here");
        return;
    }
    let name = "broker::dns::inside";
    let output = in_namespace(&itself, &[name, "--exact", "--ignored", "--nocapture"]).unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{name}");
}

fn run(line: &str) {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Gives this machine the addresses, and its resolver the name server.
fn furnish() {
    run("ip link set lo up");
    for address in PUBLIC.into_iter().chain(SPECIAL).filter(|address| !["127.0.0.1", "::1"].contains(address))
    {
        let bits = if address.contains(':') { 128 } else { 32 };
        run(&format!("ip addr add {address}/{bits} dev lo"));
    }
    let directory = tempfile::tempdir().unwrap().keep();
    // As in a cluster: names are looked for in its domain first.
    let resolving = "nameserver 127.0.0.1\nsearch cluster.test\noptions timeout:5 ndots:5\n";
    for (name, text) in
        [("resolv.conf", resolving), ("nsswitch.conf", "hosts: files dns\n"), ("hosts", LISTED)]
    {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        run(&format!("mount --bind {} /etc/{name}", path.display()));
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The status of a call to a name, and where it arrived.
async fn call(scene: &Scene, name: &str) -> (u16, Vec<IpAddr>) {
    let headers = [("claviger-host", name)];
    let answer = scene.admin.send(Method::GET, WILD, &headers, None::<String>).await;
    (answer.status.as_u16(), scene.world.take_arrived())
}

#[ignore = "is run by the test above, in a namespace"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside() {
    furnish();
    let names = NameServer::start("127.0.0.1:53").await;
    let world = ThirdParty::start_at("[::]:443").await;
    let egress = world.system_egress();
    let faults = Faults::default();
    let broker = Options { faults: faults.clone(), ..Options::default() };
    let scene =
        Scene::start_in(TestDatabase::sqlite(), world, egress, Setup { broker, ..Setup::default() }).await;
    // Each call asks for its name.
    scene.world.answer(|_| Reply::ok("ok").closing());
    let admin = Zis::admin(&scene.server).await;
    let client = admin.integration("names").await;
    let writer = Zis::bearer(&scene.server, &admin.token(client, &["read", "write"]).await.1);
    let made =
        json!({ "name": "wild", "allowed_domain": "*.corpus.example.com", "token": "canary-7Qx2-value" });
    writer.post("/api/services/zis/integrations/names/connections/bearer_token", &made).await.expect(201);
    let mut attempts = 0;
    let public = PUBLIC.map(ip);
    for (number, special) in SPECIAL.map(ip).into_iter().enumerate() {
        let own = if special.is_ipv4() { public[0] } else { public[1] };
        let chains: [&[&str]; 3] =
            [&[], &["inside.example.net"], &["step.example.net", "cdn.example.org", "inside.example.net"]];
        for (place, aliases) in chains.into_iter().enumerate() {
            // Its address alone, and beside the Internet's, of its own family and of the other.
            for (turn, addresses) in [vec![special], vec![own, special], vec![special, public[0], public[1]]]
                .into_iter()
                .enumerate()
            {
                let name = |what: &str| format!("{what}{number}x{place}x{turn}.corpus.example.com");
                let (attempt, control) = (name("a"), name("c"));
                names.say(&attempt, aliases, std::slice::from_ref(&addresses));
                assert_eq!(
                    call(&scene, &attempt).await,
                    (403, vec![]),
                    "{attempt} {aliases:?} {addresses:?}"
                );
                assert_eq!(names.asked(&attempt), 1);
                names.say(&control, aliases, &[vec![own]]);
                assert_eq!(call(&scene, &control).await, (200, vec![own]), "control of {addresses:?}");
                attempts += 1;
            }
            // What is good for no second is asked for anew each time, and each answer counts for itself.
            let name = format!("r{number}x{place}.corpus.example.com");
            let turns = [vec![own], vec![special], vec![own], vec![special]];
            names.say(&name, aliases, &turns);
            for turn in turns {
                let expected = if turn == [own] { (200, vec![own]) } else { (403, vec![]) };
                assert_eq!(call(&scene, &name).await, expected, "{name} {turn:?}");
            }
            assert_eq!(names.asked(&name), 4);
            attempts += 2;
        }
    }
    // What a name is in a domain of the system's search list it is not by itself; the operator's own list counts.
    for name in ["service.corpus.example.com.cluster.test", "git.cluster.test"] {
        names.say(name, &[], &[vec![public[0]]]);
    }
    assert_eq!(call(&scene, "service.corpus.example.com").await, (502, vec![]));
    assert_eq!(names.asked("service.corpus.example.com.cluster.test"), 0);
    assert_eq!(call(&scene, "listed.corpus.example.com").await, (200, vec![public[0]]));
    assert_eq!(call(&scene, "inside.corpus.example.com").await, (403, vec![]));
    // A name without a dot is what the system makes of it.
    assert_eq!(SystemResolver.lookup("git").unwrap(), [public[0]]);
    assert_eq!(SystemResolver.lookup("listed").unwrap(), [public[0]]);

    // Without the guard they would have been called: the listener sees what is private, aliases and all.
    faults.switch_off(Guard::Address);
    for special in ["10.0.0.1", "127.0.0.1", "fd00::1"].map(ip) {
        let name = format!("u{}.corpus.example.com", attempts);
        names.say(&name, &["inside.example.net"], &[vec![special]]);
        assert_eq!(call(&scene, &name).await, (200, vec![special]), "without the guard");
        attempts += 1;
    }
    println!("{attempts} names");
    scene.server.stop().await;
}
