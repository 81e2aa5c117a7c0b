//! Restriction policies as they are given.

use claviger_engine::RESTRICTION_PRINCIPALS_MAX;
use claviger_model::{Principal, Relation, Restriction, excerpt};
use serde_json::Value;

use crate::Error;
use crate::schema::{Fit, Kind, Member};

/// The relations that connections know.
const RELATIONS: &[&str] = &["viewer", "resolver", "editor"];

/// A whole policy: what it does not name is not given.
pub(super) const UPDATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("restriction_policy")),
        Member::required("id", Kind::Text),
        Member::required("attributes", Kind::Object(&[Member::required("bindings", Kind::List(&BINDING))])),
    ]),
)]);

const BINDING: Kind = Kind::Object(&[
    Member::required("relation", Kind::OneOf(RELATIONS)),
    Member::required("principals", Kind::Texts),
]);

/// What a body that fits says, else every fault of it.
pub(super) fn restriction(body: &Value, resource: &str) -> Result<Restriction, Error> {
    let mut faults = Vec::new();
    if Fit::data(body).text("id").is_none_or(|id| !id.eq_ignore_ascii_case(resource)) {
        faults.push("The id in the request body does not match the resource id in the URL".to_owned());
    }
    let bindings = || body["data"]["attributes"]["bindings"].as_array().into_iter().flatten();
    let count: usize = bindings().filter_map(|binding| binding["principals"].as_array()).map(Vec::len).sum();
    if count > RESTRICTION_PRINCIPALS_MAX {
        // Not looked at one by one: the answer would be longer than the question.
        faults.push(format!("'bindings' must name at most {RESTRICTION_PRINCIPALS_MAX} principals in all"));
        return Err(Error::invalid(faults));
    }
    let mut given = Vec::new();
    for binding in bindings() {
        let relation: Option<Relation> = binding["relation"].as_str().and_then(|name| name.parse().ok());
        let Some(relation) = relation else { continue };
        let principals: Vec<_> =
            binding["principals"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if principals.is_empty() {
            // Taken as given to nobody, it could leave a policy without a binding, which restricts nobody.
            faults.push(format!("The '{relation}' binding has no principals"));
        }
        for text in principals {
            match principal(text) {
                Ok(principal) => given.push((relation, principal)),
                Err(fault) => faults.push(fault),
            }
        }
    }
    match faults.is_empty() {
        true => Ok(given.into_iter().collect()),
        false => Err(Error::invalid(faults)),
    }
}

fn principal(text: &str) -> Result<Principal, String> {
    let shown = excerpt(text);
    match text.split_once(':') {
        Some(("role" | "user" | "org", _)) => text
            .parse()
            .map_err(|_| format!("Invalid principal: the id of '{shown}' is not in a valid format")),
        Some(("team", _)) => Err(format!(
            "Invalid principal: '{shown}' is a team, and there are none; use 'role', 'user' or 'org'"
        )),
        _ => Err(format!("Invalid principal: '{shown}' is not 'role:', 'user:' or 'org:' and an id")),
    }
}

#[cfg(test)]
mod tests {
    use super::RELATIONS;
    use claviger_model::Relation;

    #[test]
    fn the_relations_are_the_models() {
        assert_eq!(Relation::ALL.map(Relation::as_str), RELATIONS);
    }
}
