//! A connection's rules on methods and paths, and what would get behind their back.
//!
//! A rule speaks of the request line that the third party reads. Some servers take another method or path than that, if
//! a header, a parameter or a field of a form tells them to: where there are rules, a call that does so is refused. What else a
//! third party does by a request that a rule admits, such as the calls within a batch, is nothing that rules know of.

mod fields;

use std::sync::Arc;

use claviger_model::{CallRule, Origin, Terms};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use http::uri::PathAndQuery;
use http::{Method, request};

use crate::aim::Aim;
use crate::charset;
use crate::refusal::Refusal;

/// What a call asks of a third party, as rules see it.
pub(crate) struct Asked {
    method: Method,
    origin: Arc<Origin>,
    /// As the third party sees it, without its query.
    path: PathAndQuery,
}

/// What beside its request line a call is held to, by the rules that admit it: each holds it to what those before do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    /// To nothing: there are no rules.
    Free,
    /// That nothing in it names another path.
    Path,
    /// That nothing in it names another method.
    Method,
}

/// Headers by which servers take a method for another.
const METHOD_HEADERS: [&str; 6] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-method",
    "x-original-method",
    "http-method-override",
];

/// Headers that name another path beside the request's own: one that is meant instead, or one to copy from or move to. Those
/// that never go out, such as `X-Original-URL`, are not among them.
const PATH_HEADERS: [&str; 18] = [
    "x-override-url",
    "x-original-path",
    "x-rewrite-uri",
    "x-request-uri",
    "request-uri",
    "x-http-destinationurl",
    "x-http-path-override",
    "path-info",
    "x-path-info",
    "script-name",
    "x-script-name",
    "base-url",
    "destination",
    "x-copy-from",
    // Swift's (object storage of OpenStack).
    "x-copy-from-account",
    "x-object-manifest",
    "x-symlink-target",
    "x-symlink-target-account",
];

/// How such headers end, whoever's they are: `x-amz-copy-source`, `x-ms-file-rename-source`.
const PATH_ENDINGS: [&str; 3] = ["-copy-source", "-rename-source", "-move-source"];

impl Asked {
    pub(crate) fn new(method: &Method, aim: &Aim) -> Self {
        Self { method: method.clone(), origin: aim.origin.clone(), path: aim.path.clone() }
    }

    /// Whether a connection's rules admit it.
    pub(crate) fn is_admitted(&self, terms: &Terms) -> bool {
        terms.admit(self.method.as_str(), self.origin.host(), self.path.path())
    }

    fn held(&self, terms: &Terms) -> Held {
        let method = self.method.as_str();
        let is_any_method = |rule: &CallRule| {
            rule.methods.is_empty() && rule.admits(method, self.origin.host(), self.path.path())
        };
        match terms.rules.is_empty() {
            true => Held::Free,
            false if terms.rules.iter().any(is_any_method) => Held::Path,
            false => Held::Method,
        }
    }

    /// Whether these terms hold it to no more than those by which it was checked: what they would ask for beside, its
    /// headers and its body, nobody looked at.
    pub(crate) fn is_checked_for(&self, terms: &Terms, checked_by: &Terms) -> bool {
        self.held(terms) <= self.held(checked_by)
    }

    /// Asks a connection's rules. Tells whether the body is to be asked too, once it is known as what it goes out: see
    /// [`BodyCheck`].
    ///
    /// # Errors
    /// [`Refusal::NotInRules`]; [`Refusal::Override`] where the call could be taken for another.
    pub(crate) fn check(
        &self,
        terms: &Terms,
        parts: &request::Parts,
        query: Option<&str>,
    ) -> Result<bool, Refusal> {
        let held = self.held(terms);
        if held == Held::Free {
            return Ok(false);
        }
        if !self.is_admitted(terms) {
            return Err(Refusal::NotInRules);
        }
        if names_one_of(&parts.headers, &PATH_HEADERS) || parts.headers.keys().any(ends_like_a_path) {
            return Err(Refusal::Override);
        }
        if held == Held::Path {
            return Ok(false);
        }
        if names_one_of(&parts.headers, &METHOD_HEADERS) || query.is_some_and(fields::overrides_in_pairs) {
            return Err(Refusal::Override);
        }
        // Of bodies, servers ask those of POST alone.
        Ok(self.method == Method::POST)
    }
}

fn names_one_of(headers: &HeaderMap, names: &[&str]) -> bool {
    headers.keys().any(|name| is_named(name, names))
}

fn ends_like_a_path(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    PATH_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Servers of the CGI kind take `_` for `-`.
fn is_named(name: &HeaderName, names: &[&str]) -> bool {
    match name.as_str() {
        name if name.contains('_') => names.contains(&&*name.replace('_', "-")),
        name => names.contains(&name),
    }
}

/// What a body is to be searched for another method as. Whoever names several media types gets all of them: servers
/// differ in which they believe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BodyCheck {
    is_form: bool,
    is_multipart: bool,
    is_json: bool,
    /// Written in a way that is not read here.
    is_disguised: bool,
}

impl BodyCheck {
    /// By the headers with which the body goes out, the connection's among them; none where nothing is to be searched.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let types = headers.iter().filter(|(name, _)| is_named(name, &[CONTENT_TYPE.as_str()]));
        let types = types.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
        let named = types.collect::<Vec<_>>().join(",");
        let is_encoded = headers.iter().any(|(name, value)| {
            is_named(name, &[CONTENT_ENCODING.as_str()])
                && !value.as_bytes().eq_ignore_ascii_case(b"identity")
        });
        let check = Self {
            // A body whose type nobody names is a form to some.
            is_form: named.trim().is_empty() || named.contains("x-www-form-urlencoded"),
            is_multipart: named.contains("multipart/") || named.contains("form-data"),
            is_json: named.contains("/json") || named.contains("+json"),
            is_disguised: is_encoded || !charset::named(&named).iter().all(|name| is_usual_charset(name)),
        };
        (check.is_form || check.is_multipart || check.is_json).then_some(check)
    }

    /// Looks for what would change the method.
    ///
    /// # Errors
    /// [`Refusal::Override`]; [`Refusal::Body`] where it cannot be told.
    pub(crate) fn check(self, body: &[u8]) -> Result<(), Refusal> {
        if body.is_empty() {
            return Ok(());
        }
        if self.is_disguised {
            return Err(Refusal::Body(
                "The connection's rules name methods: forms must be in UTF-8, and not compressed",
            ));
        }
        let overrides = (self.is_form && fields::overrides_in_form(body))
            || (self.is_multipart && fields::overrides_in_parts(body))
            || (self.is_json && fields::overrides_in_json(body)?);
        if overrides { Err(Refusal::Override) } else { Ok(()) }
    }
}

/// Those in which ASCII is ASCII.
fn is_usual_charset(name: &str) -> bool {
    charset::is_utf8(name) || matches!(name, "iso-8859-1" | "latin1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(lines: &[(&str, &str)], body: &str) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        BodyCheck::of(&headers).map_or(Ok(()), |check| check.check(body.as_bytes()))
    }

    #[test]
    fn bodies_are_searched_as_whatever_they_may_be_taken_for() {
        const FORM: &str = "application/x-www-form-urlencoded";
        for types in [
            &[("content-type", FORM)][..],
            &[("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")],
            &[("content-type", "text/plain"), ("content-type", FORM)],
            &[("content-type", "text/plain, application/x-www-form-urlencoded")],
            &[("content-type", "text/plain"), ("content_type", FORM)],
            &[("content-type", "")],
            &[],
        ] {
            assert_eq!(checked(types, "a=1&_method=DELETE"), Err(Refusal::Override), "{types:?}");
            assert_eq!(checked(types, "a=1&method=DELETE"), Ok(()), "{types:?}");
        }
        for disguise in [
            &[("content-type", FORM), ("content-encoding", "gzip")][..],
            &[("content-type", "application/x-www-form-urlencoded; charset=utf-16")],
            &[("content-type", "application/x-www-form-urlencoded;charset=\"ibm500\"")],
            &[("content-type", "multipart/form-data; boundary=x; charset=utf-7")],
        ] {
            assert!(matches!(checked(disguise, "a=1"), Err(Refusal::Body(_))), "{disguise:?}");
            assert_eq!(checked(disguise, ""), Ok(()), "{disguise:?}");
        }
        // What no server takes for fields is not looked at, and may be of any length.
        for other in ["text/plain", "application/octet-stream", "application/x-ndjson", "text/xml"] {
            assert_eq!(checked(&[("content-type", other)], "_method=DELETE"), Ok(()), "{other}");
        }
    }
}
