//! `/claviger/v1/actions/http`: one call through a connection, asked for and answered in JSON.

use std::sync::Arc;

use axum::Extension;
use axum::body::HttpBody as _;
use axum::extract::{FromRequest as _, Request};
use axum::response::Response;
use claviger_broker::{Action, Broker, ERROR, no_page_of_ours};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{Batch, BodyError, Bucket, Route, RouteInfo, Who};
use claviger_model::Permission;
use http::{Method, StatusCode};

use super::answered::Answered;
use super::asked::Asked;
use super::refused::Refused;
use super::schema::schema;
use super::user::User;
use crate::{Error, error};

const PATH: &str = "/claviger/v1/actions/http";
const RESOLVE: &[Permission] = &[Permission::CONNECTIONS_RESOLVE];

pub(super) fn route(broker: &Arc<Broker>) -> Route {
    let info = RouteInfo {
        method: Method::POST,
        path: PATH,
        who: Who::User(RESOLVE),
        bucket: Bucket::BROKER,
        summary: "Make a call through a connection",
    };
    let operation = Operation::new("RunHttpAction", "Claviger: connections", error::described())
        .takes_bearer()
        .changes_nothing()
        .marks_errors(ERROR)
        .body(Named::new("HttpAction", schema()))
        .answers(StatusCode::OK, Named::new("HttpActionAnswer", Answered::schema()))
        .fails(&[
            StatusCode::NOT_FOUND,
            StatusCode::CONFLICT,
            StatusCode::NOT_IMPLEMENTED,
            StatusCode::BAD_GATEWAY,
            StatusCode::GATEWAY_TIMEOUT,
        ]);
    Route::new(info, run).described(operation).with(broker.clone())
}

async fn run(
    Extension(broker): Extension<Arc<Broker>>,
    User { permit, proof }: User,
    request: Request,
) -> Result<Response, Refused> {
    let longest = request.body().size_hint().upper();
    let mut held = broker.hold(permit.caller().org(), longest).map_err(Error::from)?;
    let asked = {
        let body: Result<Batch, BodyError> = Batch::from_request(request, &()).await;
        Asked::read(&body?.0, permit.caller().integration())?
    };
    if let Some(held) = &mut held {
        held.keep(asked.body.len());
    }
    let action = Action {
        connection: asked.connection.key(),
        method: asked.method,
        place: asked.place,
        headers: asked.headers,
        body: asked.body,
        held,
        retries: asked.retries,
    };
    let acted = broker.act(&permit, proof, action).await.map_err(Error::from)?;
    let mut response = Answered::from(acted).written()?;
    // As at the door: what third parties say is not to be taken for a page of ours.
    no_page_of_ours(response.headers_mut());
    Ok(response)
}
