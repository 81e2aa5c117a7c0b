//! How much is kept and under way, and what becomes of what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger_exchange::ExchangeError;
use claviger_exchange::cache::{Cache, FLIGHTS_MAX, FLIGHTS_OF_ONE_MAX, Fresh, KEPT_MAX};
use claviger_model::Clock;
use tokio::sync::Semaphore;

use super::{HOUR, MARGIN, Scene, land, org, soon, until};

/// A value that counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Many {
    scene: Scene,
    cache: Cache<usize, Counted>,
    alive: Arc<AtomicUsize>,
}

impl Many {
    /// Of one org.
    fn new() -> Self {
        Self::of(|_| org(0))
    }

    fn of(owner: fn(&usize) -> claviger_model::OrgId) -> Self {
        let scene = Scene::new();
        Self { cache: Cache::new(scene.clock.clone(), owner), scene, alive: Arc::default() }
    }

    async fn ask(&self, key: usize) {
        let (clock, exchanges, alive) =
            (self.scene.clock.clone(), self.scene.exchanges.clone(), self.alive.clone());
        let exchange = move || async move {
            exchanges.fetch_add(1, Ordering::SeqCst);
            Ok(Fresh { value: Counted::new(&alive), expires_at: clock.now() + HOUR })
        };
        assert!(self.cache.get(&key, MARGIN, exchange).await.is_ok());
        land().await;
    }

    /// How many there are once every flight's own hold on its value is gone.
    async fn alive(&self, expected: usize) {
        until(|| self.alive.load(Ordering::SeqCst) == expected).await;
    }
}

#[tokio::test]
async fn whatever_was_not_asked_for_longest_makes_room() {
    let many = Many::new();
    for key in 0..KEPT_MAX {
        many.ask(key).await;
    }
    assert_eq!(many.cache.len(), KEPT_MAX);
    // The first is asked for again, so that the second is the one to go.
    many.ask(0).await;
    assert_eq!(many.scene.exchanges(), KEPT_MAX);
    many.ask(KEPT_MAX).await;
    assert_eq!((many.cache.len(), many.scene.exchanges()), (KEPT_MAX, KEPT_MAX + 1));
    many.ask(0).await;
    assert_eq!(many.scene.exchanges(), KEPT_MAX + 1);
    many.ask(1).await;
    assert_eq!((many.cache.len(), many.scene.exchanges()), (KEPT_MAX, KEPT_MAX + 2));
    many.alive(KEPT_MAX).await;
    many.cache.forget(|key| key % 2 == 0);
    many.alive(KEPT_MAX / 2).await;
    many.cache.forget(|_| true);
    many.alive(0).await;
}

/// One that asks for more than there is room for has the others keep what they have.
#[tokio::test]
async fn whoever_has_most_makes_room() {
    const FEW: usize = 10;
    let many = Many::of(|key| org(usize::from(*key >= FEW)));
    for key in 0..KEPT_MAX + 100 {
        many.ask(key).await;
    }
    let exchanges = many.scene.exchanges();
    assert_eq!((many.cache.len(), exchanges), (KEPT_MAX, KEPT_MAX + 100));
    for key in 0..FEW {
        many.ask(key).await;
    }
    assert_eq!(many.scene.exchanges(), exchanges);
    // Its own went, those first that it did not ask for longest.
    many.ask(FEW).await;
    assert_eq!(many.scene.exchanges(), exchanges + 1);
    // What is let go counts no more.
    many.cache.forget(|key| *key >= FEW);
    for key in KEPT_MAX..2 * KEPT_MAX - FEW {
        many.ask(key).await;
    }
    assert_eq!(many.cache.len(), KEPT_MAX);
    many.ask(0).await;
    assert_eq!(many.scene.exchanges(), exchanges + 1 + KEPT_MAX - FEW);
}

#[tokio::test]
async fn what_has_ended_is_let_go() {
    let many = Many::new();
    for key in 0..100 {
        many.ask(key).await;
    }
    many.scene.pass(HOUR);
    many.ask(1000).await;
    assert_eq!(many.cache.len(), 1);
    many.alive(1).await;
}

#[tokio::test]
async fn a_value_that_is_replaced_or_dropped_is_gone() {
    let many = Many::new();
    many.ask(1).await;
    many.scene.pass(HOUR - MARGIN);
    many.ask(1).await;
    assert_eq!(many.scene.exchanges(), 2);
    many.alive(1).await;
    let kept = many.cache.get(&1, MARGIN, || async { Err(ExchangeError::Busy) }).await.ok().unwrap();
    assert!(many.cache.reject(&1, &kept));
    drop(kept);
    many.alive(0).await;
}

#[tokio::test]
async fn no_more_are_under_way_than_may_be() {
    let many = Many::of(|key| org(key / FLIGHTS_OF_ONE_MAX));
    let gate = Arc::new(Semaphore::new(0));
    let ask = |key: usize| {
        let (cache, gate, alive) = (many.cache.clone(), gate.clone(), many.alive.clone());
        let (exchanges, clock) = (many.scene.exchanges.clone(), many.scene.clock.clone());
        tokio::spawn(async move {
            let exchange = move || async move {
                exchanges.fetch_add(1, Ordering::SeqCst);
                let _pass = gate.acquire().await.unwrap();
                Ok(Fresh { value: Counted::new(&alive), expires_at: clock.now() + HOUR })
            };
            cache.get(&key, MARGIN, exchange).await.map(|_| ())
        })
    };
    many.ask(FLIGHTS_MAX + 1).await;
    many.scene.pass(HOUR - MARGIN);
    let under_way: Vec<_> = (0..FLIGHTS_MAX).map(ask).collect();
    until(|| many.scene.exchanges() == FLIGHTS_MAX + 1).await;
    assert!(matches!(*soon(ask(FLIGHTS_MAX)).await.unwrap().unwrap_err(), ExchangeError::Busy));
    // Whoever has one goes on with it, and nobody waits for another's.
    assert!(soon(ask(FLIGHTS_MAX + 1)).await.unwrap().is_ok());
    let waiting = ask(0);
    // Also those that are forgotten are under way.
    many.cache.forget(|key| *key > 0 && *key < 100);
    assert!(matches!(*soon(ask(1)).await.unwrap().unwrap_err(), ExchangeError::Busy));
    assert_eq!(many.scene.exchanges(), FLIGHTS_MAX + 1);
    gate.add_permits(FLIGHTS_MAX);
    for asker in under_way.into_iter().chain([waiting]) {
        assert!(soon(asker).await.unwrap().is_ok());
    }
    assert!(soon(ask(FLIGHTS_MAX)).await.unwrap().is_ok());
    assert!(soon(ask(1)).await.unwrap().is_ok());
}

/// One whose providers do not answer leaves the others theirs.
#[tokio::test]
async fn no_more_of_one_are_under_way_than_its_share() {
    let many = Many::of(|key| org(key / 1000));
    let gate = Arc::new(Semaphore::new(0));
    let ask = |key: usize| {
        let (cache, gate, alive) = (many.cache.clone(), gate.clone(), many.alive.clone());
        let (exchanges, clock) = (many.scene.exchanges.clone(), many.scene.clock.clone());
        tokio::spawn(async move {
            let exchange = move || async move {
                exchanges.fetch_add(1, Ordering::SeqCst);
                let _pass = gate.acquire().await.unwrap();
                Ok(Fresh { value: Counted::new(&alive), expires_at: clock.now() + HOUR })
            };
            cache.get(&key, MARGIN, exchange).await.map(|_| ())
        })
    };
    let under_way: Vec<_> = (0..FLIGHTS_OF_ONE_MAX).map(ask).collect();
    until(|| many.scene.exchanges() == FLIGHTS_OF_ONE_MAX).await;
    assert!(matches!(*soon(ask(FLIGHTS_OF_ONE_MAX)).await.unwrap().unwrap_err(), ExchangeError::Busy));
    many.ask(1000).await;
    gate.add_permits(FLIGHTS_OF_ONE_MAX + 1);
    for asker in under_way {
        assert!(soon(asker).await.unwrap().is_ok());
    }
    assert!(soon(ask(FLIGHTS_OF_ONE_MAX)).await.unwrap().is_ok());
}
