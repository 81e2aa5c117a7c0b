//! What every dialect shares: the server, routes as data, bodies, limits, request ids and metrics.
//!
//! Requests take one of three ways. Those that verify a credential are answered by the [`Front`], straight from the
//! engine's memory, without router, middleware or log line: those would cost more than the work. Those that are passed
//! on to somebody else go through the [`Door`], for the same reason. Everything else goes through the router that
//! [`router`] builds from the dialects' [`Route`]s. How errors look is each
//! dialect's matter; this crate only says what is wrong.

mod address_limits;
mod body;
mod credentials;
mod door;
mod dry_run;
mod forwarded;
mod front;
mod guarded;
mod leftover;
mod limits;
mod metrics;
mod misfit;
pub mod openapi;
mod refusals;
mod request_id;
mod route;
mod secret;
mod server;
mod session;
mod state;
mod tls;
mod whence;

pub use address_limits::AddressLimits;
pub use body::{
    BATCH_BYTES_MAX, BODY_BYTES_MAX, Batch, BodyError, CONNECTION_BYTES_MAX, Json, JsonObject, LargeJson,
};
pub use credentials::{note_refusal, origin, presented, whence};
pub use door::{Door, Opening};
pub use dry_run::{DRY_RUN, DryRunError, is_dry_run};
pub use front::Front;
pub use leftover::{awaits_asking, discard};
pub use limits::{Bucket, Limits, Rate, Standing, take_share, take_share_of};
pub use metrics::{Metrics, RefusalLabels};
pub use misfit::{Misfit, plain_misfit};
pub use refusals::RefusalLog;
pub use request_id::{OWN_REQUEST_ID, REQUEST_ID, RequestIds, request_id_header};
pub use route::{AFTER, POSITION, Route, RouteInfo, Who, positioned, router};
pub use secret::SecretText;
pub use server::{CONNECTIONS_MAX, Peer, ServerOptions, Ways, serve, serve_tls};
pub use session::{CSRF_TOKEN, SessionCookie, csrf_token, is_own, proof, session};
pub use state::App;
pub use tls::{Identity, IdentityError, Tls};
pub use whence::{TrustedProxies, Whence};
