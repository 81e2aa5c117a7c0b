//! How long errors are remembered.

use std::time::Duration;

use claviger_exchange::ExchangeError;

use super::{Scene, refused};

/// Whether an error is remembered for exactly so long.
async fn remembered(error: fn() -> ExchangeError, lasts: Duration) {
    let scene = Scene::new();
    let first = scene.fail(error()).await.unwrap_err();
    for _ in 0..100 {
        scene.fail(error()).await.unwrap_err();
    }
    assert_eq!(scene.exchanges(), 1, "{first}");
    scene.pass(lasts);
    scene.pass_micros(-1);
    // Even where there would be one by now.
    assert_eq!(scene.ask_for("k", super::MARGIN, super::HOUR).await.unwrap_err().code(), first.code());
    assert_eq!(scene.exchanges(), 1, "{first}");
    scene.pass_micros(1);
    assert_eq!(*scene.ask().await, 2, "{first}");
}

#[tokio::test]
async fn errors_are_remembered_for_seconds() {
    for (error, seconds) in [
        ((|| refused("invalid_client")) as fn() -> ExchangeError, 10),
        (|| refused("invalid_grant"), 10),
        (|| ExchangeError::Unusable("the private key is damaged"), 10),
        (|| refused("AccessDenied"), 2),
        (|| ExchangeError::Failed { status: 503 }, 2),
        (|| ExchangeError::Garbage("is no text"), 2),
        (|| ExchangeError::Limited { retry_after: None }, 2),
        (|| ExchangeError::Limited { retry_after: Some(Duration::ZERO) }, 2),
        (|| ExchangeError::Limited { retry_after: Some(Duration::from_secs(20)) }, 20),
        (|| ExchangeError::Limited { retry_after: Some(Duration::from_secs(86_400)) }, 30),
    ] {
        remembered(error, Duration::from_secs(seconds)).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nobody_wait() {
    let scene = Scene::new();
    scene.fail(refused("invalid_client")).await.unwrap_err();
    scene.pass_micros(-3_600_000_000);
    assert_eq!(*scene.ask().await, 2);
}
