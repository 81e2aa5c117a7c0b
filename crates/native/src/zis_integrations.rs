//! `/claviger/v1/zis_integrations`: to delete a ZIS integration, for which the vendor's API has no request.

use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::ZisRegistry;
use claviger_engine::{Error as EngineError, Thing};
use claviger_http::openapi::Operation;
use claviger_http::{App, Bucket, Route, RouteInfo, Who, positioned};
use claviger_model::{Permission, ZisName};
use http::{Method, StatusCode};

use crate::permitted::Permitted;
use crate::{Error, error};

pub(crate) fn routes() -> Vec<Route> {
    let info = RouteInfo {
        method: Method::DELETE,
        path: "/claviger/v1/zis_integrations/{integration}",
        who: Who::User(&[Permission::ORG_MANAGEMENT]),
        bucket: Bucket::NATIVE,
        summary: "Delete a ZIS integration that has no connections, and kill its tokens",
    };
    let operation = Operation::new("DeleteZisIntegration", "Claviger: ZIS integrations", error::described());
    vec![
        Route::new(info, delete)
            .described(operation.takes_bearer().answers_nothing().fails(&[StatusCode::CONFLICT])),
    ]
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ZisRegistry>,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let name = ZisName::parse(&name).map_err(|_| EngineError::Absent(Thing::ZisIntegration))?;
    let deleted = app.engine().delete_zis_integration(&permit, &name).await?;
    Ok(positioned(deleted.position, StatusCode::NO_CONTENT))
}
