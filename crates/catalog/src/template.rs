//! `{{ token }}` in the texts of HTTP connections: in values of headers and URL parameters, and in the body's content.
//!
//! Only a connection's own texts are read so, never the caller's. The vendor's runner renders a name that it does not
//! know as nothing; here such a text is refused when the connection is made or changed.

use std::collections::BTreeSet;

use claviger_model::excerpt;
use thiserror::Error;

use crate::fault::{Faults, Warning};
use crate::request::Given;
use crate::settings::{Setting, Settings};

/// The lists and the body of a connection that fills templates in.
pub(crate) const TOKENS: &str = "tokens";
pub(crate) const HEADERS: &str = "headers";
pub(crate) const URL_PARAMETERS: &str = "url_parameters";
pub(crate) const BODY: &str = "body";
const BASE_URL: &str = "base_url";

/// Headers that say where a request goes and how long it is: the connection's host decides the first, the sender the
/// second.
const NO_HEADERS: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text as it is.
    Literal(&'t str),
    /// The value of the token of this name.
    Token(&'t str),
}

/// What is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("has a '{{{{' without a '}}}}'")]
    Open,
    /// Between them is something else than a letter, then letters and digits.
    #[error("has something between '{{{{' and '}}}}' that is no token's name")]
    Name,
}

/// Takes a text apart. Blanks around a name do not matter.
///
/// # Errors
///
/// When something between `{{` and `}}` is no name, or the end is missing.
pub fn parse(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, from)) = rest.split_once("{{") {
        let (name, after) = from.split_once("}}").ok_or(TemplateError::Open)?;
        let name = name.trim_matches([' ', '\t']);
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric());
        if !named {
            return Err(TemplateError::Name);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.push(Piece::Token(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

/// The names of the tokens in a text.
pub(crate) fn names_in(text: &str) -> Result<BTreeSet<&str>, TemplateError> {
    let name = |piece| match piece {
        Piece::Token(name) => Some(name),
        Piece::Literal(_) => None,
    };
    Ok(parse(text)?.into_iter().filter_map(name).collect())
}

/// Checks what a body brought against all that the connection would hold.
pub(crate) fn check(merged: &Settings, given: &Given, faults: &mut Faults, warnings: &mut Vec<Warning>) {
    let tokens: BTreeSet<&str> = merged.list(TOKENS).iter().map(|token| token.name.as_str()).collect();
    for list in [HEADERS, URL_PARAMETERS] {
        for item in merged.list(list) {
            // An item that is named without a value keeps its text, of which the change says nothing.
            let at =
                given.item(list, &item.name).filter(|given| given.value.is_some()).map(|given| &*given.at);
            let text = item.value.as_deref().unwrap_or_default();
            check_text(text, at.map(|at| format!("{at}/value")), list, &tokens, given, faults);
            if list == HEADERS
                && let Some(at) = at
            {
                check_header(&item.name, text, at, faults, warnings);
            }
        }
    }
    if !tokens.is_empty() && merged.text(BASE_URL).is_some_and(|url| url.starts_with("http://")) {
        warnings.extend(in_clear(given));
    }
    if let Some(Setting::Body(body)) = merged.field(BODY)
        && let Some(content) = &body.content
    {
        let at = given.has(BODY).then(|| "/credentials/body/content".to_owned());
        check_text(content, at, BODY, &tokens, given, faults);
    }
}

/// Tokens would be readable on their way: told to whoever brings the URL or a token.
fn in_clear(given: &Given) -> Option<Warning> {
    let brings_tokens =
        || given.lists.get(TOKENS).is_some_and(|items| items.iter().any(|item| !item.deleted));
    let (pointer, reason) = if given.texts.contains_key(BASE_URL) {
        ("/base_url", "is not encrypted: whoever is on the way can read the tokens")
    } else if brings_tokens() {
        ("/credentials/tokens", "go to a URL without encryption: whoever is on the way can read them")
    } else {
        return None;
    };
    Some(Warning { pointer: pointer.to_owned(), reason: reason.to_owned() })
}

/// `at` is where the text was given; else it is kept from before, and only a token that went away can be wrong with it.
fn check_text(
    text: &str,
    at: Option<String>,
    list: &str,
    tokens: &BTreeSet<&str>,
    given: &Given,
    faults: &mut Faults,
) {
    let used = match names_in(text) {
        Ok(used) => used,
        Err(error) => {
            return faults.push(at.unwrap_or_else(|| format!("/credentials/{list}")), error.to_string());
        }
    };
    for name in used.difference(tokens) {
        // Whoever takes the braces for a place to put a secret into is not told the secret.
        let told = excerpt(name);
        match (&at, given.item(TOKENS, name)) {
            (Some(at), _) => faults.push(at, format!("names the token {told}, which there is not")),
            (None, Some(gone)) => faults.push(&gone.at, format!("cannot be deleted: {list} still names it")),
            (None, None) => {
                faults.push(format!("/credentials/{list}"), format!("names {told}, which there is not"))
            }
        }
    }
}

fn check_header(name: &str, text: &str, at: &str, faults: &mut Faults, warnings: &mut Vec<Warning>) {
    let lower = name.to_ascii_lowercase();
    if NO_HEADERS.contains(&lower.as_str()) || lower.starts_with("x-forwarded-") {
        faults.push(format!("{at}/name"), "is a header that a connection may not set");
    }
    let telling =
        ["authorization", "cookie", "key", "secret", "token"].iter().any(|word| lower.contains(word));
    if telling && !text.contains("{{") {
        let reason =
            "looks like a secret and will be shown to whoever may view the connection: name a token instead";
        warnings.push(Warning { pointer: format!("{at}/value"), reason: reason.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_among_text() {
        use Piece::{Literal, Token};
        for (text, pieces) in [
            ("", vec![]),
            ("plain } text {", vec![Literal("plain } text {")]),
            ("{{ token1 }} test", vec![Token("token1"), Literal(" test")]),
            ("{{a}}{{\tb }}", vec![Token("a"), Token("b")]),
            (r#"{"k":{"i":"{{ t }}"}}"#, vec![Literal(r#"{"k":{"i":""#), Token("t"), Literal(r#""}}"#)]),
        ] {
            assert_eq!(parse(text), Ok(pieces), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in
            ["{{ }}", "{{}}", "{{ .. }}", "{{ a/b }}", "{{a.b}}", "{{{a}}}", "{{ 1a }}", "{{a b}}", "{{é}}"]
        {
            assert_eq!(parse(text), Err(TemplateError::Name), "{text}");
        }
        for text in ["{{", "a {{ b }", "{{a}} {{b"] {
            assert_eq!(parse(text), Err(TemplateError::Open), "{text}");
        }
        assert_eq!(TemplateError::Open.to_string(), "has a '{{' without a '}}'");
    }
}
