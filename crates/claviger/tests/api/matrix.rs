//! Who may call what: every route × every way in which credentials can be wrong.
//!
//! The cases are generated from the routes and from who may call each; what is expected follows from that and from
//! the vendor's failure matrix. A route for which [`sample`](crate::support::sample) has no request fails the test.

mod case;
mod refusal;
mod world;

use case::Case;
use claviger_http::{Bucket, Limits, Rate, Who};
use claviger_model::Permission;
use refusal::{MAKES_THE_UNNARROWED, actual, exceeded, expected, is_refused, permissions};
use serde_json::Value;
use world::World;

use crate::support::sample::{self, Sample};
use crate::support::{Answer, Keys, Setup, TestDatabase, TestServer, with_either_database};

with_either_database! {
    async fn every_route_refuses_all_but_those_who_may(database: TestDatabase) {
        let world = World::build(database).await;
        let admin = world.server.client();
        for route in &world.server.routes {
            let about = format!("{} {}", route.method, route.path);
            let sample = sample::sample(route, &admin).await;
            let before = world.server.engine.applied();
            for case in Case::ALL {
                let Some(keys) = world.keys(route, case) else { continue };
                let Some(expected) = expected(route, case) else { continue };
                let answer = sample::send(route, &sample, &world.client(keys)).await;
                assert_eq!(actual(&answer, &expected), expected, "{about}: {case:?}");
            }
            assert_eq!(world.server.engine.applied(), before, "{about}: a refused request changes nothing");
            // What a route does not look at does not close it.
            for case in Case::ALL.into_iter().filter(|case| expected(route, *case).is_none()) {
                let Some(keys) = world.keys(route, case) else { continue };
                let sample = sample::sample(route, &admin).await;
                sample::send(route, &sample, &world.client(keys)).await.expect(sample.success);
            }
            // A token alone opens what is for users.
            if matches!(route.who, Who::User(_)) {
                let sample = sample::sample(route, &admin).await;
                let makes_all = MAKES_THE_UNNARROWED.contains(&(route.method.as_str(), route.path));
                let status = if makes_all { 403 } else { sample.success };
                let answer = sample::send(route, &sample, &world.client(&world.token)).await;
                assert_eq!(answer.status.as_u16(), status, "{about}: {}", answer.text);
            }
            // Any one of the permissions opens it, whatever it then finds in its reach.
            for permission in permissions(route) {
                let sample = sample::sample(route, &admin).await;
                let answer = sample::send(route, &sample, &world.client(&world.only[&permission])).await;
                assert!(!is_refused(&answer), "{about} with {}: {}", permission.name(), answer.text);
            }
            // Connections are managed by registered keys alone, whatever they may do otherwise, and used by all.
            if route.path.contains("/connections") {
                let mut keys = world.server.admin();
                keys.application_key = Some(sample::application_key(&admin, Value::Null).await.secret);
                let answer = sample::send(route, &sample, &world.client(&keys)).await;
                let is_use = permissions(route).iter().all(|it| *it == Permission::CONNECTIONS_RESOLVE);
                assert_eq!(answer.text.contains("not registered"), !is_use, "{about}: {}", answer.text);
                answer.expect(if is_use { sample.success } else { 403 });
            }
            sample::send(route, &sample, &admin).await.expect(sample.success);
        }
        world.server.stop().await;
    }

    async fn every_route_with_a_bucket_keeps_its_limit(database: TestDatabase) {
        const HOUR: u32 = 3600;
        let server = TestServer::start(database).await;
        let mut samples: Vec<Sample> = Vec::new();
        for route in &server.routes {
            samples.push(sample::sample(route, &server.client()).await);
        }
        let foreign = Keys::of(&server.found_another("Foreign").await);
        let halted = server.halt().await;
        let limits = Limits::of(Bucket::ALL.map(|bucket| (bucket, Rate { limit: 1, period_seconds: HOUR })));
        let server = halted.start(Setup { limits, ..Setup::default() }).await;
        let routes: Vec<_> = server.routes.iter().zip(&samples).filter(|(route, _)| route.who != Who::Anybody).collect();
        for (route, sample) in routes {
            let about = format!("{} {}", route.method, route.path);
            server.clock.advance_micros(i64::from(HOUR) * 1_000_000);
            // Those who are refused take nothing of anybody's share.
            sample::send(route, sample, &server.client_with(Keys::default())).await;
            let first = sample::send(route, sample, &server.client()).await.expect(sample.success);
            let headers = |answer: &Answer| {
                ["limit", "period", "remaining", "reset"]
                    .map(|name| answer.header(&format!("x-ratelimit-{name}")).parse::<u32>().unwrap_or(u32::MAX))
            };
            let [limit, period, remaining, reset] = headers(&first);
            assert_eq!((limit, period, remaining), (1, HOUR, 0), "{about}");
            assert!((1..=HOUR).contains(&reset), "{about}: {reset}");
            let before = server.engine.applied();
            let second = sample::send(route, sample, &server.client()).await.expect(429);
            assert_eq!(headers(&second), [1, HOUR, 0, reset], "{about}");
            assert_eq!(second.text, exceeded(route), "{about}");
            assert_eq!(second.header("content-type"), "application/json", "{about}");
            assert_eq!(server.engine.applied(), before, "{about}: a refused request changes nothing");
            // Another org has a share of its own.
            let other = sample::send(route, sample, &server.client_with(foreign.clone())).await;
            assert_ne!(other.status.as_u16(), 429, "{about}");
        }
        server.stop().await;
    }
}
