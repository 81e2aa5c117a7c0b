//! What bodies say of a user, be it a person or a service account.

use claviger_engine::NewUser;
use claviger_model::{Email, Name, RoleId};
use serde_json::Value;

use crate::Error;
use crate::schema::{Fit, Kind, Member};

/// The roles that a new user shall have.
pub(crate) const ROLES: Kind = Kind::Object(&[Member::optional(
    "roles",
    Kind::Object(&[Member::required("data", Kind::List(&REFERENCE_TO_ROLE))]),
)]);

const REFERENCE_TO_ROLE: Kind =
    Kind::Object(&[Member::required("type", Kind::Literal("roles")), Member::required("id", Kind::Text)]);

/// A new user by a body whose shape fits; every bad value is named.
pub(crate) fn new_user(body: &Value) -> Result<NewUser, Error> {
    let (attributes, mut faults) = (Fit::attributes(body), Vec::new());
    let email = email(&attributes, &mut faults);
    let name = text(&attributes, "name", &mut faults).flatten();
    let title = text(&attributes, "title", &mut faults).flatten();
    let roles = role_ids(body, &mut faults);
    match email {
        Some(email) if faults.is_empty() => Ok(NewUser { email, name, title, roles }),
        _ => Err(Error::invalid(faults)),
    }
}

/// The address, if one is given.
pub(super) fn email(attributes: &Fit<'_>, faults: &mut Vec<String>) -> Option<Email> {
    let email = attributes.text("email").map(Email::parse)?;
    email.map_err(|error| faults.push(format!("'email' {error}"))).ok()
}

/// A name or a title: absent, or null, or the text. An empty one counts as none, as forms send it.
pub(super) fn text(attributes: &Fit<'_>, member: &str, faults: &mut Vec<String>) -> Option<Option<Name>> {
    match attributes.nullable_text(member)? {
        None | Some("") => Some(None),
        Some(text) => match Name::parse(text) {
            Ok(name) => Some(Some(name)),
            Err(error) => {
                faults.push(format!("'{member}' {error}"));
                None
            }
        },
    }
}

fn role_ids(body: &Value, faults: &mut Vec<String>) -> Vec<RoleId> {
    let ids = Fit::data(body).related("roles").unwrap_or_default();
    let parsed: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    if parsed.len() != ids.len() {
        faults.push("'roles' must be roles of this org".to_owned());
    }
    parsed
}
