//! Private places are reached by orgs that the operator allows it, and by nobody else.

use serde_json::{Value, json};

use super::ends::{BEGUN, breaks_off, goes_on, streaming};
use super::with_a_world;
use crate::support::connections::http;
use crate::support::third_party::Reply;

with_a_world! {
    async fn an_org_reaches_the_private_places_that_it_is_allowed(scene: &Scene) {
        for (name, address) in [("git.house", "10.1.2.3"), ("other.house", "10.2.2.3"), ("meta.house", "169.254.169.254")] {
            scene.world.name(name, &[address]);
        }
        let mut paths = Vec::new();
        for base in ["https://git.house", "http://git.house", "https://other.house", "http://other.house", "https://meta.house"] {
            paths.push((base, format!("/broker/{}/x", scene.connection(&http(base, "canary-7Qx2-value")).await)));
        }
        let called = async |expected: &[&str]| {
            for ((base, path), expected) in paths.iter().zip(expected) {
                let answer = scene.admin.get(path).await;
                let code = if answer.status == 200 { "ok" } else { answer.header("claviger-error") };
                assert_eq!(code, *expected, "{base}");
            }
        };
        let none = ["address_not_public", "clear_text", "address_not_public", "clear_text", "address_metadata"];
        called(&none).await;
        assert_eq!(scene.world.dialled(), [], "nobody was called");
        let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
        let allow = async |entries: Value| {
            let answer = scene.admin.patch(&org, &json!({ "private_reach": entries })).await.expect(200).json();
            assert_eq!(answer["private_reach"], entries);
        };
        allow(json!(["10.1.0.0/16"])).await;
        called(&["ok", "clear_text", "address_not_public", "clear_text", "address_metadata"]).await;
        allow(json!(["10.1.0.0/16", "http://git.house", "http://other.house"])).await;
        called(&["ok", "ok", "address_not_public", "address_not_public", "address_metadata"]).await;
        assert_eq!(scene.world.take_seen().len(), 3);
        // What is taken back is not used any more, open connections included.
        allow(json!([])).await;
        called(&none).await;
        assert_eq!(scene.world.take_seen().len(), 0);
        scene.server.verify_state().await;
    }

    async fn a_stream_ends_with_its_orgs_reach(scene: &Scene) {
        scene.world.name("git.house", &["10.1.2.3"]);
        scene.world.answer(|_| Reply::raw(&[BEGUN]));
        let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
        let token = scene.token().await;
        for (base, entries, wider, narrower) in [
            ("https://git.house", json!(["10.1.2.0/24"]), json!(["10.2.0.0/16", "10.1.0.0/16"]), json!([])),
            ("https://git.house", json!(["10.1.0.0/16"]), json!(["10.1.0.0/16", "http://git.house"]), json!(["10.2.0.0/16"])),
            ("http://git.house", json!(["10.1.0.0/16", "http://git.house"]), json!(["10.0.0.0/8", "http://git.house"]), json!(["10.0.0.0/8"])),
        ] {
            let id = scene.connection(&http(base, "canary-7Qx2-value")).await;
            let allow = async |entries: &Value| drop(scene.admin.patch(&org, &json!({ "private_reach": entries })).await.expect(200));
            allow(&entries).await;
            let mut stream = streaming(scene, &id, &token).await;
            allow(&wider).await;
            assert!(goes_on(&mut stream).await, "{wider}");
            allow(&narrower).await;
            assert!(breaks_off(stream).await, "{narrower}");
        }
    }

    /// Some of them answer within ranges that may be allowed.
    async fn a_metadata_service_is_in_no_orgs_reach(scene: &Scene) {
        let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
        let allowed = json!(["100.64.0.0/10", "fc00::/7", "100.100.100.200", "fd00:ec2::254"]);
        scene.admin.patch(&org, &json!({ "private_reach": allowed })).await.expect(200);
        for (number, (address, code)) in [
            ("100.100.100.200", "address_metadata"), ("fd00:ec2::254", "address_metadata"), ("fd20:ce::254", "address_metadata"), ("::ffff:100.100.100.200", "address_metadata"),
            ("64:ff9b::6464:64c8", "address_metadata"), ("169.254.169.254", "address_metadata"), ("fe80::a9fe:a9fe", "address_not_public"),
            ("100.100.100.201", ""), ("fd00:ec2::255", ""),
        ].into_iter().enumerate() {
            let host = format!("meta{number}.house");
            scene.world.name(&host, &[address]);
            let id = scene.connection(&http(&format!("https://{host}"), "canary-7Qx2-value")).await;
            let answer = scene.admin.get(&format!("/broker/{id}/x")).await;
            assert_eq!(answer.header("claviger-error"), code, "{address}");
            assert_eq!(scene.world.take_seen().len(), usize::from(code.is_empty()), "{address}");
        }
    }

    async fn a_reach_is_of_private_places(scene: &Scene) {
        let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
        for wrong in [
            json!(["0.0.0.0/0"]), json!(["8.8.8.8"]), json!(["169.254.169.254"]), json!(["10.0.0.0/7"]), json!(["127.0.0.1 10.0.0.1"]),
            json!(["::/0"]), json!(["::ffff:10.0.0.0/95"]), json!(["::ffff:8.8.8.8"]), json!(["::ffff:0:0/96"]), json!(["64:ff9b::/96"]), json!(["64:ff9b::a00:0/104"]),
            json!(["2002:a00::/24"]), json!(["2001::/32"]), json!(["fc00::/6"]), json!(["fe80::1"]), json!(["0.0.0.0"]),
            json!(["10.0.0.0/08"]), json!(["10.0.0.0/33"]), json!(["10.0.0.0/-1"]), json!(["10.0.0.0/"]), json!(["10.0.0.1/8"]), json!(["10.0.0.0/8/8"]), json!(["10.0.0"]), json!(["010.0.0.1"]),
            json!(["0x0a000001"]), json!(["[::1]"]), json!(["fe80::1%eth0"]), json!(["https://git.house"]), json!(["http://git.house:80"]), json!(["http://a@git.house"]), json!(["http://*.house"]),
            json!(["git.house"]), json!(["http://git.house/x"]), json!("10.0.0.0/8"), json!([1]), json!([""]),
        ] {
            let answer = scene.admin.patch(&org, &json!({ "private_reach": wrong })).await.expect(400).json();
            assert_eq!(answer["errors"][0]["field"], "private_reach", "{wrong}");
        }
        assert_eq!(scene.admin.get(&org).await.expect(200).json()["private_reach"], json!([]));
    }
}
