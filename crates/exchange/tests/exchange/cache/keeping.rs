//! When a token is asked for anew, and how long the old one serves.

use std::time::Duration;

use claviger_catalog::Exchange;

use super::{HOUR, MARGIN, Scene, refused, soon};

#[tokio::test]
async fn a_token_is_kept_until_the_vendors_margin() {
    for exchange in [Exchange::AwsAssumeRole, Exchange::AzureClientCredentials, Exchange::GcpJwtBearer] {
        let scene = Scene::new();
        let margin = Duration::from_secs(exchange.renew_seconds_before().into());
        assert_eq!(*scene.ask_for("k", margin, HOUR).await.unwrap(), 1);
        scene.pass(HOUR - margin);
        scene.pass_micros(-1);
        assert_eq!(*scene.ask_for("k", margin, HOUR).await.unwrap(), 1, "{exchange:?}");
        assert_eq!(scene.exchanges(), 1);
        scene.pass_micros(1);
        // Whoever asks first does not wait.
        assert_eq!(*scene.ask_for("k", margin, HOUR).await.unwrap(), 1, "{exchange:?}");
        assert_eq!(scene.exchanges(), 2);
        assert_eq!(*scene.ask_for("k", margin, HOUR).await.unwrap(), 2, "{exchange:?}");
        scene.pass(HOUR - margin);
        scene.pass_micros(-1);
        assert_eq!(*scene.ask_for("k", margin, HOUR).await.unwrap(), 2, "{exchange:?}");
    }
}

#[tokio::test]
async fn who_asks_late_in_the_margin_waits_for_the_next() {
    for (micros, expected) in [(-1, 1), (0, 2)] {
        let scene = Scene::new();
        scene.ask().await;
        scene.pass(HOUR - MARGIN / 2);
        scene.pass_micros(micros);
        assert_eq!(*scene.ask().await, expected);
        assert_eq!(*scene.ask().await, 2);
        assert_eq!(scene.exchanges(), 2);
    }
}

#[tokio::test]
async fn a_provider_that_hangs_makes_nobody_wait_while_there_is_time() {
    let scene = Scene::new();
    scene.ask().await;
    scene.pass(HOUR - MARGIN);
    let hanging = || async { std::future::pending().await };
    assert_eq!(*soon(scene.cache.get(&"k", MARGIN, hanging)).await.unwrap(), 1);
    assert_eq!(*soon(scene.ask()).await, 1);
    assert_eq!(scene.exchanges(), 1);
}

#[tokio::test]
async fn one_that_lives_shortly_is_kept_for_half_its_life() {
    let scene = Scene::new();
    let lasts = Duration::from_secs(100);
    assert_eq!(*scene.ask_for("k", MARGIN, lasts).await.unwrap(), 1);
    scene.pass_micros(49_999_999);
    assert_eq!(*scene.ask_for("k", MARGIN, lasts).await.unwrap(), 1);
    assert_eq!(scene.exchanges(), 1);
    scene.pass_micros(1);
    scene.ask_for("k", MARGIN, lasts).await.unwrap();
    assert_eq!(*scene.ask_for("k", MARGIN, lasts).await.unwrap(), 2);
}

#[tokio::test]
async fn one_that_has_ended_is_none() {
    let scene = Scene::new();
    let error = scene.ask_for("k", MARGIN, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), "provider_garbage");
    scene.pass(HOUR);
    assert_eq!(*scene.ask().await, 2);
}

#[tokio::test]
async fn the_old_one_serves_where_no_new_one_is_to_be_had() {
    for error in ["temporarily", "invalid_client"] {
        let scene = Scene::new();
        scene.ask().await;
        scene.pass(HOUR - MARGIN);
        assert_eq!(*scene.fail(refused(error)).await.unwrap(), 1);
        assert_eq!(scene.exchanges(), 2);
        // Not tried again for half a minute.
        scene.pass_micros(29_999_999);
        assert_eq!(*scene.fail(refused(error)).await.unwrap(), 1);
        assert_eq!(scene.exchanges(), 2);
        scene.pass_micros(1);
        assert_eq!(*scene.fail(refused(error)).await.unwrap(), 1);
        assert_eq!(scene.exchanges(), 3);
        // Until it ends; nobody is shown it then.
        scene.pass(MARGIN - Duration::from_secs(30));
        scene.pass_micros(-1);
        assert_eq!(*scene.fail(refused(error)).await.unwrap(), 1);
        scene.pass_micros(1);
        assert_eq!(scene.fail(refused(error)).await.unwrap_err().code(), error);
    }
}

#[tokio::test]
async fn a_new_one_is_taken_as_soon_as_it_is_to_be_had() {
    let scene = Scene::new();
    scene.ask().await;
    scene.pass(HOUR - MARGIN);
    scene.fail(refused("temporarily")).await.unwrap();
    scene.pass(Duration::from_secs(30));
    scene.ask().await;
    assert_eq!(*scene.ask().await, 3);
    assert_eq!(*scene.fail(refused("temporarily")).await.unwrap(), 3);
}
