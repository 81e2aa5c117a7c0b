//! What bodies say of roles.

use claviger_engine::{NewRole, RolePatch};
use claviger_model::{Name, NameError, Permission, PermissionSet};
use http::StatusCode;
use serde_json::Value;

use crate::Error;
use crate::schema::{Fit, Kind, Member};
use crate::v2::permissions;

/// What a role allows.
const PERMISSIONS: Kind = Kind::Object(&[Member::optional(
    "permissions",
    Kind::Object(&[Member::optional("data", Kind::List(&REFERENCE))]),
)]);

const REFERENCE: Kind = Kind::Object(&[
    Member::required("type", Kind::Literal("permissions")),
    Member::required("id", Kind::Text),
]);

/// A new role.
pub(super) const CREATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("roles")),
        Member::required(
            "attributes",
            Kind::Object(&[
                Member::required("name", Kind::Text),
                Member::optional("default_permissions_opt_out", Kind::Flag),
                Member::optional("receives_permissions_from", Kind::Texts),
            ]),
        ),
        Member::optional("relationships", PERMISSIONS),
    ]),
)]);

pub(super) const UPDATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("roles")),
        Member::required("id", Kind::Text),
        Member::required(
            "attributes",
            Kind::Object(&[
                Member::optional("name", Kind::Text),
                Member::optional("default_permissions_opt_out", Kind::Flag),
                Member::optional("receives_permissions_from", Kind::Texts),
            ]),
        ),
        Member::optional("relationships", PERMISSIONS),
    ]),
)]);

pub(super) const CLONE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("roles")),
        Member::required(
            "attributes",
            Kind::Object(&[
                Member::required("name", Kind::Text),
                Member::optional("receives_permissions_from", Kind::Texts),
            ]),
        ),
    ]),
)]);

/// One permission, for adding it or taking it away.
pub(super) const PERMISSION: Kind = Kind::Object(&[Member::required("data", REFERENCE)]);

/// One user, for giving or taking the role.
pub(super) const USER: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[Member::required("type", Kind::Literal("users")), Member::required("id", Kind::Text)]),
)]);

/// A new role by a body that fits.
pub(super) fn new_role(body: &Value) -> Result<NewRole, Error> {
    let name = role_name(body)?.expect("the schema requires a name");
    Ok(NewRole {
        name,
        permissions: permissions(body)?.unwrap_or(PermissionSet::EMPTY),
        defaults: defaults(body)?,
    })
}

/// The name of a clone by a body that fits.
pub(super) fn cloned_name(body: &Value) -> Result<Name, Error> {
    defaults(body)?;
    Ok(role_name(body)?.expect("the schema requires a name"))
}

/// A change by a body that fits. A list of permissions stands for all of them, with those that every role has unless
/// they are declined; without a list they stay.
pub(super) fn patch(body: &Value) -> Result<RolePatch, Error> {
    let (name, permissions, defaults) = (role_name(body)?, permissions(body)?, defaults(body)?);
    Ok(RolePatch { name, permissions: permissions.map(|permissions| permissions | defaults) })
}

/// The one permission that a body names.
pub(super) fn permission(body: &Value) -> Result<Permission, Error> {
    permissions::permission(Fit::data(body).text("id").unwrap_or_default()).ok_or_else(unknown_permission)
}

fn role_name(body: &Value) -> Result<Option<Name>, Error> {
    let name = Fit::attributes(body).text("name").map(Name::parse).transpose();
    name.map_err(|error| match error {
        NameError::Blank => {
            Error::text(StatusCode::BAD_REQUEST, "Role names cannot be only whitespace").spaced()
        }
        error => Error::invalid(vec![format!("'name' {error}")]),
    })
}

fn permissions(body: &Value) -> Result<Option<PermissionSet>, Error> {
    let Some(ids) = Fit::data(body).related("permissions") else { return Ok(None) };
    let set: Option<PermissionSet> = ids.into_iter().map(permissions::permission).collect();
    set.map(Some).ok_or_else(unknown_permission)
}

/// As recorded, the space included.
fn unknown_permission() -> Error {
    Error::invalid(vec!["Invalid input ".to_owned()])
}

/// The default permissions, unless they are declined. What roles would get from other roles is not known here, and
/// not granted in silence.
fn defaults(body: &Value) -> Result<PermissionSet, Error> {
    let attributes = Fit::attributes(body);
    if attributes.texts("receives_permissions_from").is_some_and(|roles| !roles.is_empty()) {
        let sentence =
            "'receives_permissions_from' must be empty: roles do not receive permissions from others here";
        return Err(Error::invalid(vec![sentence.to_owned()]));
    }
    Ok(match attributes.flag("default_permissions_opt_out") {
        Some(true) => PermissionSet::EMPTY,
        _ => permissions::restricted(),
    })
}
