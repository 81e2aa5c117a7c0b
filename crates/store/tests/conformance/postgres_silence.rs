//! A network that drops what it is given, without a word to either side.
//!
//! Another server may have the lock by then: whoever cannot ask may not answer.

use claviger_store::Location;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::postgres_only::{SOON, is_back, show};
use crate::testbed::{Running, TestDatabase, is_failed, rename, run_on_postgres, until};

/// Forwards connections until it is told to keep everything to itself.
struct Network {
    address: String,
    silent: watch::Sender<bool>,
}

impl Network {
    async fn before(db: &TestDatabase) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (_, rest) = db.address().split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let address = format!("postgres://postgres@{}/{database}", listener.local_addr().unwrap());
        let (silent, heard) = watch::channel(false);
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(forward(near, server.clone(), heard.clone()));
            }
        });
        Self { address, silent }
    }
}

async fn forward(mut near: TcpStream, server: String, mut silent: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(&server).await else { return };
    loop {
        let _ = silent.wait_for(|silent| !silent).await;
        let mut fell_silent = silent.clone();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = fell_silent.wait_for(|silent| *silent) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_makes_the_store_unavailable() {
    run_on_postgres(async |db: &TestDatabase| {
        let network = Network::before(db).await;
        let location = Location::Postgres(network.address.clone());
        let running = Running::follow(db.start_at(&location).await, db);
        let tenant = running.found_org(claviger_model::OrgSettings::default()).await;

        // Idle.
        network.silent.send(true).unwrap();
        until("the store is away", async || !running.store.is_available()).await;
        assert!(is_failed(&timeout(SOON, running.store.commit(show(&tenant))).await.unwrap()));
        network.silent.send(false).unwrap();
        is_back(&running).await;
        running.store.commit(show(&tenant)).await.unwrap();

        // With a change under way.
        network.silent.send(true).unwrap();
        let answer = timeout(SOON, running.store.commit(rename(&tenant.api_key.0, "unheard"))).await.unwrap();
        assert!(is_failed(&answer));
        assert!(!running.store.is_available());
        network.silent.send(false).unwrap();
        is_back(&running).await;
        running.store.commit(show(&tenant)).await.unwrap();
        assert_eq!(running.followed(), running.store.list_entries(0, 10).await.unwrap());
        running.stop().await;
    })
    .await;
}

/// The writer watches its connection even while it waits for a follower that does not move.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_follower_does_not_hide_a_silent_network() {
    run_on_postgres(async |db: &TestDatabase| {
        let (running, tenant) = db.start_with_org().await;
        running.stop().await;
        let network = Network::before(db).await;
        let (store, feed, vault) = db.start_at(&Location::Postgres(network.address.clone())).await;
        let mut askers = Vec::new();
        // Four wait in the feed, the fifth for a place in it.
        for sequence in 2..=6 {
            let (asking, change) = (store.clone(), show(&tenant));
            askers.push(tokio::spawn(async move { asking.commit(change).await }));
            until("it is committed", async || store.head().await.unwrap().sequence == sequence).await;
        }
        network.silent.send(true).unwrap();
        until("the store is away", async || !store.is_available()).await;
        network.silent.send(false).unwrap();
        let running = Running::follow((store, feed, vault), db);
        is_back(&running).await;
        for asker in askers {
            timeout(SOON, asker).await.unwrap().unwrap().unwrap();
        }
        running.stop().await;
    })
    .await;
}
