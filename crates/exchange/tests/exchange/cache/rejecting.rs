//! Tokens that a target would not have.

use std::sync::Arc;
use std::time::Duration;

use super::{HOUR, MARGIN, Scene, refused};

#[tokio::test]
async fn a_value_is_dropped_once_however_many_say_so() {
    let scene = Scene::new();
    let first = scene.ask().await;
    for place in 0..500 {
        // Each is told to try once more, with the same new value.
        assert!(scene.cache.reject(&"k", &first), "{place}");
        assert_eq!(*scene.ask().await, 2, "{place}");
    }
    assert_eq!(scene.exchanges(), 2);
}

#[tokio::test]
async fn a_target_that_refuses_everything_does_not_storm_its_provider() {
    let scene = Scene::new();
    let mut retries = 0;
    // A call each 100 ms for five minutes, every one refused.
    for _ in 0..3_000 {
        let value = scene.ask().await;
        if scene.cache.reject(&"k", &value) {
            retries += 1;
            let second = scene.ask().await;
            assert!(!scene.cache.reject(&"k", &second), "a new one is not dropped at once");
        }
        scene.pass_micros(100_000);
    }
    assert_eq!((scene.exchanges(), retries), (6, 5));
}

#[tokio::test]
async fn a_later_refusal_is_heeded_again() {
    let scene = Scene::new();
    let first = scene.ask().await;
    assert!(scene.cache.reject(&"k", &first));
    let second = scene.ask().await;
    scene.pass_micros(59_999_999);
    assert!(!scene.cache.reject(&"k", &second));
    assert!(Arc::ptr_eq(&scene.ask().await, &second));
    scene.pass_micros(1);
    assert!(scene.cache.reject(&"k", &second));
    assert_eq!(*scene.ask().await, 3);
    // Nor does a clock that is set back make it longer.
    scene.pass(Duration::from_secs(1));
    scene.pass_micros(-3_600_000_000);
    let third = scene.ask().await;
    assert!(scene.cache.reject(&"k", &third));
}

#[tokio::test]
async fn an_older_value_says_nothing_of_the_newer() {
    let scene = Scene::new();
    let first = scene.ask().await;
    scene.pass(HOUR - MARGIN);
    scene.ask().await;
    let second = scene.ask().await;
    assert!(scene.cache.reject(&"k", &first));
    assert!(Arc::ptr_eq(&scene.ask().await, &second));
    assert_eq!(scene.exchanges(), 2);
}

#[tokio::test]
async fn a_dropped_value_does_not_serve_again() {
    let scene = Scene::new();
    let first = scene.ask().await;
    scene.cache.reject(&"k", &first);
    assert_eq!(scene.fail(refused("invalid_client")).await.unwrap_err().code(), "invalid_client");
    assert_eq!(scene.fail(refused("invalid_client")).await.unwrap_err().code(), "invalid_client");
    assert_eq!(scene.exchanges(), 2);
}

#[tokio::test]
async fn a_dropped_value_is_replaced_though_a_renewal_failed_lately() {
    let scene = Scene::new();
    scene.ask().await;
    scene.pass(HOUR - MARGIN);
    let old = scene.fail(refused("temporarily")).await.unwrap();
    assert!(scene.cache.reject(&"k", &old));
    assert_eq!(*scene.ask().await, 3);
}

#[tokio::test]
async fn what_is_not_kept_can_be_asked_for() {
    let scene = Scene::new();
    let first = scene.ask().await;
    scene.cache.forget(|_| true);
    assert!(scene.cache.reject(&"k", &first));
    assert!(scene.cache.is_empty());
}
