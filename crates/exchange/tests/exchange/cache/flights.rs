//! One exchange for all who ask at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger_exchange::cache::{Fresh, Outcome};
use claviger_exchange::oauth::{Grant, ask};
use claviger_exchange::{ExchangeError, Token};
use claviger_model::{Clock, Timestamp};
use tokio::sync::{Barrier, oneshot};
use tokio::task::JoinHandle;

use super::{HOUR, MARGIN, Scene, refused, until};
use crate::provider::{Provider, http};

/// So many ask; the exchange waits for the word of what it is to bring. All of them are waiting when this returns.
async fn asking(
    scene: &Scene,
    count: usize,
) -> (Vec<JoinHandle<Outcome<usize>>>, oneshot::Sender<Result<usize, ExchangeError>>) {
    let before = scene.exchanges();
    let (word, heard) = oneshot::channel();
    let mut heard = Some(heard);
    let asked = Arc::new(AtomicUsize::new(0));
    let askers = (0..count).map(|_| {
        let (cache, clock, asked) = (scene.cache.clone(), scene.clock.clone(), asked.clone());
        let (exchanges, heard) = (scene.exchanges.clone(), heard.take());
        tokio::spawn(async move {
            asked.fetch_add(1, Ordering::SeqCst);
            cache
                .get(&"k", MARGIN, move || async move {
                    exchanges.fetch_add(1, Ordering::SeqCst);
                    let value = heard.expect("the first asker's exchange is the only one").await.unwrap()?;
                    Ok(Fresh { value, expires_at: clock.now() + HOUR })
                })
                .await
        })
    });
    let askers = askers.collect();
    // On one thread, a task that has counted itself has also gone on to where it waits.
    until(|| asked.load(Ordering::SeqCst) == count && scene.exchanges() > before).await;
    (askers, word)
}

#[tokio::test]
async fn all_get_the_same_token() {
    let scene = Scene::new();
    let (askers, word) = asking(&scene, 500).await;
    word.send(Ok(7)).unwrap();
    let mut got = Vec::new();
    for asker in askers {
        got.push(asker.await.unwrap().unwrap());
    }
    assert!(got.iter().all(|value| Arc::ptr_eq(value, &got[0])) && *got[0] == 7);
    assert_eq!(scene.exchanges(), 1);
    assert!(Arc::ptr_eq(&scene.ask().await, &got[0]));
    assert_eq!(scene.exchanges(), 1);
}

#[tokio::test]
async fn all_get_the_same_error() {
    let scene = Scene::new();
    let (askers, word) = asking(&scene, 500).await;
    word.send(Err(refused("invalid_client"))).unwrap();
    let mut got = Vec::new();
    for asker in askers {
        got.push(asker.await.unwrap().unwrap_err());
    }
    assert!(got.iter().all(|error| Arc::ptr_eq(error, &got[0])) && got[0].code() == "invalid_client");
    assert_eq!(scene.exchanges(), 1);
}

#[tokio::test]
async fn who_goes_away_takes_nothing_along() {
    for gone in [0..1, 0..9, 3..10, 0..10] {
        let scene = Scene::new();
        let (mut askers, word) = asking(&scene, 10).await;
        for asker in askers.drain(gone.clone()) {
            asker.abort();
            assert!(asker.await.unwrap_err().is_cancelled());
        }
        word.send(Ok(7)).unwrap();
        for asker in askers {
            assert_eq!(*asker.await.unwrap().unwrap(), 7, "{gone:?}");
        }
        // Also where nobody was left to wait.
        assert_eq!(*scene.ask().await, 7, "{gone:?}");
        assert_eq!(scene.exchanges(), 1);
    }
}

#[tokio::test]
async fn an_exchange_that_panics_stops_nobody() {
    let scene = Scene::new();
    let (askers, word) = asking(&scene, 10).await;
    drop(word);
    for asker in askers {
        assert!(matches!(*asker.await.unwrap().unwrap_err(), ExchangeError::Busy));
    }
    assert_eq!(*scene.ask().await, 2);
}

#[tokio::test]
async fn keys_do_not_wait_for_each_other() {
    let scene = Scene::new();
    let (askers, word) = asking(&scene, 3).await;
    assert_eq!(*scene.ask_for("other", MARGIN, HOUR).await.unwrap(), 2);
    word.send(Ok(7)).unwrap();
    for asker in askers {
        assert_eq!(*asker.await.unwrap().unwrap(), 7);
    }
}

#[tokio::test]
async fn what_is_forgotten_under_way_is_not_kept() {
    let scene = Scene::new();
    let (askers, word) = asking(&scene, 3).await;
    scene.cache.forget(|key| *key == "k");
    assert!(scene.cache.is_empty());
    word.send(Ok(7)).unwrap();
    for asker in askers {
        assert_eq!(*asker.await.unwrap().unwrap(), 7);
    }
    assert!(scene.cache.is_empty());
    assert_eq!(*scene.ask().await, 2);
}

#[tokio::test]
async fn what_was_forgotten_does_not_stand_in_for_what_came_after() {
    let scene = Scene::new();
    let (old_askers, old_word) = asking(&scene, 3).await;
    scene.cache.forget(|_| true);
    let (askers, word) = asking(&scene, 3).await;
    old_word.send(Ok(7)).unwrap();
    for asker in old_askers {
        assert_eq!(*asker.await.unwrap().unwrap(), 7);
    }
    // Who asks now waits for the second, which is still under way.
    let cache = scene.cache.clone();
    let never = || async { unreachable!("there is an exchange under way") };
    let late = tokio::spawn(async move { cache.get(&"k", MARGIN, never).await });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    word.send(Ok(8)).unwrap();
    for asker in askers.into_iter().chain([late]) {
        assert_eq!(*asker.await.unwrap().unwrap(), 8);
    }
    assert_eq!(*scene.ask().await, 8);
    assert_eq!(scene.exchanges(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_makes_one_call() {
    const CROWD: usize = 64;
    for round in 0..20 {
        let provider = Provider::json(200, r#"{"access_token":"a","expires_in":3600}"#).await;
        let scene = Scene::new();
        let cache = claviger_exchange::cache::Cache::<u8, Token>::new(scene.clock.clone(), |_| super::org(0));
        let barrier = Arc::new(Barrier::new(CROWD));
        let askers: Vec<_> = (0..CROWD)
            .map(|_| {
                let (cache, barrier, client) = (cache.clone(), barrier.clone(), provider.client());
                let now = scene.clock.now();
                tokio::spawn(async move {
                    barrier.wait().await;
                    cache.get(&1, MARGIN, move || async move { token(client, now).await }).await
                })
            })
            .collect();
        for asker in askers {
            assert_eq!(asker.await.unwrap().unwrap().value.reveal(), "a");
        }
        assert_eq!(provider.received().len(), 1, "{round}");
    }
}

async fn token(
    client: claviger_exchange::oauth::OAuthClient,
    now: Timestamp,
) -> Result<Fresh<Token>, ExchangeError> {
    let tokens = ask(&http(), &client, Grant::ClientCredentials { scopes: "" }).await?;
    let expires_at = now + tokens.expires_in.unwrap();
    Ok(Fresh { value: Token { value: tokens.access_token, expires_at }, expires_at })
}
