//! HTTP, from the first request to the last.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use claviger_broker::Options as BrokerOptions;
use claviger_egress::Egress;
use claviger_engine::Engine;
use claviger_http::{
    App, Bucket, CONNECTIONS_MAX, Identity, Limits, Rate, ServerOptions, Tls, TrustedProxies, Ways,
};
use claviger_native::Options as NativeOptions;
use claviger_vault::SystemRandom;
use http::header::CONTENT_TYPE;

use crate::app::{self, Application, Outwards};
use crate::certificate::{self, Fingerprint};
use crate::open_files;
use crate::settings::{Calls, RateLimits, Serve};
use crate::signal;

/// Why serving ended before anybody asked for it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The system does not let the program take its signals.
    #[error("the signals to stop cannot be taken")]
    Signals(#[source] io::Error),
    /// The system does not let the runtime have the listener.
    #[error("the listener cannot be used")]
    Listener(#[source] io::Error),
}

/// Where the server is asked.
pub struct Listeners {
    /// For requests.
    pub requests: TcpListener,
    /// For the metrics page, if it is shown.
    pub metrics: Option<TcpListener>,
}

/// The form of the metrics page.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves until told to stop, then drains. The certificate is the one that the settings' files were found to
/// hold; they are followed from then on.
///
/// # Errors
/// When it cannot begin.
pub async fn serve(
    settings: &Serve,
    certificate: Option<(Identity, Fingerprint)>,
    native: &NativeOptions,
    egress: Egress,
    engine: Arc<Engine>,
    listeners: Listeners,
) -> Result<(), ServeError> {
    // From before anybody is told that the server runs, so that whoever stops it then is heard.
    let shutdown = signal::shutdown().map_err(ServeError::Signals)?;
    let limits = limits(settings);
    if settings.is_behind_proxy && settings.trusted_proxies.is_empty() {
        tracing::info!("clients' addresses are not known behind a proxy that no --trusted-proxy names");
    }
    let proxies = TrustedProxies::new(settings.trusted_proxies.iter().copied());
    let tls = match (certificate, &settings.tls) {
        (Some((identity, seen)), Some(files)) => {
            let tls = Tls::new(identity);
            // Without TLS nobody takes SIGHUP, so that a server in a terminal ends with it.
            let wake = signal::reload().map_err(ServeError::Signals)?;
            tokio::spawn(certificate::follow(files.clone(), seen, tls.clone(), certificate::INTERVAL, wake));
            Some(tls)
        }
        _ => None,
    };
    let exchange = claviger_exchange::client(egress.clone(), settings.oauth_policy.clone());
    let Calls { max: calls_max, per_org_max: calls_per_org_max } = settings.calls;
    let broker = BrokerOptions { calls_max, calls_per_org_max, ..BrokerOptions::default() };
    let listening = 1 + usize::from(listeners.metrics.is_some());
    open_files::provide(listening * CONNECTIONS_MAX + broker.links_max());
    let outwards = Outwards { egress, exchange, broker };
    let application =
        Application::assemble(engine, limits, proxies, native, &settings.zendesk, outwards, &SystemRandom);
    let metrics = match listeners.metrics {
        Some(listener) => Some(metrics(listener, application.app.clone()).map_err(ServeError::Listener)?),
        None => None,
    };
    let listener = tokio::net::TcpListener::from_std(listeners.requests).map_err(ServeError::Listener)?;
    let address = listener.local_addr().unwrap_or(settings.listen);
    tracing::info!(%address, tls = tls.is_some(), "listening");
    let options = app::server_options(settings.drain);
    let ways = application.ways();
    let broker = application.broker;
    let all_answered = match tls {
        Some(tls) => claviger_http::serve_tls(listener, tls, ways, options, shutdown).await,
        None => claviger_http::serve(listener, ways, options, shutdown).await,
    };
    if !all_answered {
        let seconds = settings.drain.as_secs();
        tracing::warn!(seconds, "requests still under way were cut off at the deadline");
    }
    drop(application.router);
    broker.stop().await;
    if let Some(metrics) = metrics {
        metrics.abort();
        let _ = metrics.await;
    }
    Ok(())
}

fn limits(settings: &Serve) -> Limits {
    let limits = match settings.limits {
        RateLimits::None => Limits::none(),
        RateLimits::Vendor => Limits::vendor(),
    };
    let by_minute = [
        (Bucket::ZIS, settings.zis_requests_per_minute),
        (Bucket::BROKER, settings.broker_requests_per_minute),
    ];
    by_minute.into_iter().fold(limits, |limits, (bucket, limit)| match limit {
        None => limits,
        Some(limit) => limits.with(bucket, Rate { limit, period_seconds: 60 }),
    })
}

/// Shows the metrics page on a listener of its own, so that nobody outside can be given it by mistake.
fn metrics(listener: TcpListener, app: App) -> io::Result<tokio::task::JoinHandle<()>> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tracing::info!(address = %listener.local_addr()?, "showing metrics");
    let page = move || {
        let page = app.metrics().page(app.engine());
        async move { ([(CONTENT_TYPE, METRICS_TYPE)], page) }
    };
    let router = Router::new().route("/metrics", get(page));
    Ok(tokio::spawn(async move {
        let options = ServerOptions::default();
        claviger_http::serve(listener, Ways::routed(router), options, std::future::pending()).await;
    }))
}
