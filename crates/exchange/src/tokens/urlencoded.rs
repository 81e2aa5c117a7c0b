//! Form-encoded answers, which GitHub gave for years and some still give whatever is asked for.

use claviger_catalog::SecretText;
use claviger_outbound::Answer;
use http::header::CONTENT_TYPE;

/// Members of an answer; honest ones have some five.
const MEMBERS_MAX: usize = 64;

/// The same as a JSON object. None, if the answer does not say that it is a form, or is none.
pub(super) fn to_json(answer: &Answer, text: &str) -> Option<SecretText> {
    let kind = answer.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Old ones of Facebook's are plain text.
    let is_form = ["application/x-www-form-urlencoded", "text/plain"].contains(&kind.as_str());
    if !is_form || !text.contains('=') || text.contains(['\n', '<']) {
        return None;
    }
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).take(MEMBERS_MAX + 1).collect();
    if pairs.len() > MEMBERS_MAX {
        return None;
    }
    // Written by hand so that a name that comes twice stays so, and is found.
    let mut json = String::with_capacity(text.len() * 2);
    for (name, value) in &pairs {
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push_str(&serde_json::to_string(name).ok()?);
        json.push(':');
        json.push_str(&serde_json::to_string(value).ok()?);
    }
    json.push('}');
    Some(SecretText::new(json))
}
