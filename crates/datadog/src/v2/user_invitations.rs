//! `/api/v2/user_invitations` (reference: "Users"). No mail is sent: an invitation only stands in the record.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::PeopleInvite;
use claviger_engine::{Error as EngineError, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{Invitation, Permission, UserId, excerpt};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::fitting;
use crate::describe::of_people;
use crate::permitted::Permitted;
use crate::schema::{Kind, Member};
use crate::wire::{One, Reference, Relation, user};
use crate::{Error, times};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, summary| RouteInfo {
        method,
        path,
        who: Who::User(&[Permission::USER_ACCESS_INVITE, Permission::USER_ACCESS_MANAGE]),
        bucket: Bucket::PEOPLE,
        summary,
    };
    let (all, one) = ("/api/v2/user_invitations", "/api/v2/user_invitations/{user_invitation_uuid}");
    vec![
        Route::new(info(Method::POST, all, "Send invitation emails"), send).described(
            of_people("SendInvitations")
                .body(Named::new("SendInvitations", SEND.json_schema()))
                .answers(StatusCode::CREATED, Named::of::<Invitations>("UserInvitations"))
                .fails(&[StatusCode::NOT_FOUND]),
        ),
        Route::new(info(Method::GET, one, "Get a user invitation"), get).described(
            of_people("GetInvitation")
                .answers(StatusCode::OK, Named::of::<One<InvitationObject>>("UserInvitation")),
        ),
    ]
}

/// The most invitations in one body.
const INVITATIONS_MAX: usize = 100;

const SEND: Kind = Kind::Object(&[Member::required("data", Kind::List(&INVITATION))]);

const INVITATION: Kind = Kind::Object(&[
    Member::required("type", Kind::Literal("user_invitations")),
    Member::required(
        "relationships",
        Kind::Object(&[Member::required("user", Kind::Object(&[Member::required("data", USER)]))]),
    ),
]);

const USER: Kind =
    Kind::Object(&[Member::required("type", Kind::Literal("users")), Member::required("id", Kind::Text)]);

#[derive(Serialize, JsonSchema)]
struct Invitations {
    data: Vec<InvitationObject>,
}

#[derive(Serialize, JsonSchema)]
struct InvitationObject {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    attributes: Attributes,
    relationships: Relationships,
}

#[derive(Serialize, JsonSchema)]
struct Attributes {
    uuid: String,
    login_method: Option<String>,
    invite_type: &'static str,
    created_at: String,
    expires_at: String,
}

#[derive(Serialize, JsonSchema)]
struct Relationships {
    user: Relation<Reference>,
}

async fn send(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleInvite>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let users = invited(&fitting(body, SEND)?)?;
    let sent = app.engine().invite(&permit, &users).await.map_err(|error| match error {
        EngineError::Absent(_) => Error::text(StatusCode::NOT_FOUND, "user not found"),
        other => other.into(),
    })?;
    let answer = Invitations { data: sent.value.iter().map(wire).collect() };
    Ok(positioned(sent.position, (StatusCode::CREATED, Json(answer))))
}

/// The users that a body names.
fn invited(body: &Value) -> Result<Vec<UserId>, Error> {
    let items = body["data"].as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() || items.len() > INVITATIONS_MAX {
        return Err(Error::invalid(vec![format!("'data' must have 1 to {INVITATIONS_MAX} invitations")]));
    }
    let (mut users, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        let id = item["relationships"]["user"]["data"]["id"].as_str().unwrap_or_default();
        match id.parse() {
            Ok(id) => users.push(id),
            Err(_) => faults.push(format!("'{}' is not a user's id", excerpt(id))),
        }
    }
    if faults.is_empty() { Ok(users) } else { Err(Error::invalid(faults)) }
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleInvite>,
    Path(id): Path<String>,
) -> Result<Json<One<InvitationObject>>, Error> {
    let absent = |_| EngineError::Absent(Thing::Invitation);
    let found = app.engine().find_invitation(&permit, id.parse().map_err(absent)?).await?;
    Ok(Json(One { data: wire(&found), included: None }))
}

fn wire(invitation: &Invitation) -> InvitationObject {
    let id = invitation.id.to_string();
    InvitationObject {
        kind: "user_invitations",
        attributes: Attributes {
            uuid: id.clone(),
            login_method: None,
            invite_type: "basic_invite",
            created_at: times::v2(invitation.created_at),
            expires_at: times::v2(invitation.expires_at),
        },
        id,
        relationships: Relationships { user: user(invitation.user) },
    }
}
