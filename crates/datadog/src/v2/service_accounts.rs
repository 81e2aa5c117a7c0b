//! `/api/v2/service_accounts` (reference: "Service Accounts"). What is read, changed and disabled of a service
//! account is so through `/api/v2/users`.

pub(crate) mod access_tokens;
pub(crate) mod application_keys;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use claviger_engine::rights::ServiceAccounts;
use claviger_engine::{Error as EngineError, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{Permission, UserId};
use http::{Method, StatusCode};

use super::fitting;
use super::users::{ROLES, new_user, one_user, shown};
use crate::Error;
use crate::describe::of_people;
use crate::permitted::Permitted;
use crate::schema::{Fit, Kind, Member};

/// What all that is done to service accounts needs.
const WRITE: &[Permission] = &[Permission::SERVICE_ACCOUNT_WRITE];

pub(crate) fn routes() -> Vec<Route> {
    let info = RouteInfo {
        method: Method::POST,
        path: "/api/v2/service_accounts",
        who: Who::User(WRITE),
        bucket: Bucket::PEOPLE,
        summary: "Create a service account",
    };
    let operation = of_people("CreateServiceAccount")
        .body(Named::new("CreateServiceAccount", CREATE.json_schema()))
        .answers(StatusCode::CREATED, one_user());
    vec![Route::new(info, create).described(operation)]
}

const CREATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("users")),
        Member::required(
            "attributes",
            Kind::Object(&[
                Member::required("email", Kind::Text),
                Member::required("service_account", Kind::Flag),
                Member::nullable("name", Kind::Text),
                Member::nullable("title", Kind::Text),
            ]),
        ),
        Member::optional("relationships", ROLES),
    ]),
)]);

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = fitting(body, CREATE)?;
    let new = new_user(&body);
    if Fit::attributes(&body).flag("service_account") != Some(true) {
        return Err(and_fault(new.err(), "'service_account' must be true"));
    }
    let made = app.engine().create_service_account(&permit, new?).await?;
    let answer = shown(app.engine(), &made.value).await?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(answer))))
}

/// One more fault beside those that were found.
fn and_fault(error: Option<Error>, fault: &str) -> Error {
    let mut faults = match error {
        Some(Error::Texts(_, texts)) => texts,
        _ => Vec::new(),
    };
    faults.push(fault.to_owned());
    Error::invalid(faults)
}

/// The account in a path; a malformed id is nobody's.
fn parse_account(text: &str) -> Result<UserId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::ServiceAccount))
}
