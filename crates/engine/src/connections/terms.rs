//! The terms of a connection as people write them: JSON, in bodies, answers, imports and exports.

use std::collections::BTreeSet;
use std::fmt::Display;

use claviger_model::{
    CHECK_SECONDS, CONCURRENCY_MAX, CallRule, RETRIES_MAX, RULE_PATH_BYTES_MAX, RuleMethod, RulePath,
    TERMS_RULES_MAX, TIMEOUT_SECONDS, Terms,
};
use serde_json::{Map, Value as Json, json};

use crate::FieldError;

/// Reads terms; a member that is not there is as usual.
///
/// # Errors
/// Every fault, each with its place: `terms/rules/0/path`.
pub fn read_terms(value: &Json) -> Result<Terms, Vec<FieldError>> {
    let mut reading = Reading { faults: Vec::new() };
    let mut terms = Terms::default();
    for (name, value) in reading.members("terms", value) {
        let at = format!("terms/{name}");
        match name.as_str() {
            "rules" => terms.rules = reading.rules(&at, value),
            "audit" => terms.audit = reading.text(&at, value).unwrap_or_default(),
            "retries" => {
                terms.retries = reading.number(&at, value, 0, RETRIES_MAX.into()).unwrap_or_default();
            }
            "concurrency" => {
                terms.concurrency = reading.number_or_null(&at, value, 1, CONCURRENCY_MAX.into());
            }
            "timeout_seconds" => {
                let (least, most) = (*TIMEOUT_SECONDS.start(), *TIMEOUT_SECONDS.end());
                terms.timeout_seconds = reading.number_or_null(&at, value, least.into(), most.into());
            }
            "check_every_seconds" => {
                let (least, most) = (*CHECK_SECONDS.start(), *CHECK_SECONDS.end());
                terms.check_seconds = reading.number_or_null(&at, value, least, most);
            }
            _ => reading.fault(&at, "is not known here"),
        }
    }
    match reading.faults.is_empty() {
        true => Ok(terms),
        false => Err(reading.faults),
    }
}

/// Terms as answers and exports show them.
pub fn shown_terms(terms: &Terms) -> Json {
    let methods = |rule: &CallRule| rule.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>();
    let rule = |rule: &CallRule| {
        let host = rule.host.as_ref().map(ToString::to_string);
        json!({ "methods": methods(rule), "host": host, "path": rule.path.as_str() })
    };
    json!({
        "rules": terms.rules.iter().map(rule).collect::<Vec<_>>(),
        "audit": terms.audit.as_str(),
        "retries": terms.retries,
        "concurrency": terms.concurrency,
        "timeout_seconds": terms.timeout_seconds,
        "check_every_seconds": terms.check_seconds,
    })
}

/// What [`read_terms`] takes.
pub fn terms_schema() -> Json {
    json!({
        "type": "object",
        "description": "On what terms the connection is used; what is left out is as usual",
        "properties": {
            "rules": {
                "type": "array",
                "maxItems": TERMS_RULES_MAX,
                "description": "What may be asked of the third party: one of them must hold. None, and everything may",
                "items": {
                    "type": "object",
                    "properties": {
                        "methods": {
                            "type": "array",
                            "items": { "enum": RuleMethod::ALL.map(RuleMethod::as_str) },
                            "description": "None for any; GET is HEAD too",
                        },
                        "host": { "type": ["string", "null"], "description": "None for each that is allowed" },
                        "path": {
                            "type": "string",
                            "maxLength": RULE_PATH_BYTES_MAX,
                            "description": "This path, as the third party sees it, and what is below it",
                        },
                    },
                    "required": ["path"],
                    "additionalProperties": false,
                },
            },
            "audit": {
                "enum": ["batched", "strict"],
                "default": "batched",
                "description": "Whether each call is written down before it is made",
            },
            "retries": { "type": "integer", "minimum": 0, "maximum": RETRIES_MAX, "default": 0 },
            "concurrency": { "type": ["integer", "null"], "minimum": 1, "maximum": CONCURRENCY_MAX },
            "timeout_seconds": {
                "type": ["integer", "null"],
                "minimum": TIMEOUT_SECONDS.start(),
                "maximum": TIMEOUT_SECONDS.end(),
                "description": "How long the third party may take to begin its answer; null for a minute",
            },
            "check_every_seconds": {
                "type": ["integer", "null"],
                "minimum": CHECK_SECONDS.start(),
                "maximum": CHECK_SECONDS.end(),
                "description": "How often the server tests the connection by itself; null for never",
            },
        },
        "additionalProperties": false,
    })
}

/// Reads, and notes what is wrong.
struct Reading {
    faults: Vec<FieldError>,
}

impl Reading {
    fn fault(&mut self, at: &str, reason: impl Display) {
        self.faults.push(FieldError { field: at.to_owned(), reason: reason.to_string() });
    }

    fn members<'v>(
        &mut self,
        at: &str,
        value: &'v Json,
    ) -> impl Iterator<Item = (&'v String, &'v Json)> + use<'v> {
        let members = value.as_object();
        if members.is_none() {
            self.fault(at, "must be an object");
        }
        members.into_iter().flat_map(Map::iter)
    }

    fn list<'v>(&mut self, at: &str, value: &'v Json, most: usize) -> &'v [Json] {
        match value.as_array() {
            Some(items) if items.len() <= most => items,
            Some(_) => {
                self.fault(at, format!("must have at most {most} items"));
                &[]
            }
            None => {
                self.fault(at, "must be a list");
                &[]
            }
        }
    }

    fn text<T: std::str::FromStr<Err: Display>>(&mut self, at: &str, value: &Json) -> Option<T> {
        let read = value.as_str().ok_or_else(|| "must be a string".to_owned());
        let read = read.and_then(|text| text.parse().map_err(|error: T::Err| error.to_string()));
        read.map_err(|reason| self.fault(at, reason)).ok()
    }

    fn number<T: TryFrom<u32>>(&mut self, at: &str, value: &Json, least: u32, most: u32) -> Option<T> {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let number =
            number.filter(|number| (least..=most).contains(number)).and_then(|it| it.try_into().ok());
        if number.is_none() {
            self.fault(at, format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    fn number_or_null<T: TryFrom<u32>>(
        &mut self,
        at: &str,
        value: &Json,
        least: u32,
        most: u32,
    ) -> Option<T> {
        if value.is_null() { None } else { self.number(at, value, least, most) }
    }

    fn rules(&mut self, at: &str, value: &Json) -> Vec<CallRule> {
        let items = self.list(at, value, TERMS_RULES_MAX).iter().enumerate();
        items.filter_map(|(place, item)| self.rule(&format!("{at}/{place}"), item)).collect()
    }

    fn rule(&mut self, at: &str, value: &Json) -> Option<CallRule> {
        let (mut methods, mut host, mut path) = (BTreeSet::new(), None, None);
        let (mut has_path, before) = (false, self.faults.len());
        for (name, value) in self.members(at, value) {
            let at = format!("{at}/{name}");
            match name.as_str() {
                "methods" => {
                    for (place, item) in self.list(&at, value, RuleMethod::ALL.len()).iter().enumerate() {
                        methods.extend(self.text::<RuleMethod>(&format!("{at}/{place}"), item));
                    }
                }
                "host" if value.is_null() => {}
                "host" => host = self.text(&at, value),
                "path" => (has_path, path) = (true, self.text::<RulePath>(&at, value)),
                _ => self.fault(&at, "is not known here"),
            }
        }
        if !has_path && self.faults.len() == before {
            self.fault(&format!("{at}/path"), "must be there");
        }
        (self.faults.len() == before)
            .then(|| path.map(|path| CallRule { methods: methods.into_iter().collect(), host, path }))?
    }
}
