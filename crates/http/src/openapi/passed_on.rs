//! What a description says of an operation whose requests go on to somebody else: what is refused on the way, and that
//! anything at all may come back.

use std::collections::BTreeMap;

use http::{HeaderName, Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{Named, reason};

/// The answers that are of no status that is named.
const OTHERS: &str = "default";

/// What is said of it.
#[derive(Debug, Clone)]
pub struct PassedOn {
    /// Under which its answers are described.
    pub name: &'static str,
    /// What it does, beyond its one line.
    pub description: &'static str,
    /// What stands in its path and in headers.
    pub parameters: Vec<Parameter>,
    /// The header that only refusals have, with their code.
    pub mark: HeaderName,
    /// The header that all answers have, with the request's id.
    pub id: HeaderName,
    /// All refusals.
    pub refusals: Vec<Refused>,
}

/// A parameter that is no query's.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it means.
    pub description: &'static str,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In one segment of the path.
    Segment,
    /// In the rest of the path, slashes and all. The standard has no form for it: `x-spans-segments` says so.
    Rest,
    /// In a header, which may be left out.
    Header,
}

/// One refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Its status.
    pub status: StatusCode,
    /// Its stable code.
    pub code: &'static str,
    /// Its words.
    pub detail: &'static str,
}

impl PassedOn {
    pub(super) fn parameters(&self) -> impl Iterator<Item = Value> {
        self.parameters.iter().map(|Parameter { name, place, description }| {
            let is_header = *place == Place::Header;
            let mut written = json!({
                "name": name,
                "in": if is_header { "header" } else { "path" },
                "required": !is_header,
                "description": description,
                "schema": { "type": "string" },
            });
            if *place == Place::Rest {
                written["x-spans-segments"] = json!(true);
            }
            written
        })
    }

    /// Any body, where the standard gives one a meaning.
    pub(super) fn body(&self, method: &Method) -> Option<Value> {
        let has_meaning = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
        has_meaning
            .then(|| json!({ "description": "Whatever the third party takes", "content": { "*/*": {} } }))
    }

    /// Where its answers are described, by status.
    pub(super) fn references(&self) -> Value {
        let mut statuses: Vec<_> = self.refusals.iter().map(|refused| refused.status.as_str()).collect();
        statuses.push(OTHERS);
        let reference = |status| json!({ "$ref": format!("#/components/responses/{}", self.key(status)) });
        statuses
            .into_iter()
            .map(|status| (status.to_owned(), reference(status)))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Its answers, once for all methods, each under its name.
    pub(super) fn responses(&self, errors: &Named) -> BTreeMap<String, Value> {
        let mut by_status = BTreeMap::<_, Vec<&Refused>>::new();
        for refused in &self.refusals {
            by_status.entry(refused.status).or_default().push(refused);
        }
        let id = json!({ "description": "The id of the request", "schema": { "type": "string", "format": "uuid" } });
        let refusal = |(status, refused): (StatusCode, Vec<&Refused>)| {
            let codes: Vec<_> = refused.iter().map(|it| it.code).collect();
            let lines = refused.iter().map(|it| format!("\n- `{}`: {}", it.code, it.detail));
            let (mark, lines) = (words(&self.mark), lines.collect::<String>());
            let response = json!({
                "description": format!("{}, where `{mark}` says why:{lines}", reason(status)),
                "headers": {
                    mark: { "schema": { "type": "string", "enum": codes } },
                    words(&self.id): id,
                },
                "content": { "application/json": { "schema": errors.reference() }, "*/*": {} },
            });
            (self.key(status.as_str()), response)
        };
        let mut responses: BTreeMap<_, _> = by_status.into_iter().map(refusal).collect();
        let description =
            format!("The third party's own answer, whatever its status: it has no `{}`", words(&self.mark));
        let headers = json!({ words(&self.id): id });
        let others = json!({ "description": description, "headers": headers, "content": { "*/*": {} } });
        responses.insert(self.key(OTHERS), others);
        responses
    }

    fn key(&self, status: &str) -> String {
        format!("{}_{status}", self.name)
    }
}

/// A header's name as people write it.
pub(super) fn words(name: &HeaderName) -> String {
    let capitalised = |word: &str| {
        word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>()
    };
    name.as_str().split('-').map(capitalised).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_gathered_by_status_and_everything_else_is_somebody_elses() {
        let refused = |status, code| Refused { status, code, detail: "Because" };
        let passed_on = PassedOn {
            name: "It",
            description: "",
            parameters: vec![
                Parameter { name: "path", place: Place::Rest, description: "" },
                Parameter { name: "Host", place: Place::Header, description: "" },
            ],
            mark: HeaderName::from_static("claviger-error"),
            id: HeaderName::from_static("claviger-request-id"),
            refusals: vec![
                refused(StatusCode::FORBIDDEN, "a"),
                refused(StatusCode::CONFLICT, "b"),
                refused(StatusCode::FORBIDDEN, "c"),
            ],
        };
        let references = passed_on.references();
        assert_eq!(references.as_object().unwrap().len(), 3);
        assert_eq!(references["403"], json!({ "$ref": "#/components/responses/It_403" }));
        let responses = passed_on.responses(&Named::new("Errors", json!({})));
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["It_403", "It_409", "It_default"]);
        let forbidden = &responses["It_403"];
        assert_eq!(forbidden["headers"]["Claviger-Error"]["schema"]["enum"], json!(["a", "c"]));
        let words = "Forbidden, where `Claviger-Error` says why:\n- `a`: Because\n- `c`: Because";
        assert_eq!(forbidden["description"], words);
        let schema = &forbidden["content"]["application/json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/Errors");
        assert_eq!(responses["It_default"]["headers"].as_object().unwrap().len(), 1);
        assert!(responses["It_default"]["headers"]["Claviger-Request-Id"].is_object());
        let parameters: Vec<_> = passed_on.parameters().collect();
        assert_eq!(
            (&parameters[0]["in"], &parameters[0]["x-spans-segments"]),
            (&json!("path"), &json!(true))
        );
        assert_eq!((&parameters[1]["in"], &parameters[1]["required"]), (&json!("header"), &json!(false)));
        assert!(passed_on.body(&Method::GET).is_none() && passed_on.body(&Method::PUT).is_some());
    }
}
