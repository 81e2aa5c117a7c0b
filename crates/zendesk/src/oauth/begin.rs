//! `…/connections/oauth/start/{integration}`: an OAuth connection is begun (reference: "OAuth Connections").
//!
//! What is answered is where to go: for an authorization code to the authorization server, by a browser; for client
//! credentials to [`access_codes`](super::connections), by whoever asks.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use axum::{Extension, Json};
use claviger_catalog::SecretText;
use claviger_engine::rights::ConnectionsWrite;
use claviger_engine::{Error as EngineError, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_oauth::{Begun, FlowError, OAuth};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::Clear;
use super::{body, connections, info};
use crate::bound::Bound;
use crate::connections::body::object;
use crate::describe::of_oauth;
use crate::error::{Service, Told};
use crate::tenant::{Options, host_of};

const START: &str = "/api/services/zis/connections/oauth/start/{integration}";

pub(super) fn routes() -> Vec<Route> {
    const FAILS: &[StatusCode] =
        &[StatusCode::CONFLICT, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::NOT_IMPLEMENTED];
    vec![
        Route::new(info(Method::POST, START, "Begin an OAuth connection"), start).described(
            of_oauth("StartZisOAuthConnection")
                .body(Named::new("ZisOAuthStart", body::start_schema()))
                .answers(StatusCode::OK, Named::of::<Whither>("ZisOAuthStarted"))
                .fails(FAILS),
        ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Whither {
    redirect_url: Clear,
}

/// The origin by which the org of a request is reached, where the operator has named one.
struct OwnOrigin(Option<String>);

impl FromRequestParts<App> for OwnOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let options = parts.extensions.get::<Options>();
        Ok(Self(options.and_then(|options| options.origin_for(host_of(parts)))))
    }
}

async fn start(
    State(app): State<App>,
    Extension(oauth): Extension<OAuth>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    OwnOrigin(own): OwnOrigin,
    headers: HeaderMap,
    body: Result<Body, BodyError>,
) -> Result<Response, Told<Service>> {
    let start = body::start(object(&headers, body)?)?;
    let own = own.ok_or(FlowError::NotSetUp)?;
    // What is no id is nobody's.
    let id = start.client_uuid.as_deref().map(str::parse).transpose();
    let id = id.map_err(|_| EngineError::Absent(Thing::ZisOAuthClient))?;
    let name = start.client_name.as_deref();
    let client = app.engine().choose_zis_oauth_client(&permit, &integration, id, name).await?;
    let begun = oauth.begin(&permit, &client, start.beginning).await?;
    let redirect_url = match begun.value {
        Begun::Browser(url) => SecretText::new(url),
        Begun::Code(code) => {
            let path = connections::ACCESS_CODES.replace("{integration}", &integration);
            SecretText::new(format!("{own}{path}?verification_code={}", code.reveal()))
        }
    };
    Ok(positioned(begun.position, Json(Whither { redirect_url: redirect_url.into() })))
}
