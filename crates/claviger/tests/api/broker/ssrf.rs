//! Special addresses, in ways to write them and behind names: through the broker none is called, and beside each stands
//! what differs only in being public, which is.
//!
//! Forms and ranges are those that the address guard itself is measured against.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Method;
use serde_json::json;

use super::{Scene, with_a_world};
use crate::support::connections::{ALL, body, http};
use crate::support::zis::Zis;

#[path = "../../../../egress/tests/egress/forms.rs"]
mod forms;
#[path = "../../../../egress/tests/egress/ranges.rs"]
mod ranges;

/// How many forms of one address are tried, out of all, another few with each address.
const FORMS_PER_V4: usize = 5;
const FORMS_PER_V6: usize = 2;

/// A special address, the range that it is of, and a public one.
struct Special {
    range: String,
    special: IpAddr,
    public: IpAddr,
}

fn specials() -> Vec<Special> {
    let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
    let metadata = ranges::METADATA.iter().map(|(special, public)| Special {
        range: "cloud metadata".to_owned(),
        special: ip(special),
        public: ip(public),
    });
    let mut all: Vec<_> = metadata.collect();
    for range in ranges::V4.iter().chain(ranges::V6) {
        let kind = if range.is_private { "private" } else { "special" };
        for (special, public) in
            range.addresses.iter().zip([range.public[0], range.public[1], range.public[1]])
        {
            let range = format!("{kind} {}", range.network);
            all.push(Special { range, special: ip(special), public: ip(public) });
        }
    }
    let mut known = BTreeSet::new();
    all.retain(|it| known.insert(it.special));
    all
}

/// What is written, how, and what beside it is public.
struct Literal {
    what: String,
    host: String,
    control: String,
    /// The public one as it is, where connections are not made of addresses in this form.
    plain: String,
}

fn written<A: Copy + Display>(
    forms: &[forms::Form<A>],
    (at, count): (usize, usize),
    range: &str,
    special: A,
    public: A,
) -> Vec<Literal> {
    let chosen = (0..count).map(|step| &forms[(at * count + step) % forms.len()]);
    let literal = |form: &forms::Form<A>| {
        // Where the form itself is wrong, the control is the same kind of address without it.
        let control = if form.code.is_none() { (form.write)(public) } else { (forms[0].write)(public) };
        let what = format!("{range}, {special}, {}", form.technique);
        Literal { what, host: (form.write)(special), control, plain: (forms[0].write)(public) }
    };
    chosen.map(literal).collect()
}

fn literals() -> Vec<Literal> {
    let mut all = Vec::new();
    let mut at = (0, 0);
    for Special { range, special, public } in specials() {
        match (special, public) {
            (IpAddr::V4(special), IpAddr::V4(public)) => {
                all.extend(written::<Ipv4Addr>(forms::V4, (at.0, FORMS_PER_V4), &range, special, public));
                at.0 += 1;
            }
            (IpAddr::V6(special), IpAddr::V6(public)) => {
                all.extend(written::<Ipv6Addr>(forms::V6, (at.1, FORMS_PER_V6), &range, special, public));
                at.1 += 1;
            }
            _ => panic!("{special} and {public} are of one family"),
        }
    }
    all
}

/// Calls through a connection of its own with this base URL, if there can be one. What was dialled meanwhile.
async fn call(scene: &Scene, host: &str) -> (String, Vec<IpAddr>) {
    let before = scene.world.dialled().len();
    let made =
        scene.admin.post(ALL, &body("Made", &http(&format!("https://{host}"), "canary-7Qx2-value"))).await;
    let mut code = format!("not made: {}", made.status);
    if made.status == 201 {
        let id = made.json()["data"]["id"].as_str().unwrap().to_owned();
        code = scene.admin.get(&format!("/broker/{id}/x")).await.header("claviger-error").to_owned();
        scene.admin.delete(&format!("{ALL}/{id}")).await.expect(204);
    }
    let dialled = scene.world.dialled().split_off(before);
    (code, dialled.iter().map(|address| address.ip()).collect())
}

with_a_world! {
    async fn no_special_address_is_called_however_it_is_written(scene: &Scene) {
        let literals = literals();
        let (mut known, mut controls) = (BTreeSet::new(), BTreeSet::new());
        for Literal { what, host, control, plain } in &literals {
            let (code, dialled) = call(scene, host).await;
            assert!(dialled.is_empty() && !code.is_empty(), "{what}: {host}: {code:?} {dialled:?}");
            known.insert(host.clone());
            if controls.insert(control.clone()) {
                let (mut code, mut dialled) = call(scene, control).await;
                if code.starts_with("not made") {
                    (code, dialled) = call(scene, plain).await;
                }
                assert_eq!(dialled.len(), 1, "control of {what}: {control}: {code}");
            }
        }
        println!("{} literals, {} distinct, {} controls", literals.len(), known.len(), controls.len());
        assert!(known.len() >= 500, "{}", known.len());
        assert_eq!(scene.world.take_seen().iter().filter(|seen| seen.name.is_empty()).count(), 0);
    }

    async fn no_special_address_is_called_behind_a_name(scene: &Scene) {
        let zis_admin = Zis::admin(&scene.server).await;
        let client = zis_admin.integration("names").await;
        let writer = Zis::bearer(&scene.server, &zis_admin.token(client, &["read", "write"]).await.1);
        let made = json!({ "name": "wild", "allowed_domain": "*.corpus.example.com", "token": "canary-7Qx2-value" });
        writer.post("/api/services/zis/integrations/names/connections/bearer_token", &made).await.expect(201);
        let (mut number, mut attempts) = (0, 0);
        for Special { range, special, public } in specials() {
            let (other, own, control) = ("8.8.4.4", special.to_string(), public.to_string());
            let mut answers = vec![
                ([vec![own.as_str()], vec![control.as_str()]], vec![control.as_str()]),
                ([vec![other, own.as_str()], vec![other]], vec![other, control.as_str()]),
                ([vec![own.as_str(), other], vec![other]], vec![control.as_str(), other]),
            ];
            let mapped = match special {
                IpAddr::V4(special) => special.to_ipv6_mapped().to_string(),
                IpAddr::V6(special) => special.to_string(),
            };
            answers.push(([vec![mapped.as_str()], vec![other]], vec![control.as_str()]));
            for (attempt, control) in answers {
                number += 1;
                let before = scene.world.dialled().len();
                for (prefix, answer, expected) in [("a", attempt.to_vec(), false), ("c", vec![control], true)] {
                    let name = format!("{prefix}{number}.corpus.example.com");
                    scene.world.name_in_turn(&name, &answer);
                    let headers = [("claviger-host", name.as_str())];
                    let got = scene.admin.send(Method::GET, "/broker/zis:names:wild/x", &headers, None::<String>).await;
                    let dialled = scene.world.dialled().split_off(before);
                    let what = format!("{range}, {special}: {answer:?}: {} {dialled:?}", got.header("claviger-error"));
                    assert_eq!((got.status == 200, dialled.len()), (expected, usize::from(expected)), "{what}");
                }
                attempts += 1;
            }
        }
        println!("{attempts} names");
        assert!(attempts >= 500);
    }
}
