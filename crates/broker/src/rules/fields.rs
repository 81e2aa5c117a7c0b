//! Names of fields by which servers take a method for another: in queries, forms, parts and JSON.
//!
//! Read more widely than any one server reads: who is refused here without need has a field of a very odd name.

use serde_json::{Deserializer, Value};

use crate::refusal::Refusal;

/// The names, with a dash for whatever else some readers take for an underscore.
/// `_HttpMethod` is Salesforce's.
const NAMES: [&str; 5] =
    ["-method", "-httpmethod", "x-http-method-override", "x-http-method", "x-method-override"];

/// How often escapes are resolved that are within escapes.
const DEPTH_MAX: usize = 8;
/// The longest head of a part that is read, and how many names in it. For more, what is asked of each would cost too much.
const HEAD_BYTES_MAX: usize = 8 * 1024;
const HEAD_NAMES_MAX: usize = 16;

/// Whether a field of this name changes the method, to anybody.
fn overrides(name: &[u8]) -> bool {
    let mut decoded = name.to_vec();
    for depth in 0.. {
        let Some(again) = unescaped(&decoded) else { break };
        // Nobody names a field so, and each depth costs as much as the name is long.
        if depth == DEPTH_MAX {
            return true;
        }
        decoded = again;
    }
    // Behind a NUL there is nothing, to some; and behind a bracket there is an index.
    let text = decoded.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let is_nothing = |it: char| it.is_whitespace() || it.is_control() || matches!(it, '+' | '\u{FEFF}');
    let text = text.trim_matches(is_nothing);
    let end = text.char_indices().skip(1).find(|(_, it)| *it == '[').map_or(text.len(), |(at, _)| at);
    let plain = text[..end].trim_end().replace(['_', '.', ' ', '+', '['], "-");
    NAMES.contains(&plain.as_str())
}

/// Percent escapes resolved once; none where there is none.
fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => digit(high).zip(digit(low)),
            _ => None,
        };
        decoded.push(escaped.map_or(*first, |(high, low)| (high << 4 | low) as u8));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    (decoded.len() < bytes.len()).then_some(decoded)
}

/// In a query, or what is written like one. Some read a semicolon as an ampersand.
pub(super) fn overrides_in_pairs(text: &str) -> bool {
    overrides_in_form(text.as_bytes())
}

/// In a form.
pub(super) fn overrides_in_form(body: &[u8]) -> bool {
    let name = |pair: &[u8]| pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
    body.split(|byte| matches!(byte, b'&' | b';')).any(|pair| overrides(&pair[..name(pair)]))
}

/// In the parts of a multipart body. Every line that could be the head of a part is read as one, wherever it stands: so
/// that nothing depends on who finds which boundary.
pub(super) fn overrides_in_parts(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace("\n ", " ").replace("\n\t", " ");
    let heads = text.split('\n').filter(|line| line.trim_start().starts_with("content-disposition"));
    heads.into_iter().any(overrides_in_head)
}

/// In the head of a part: `form-data; name="…"`.
fn overrides_in_head(head: &str) -> bool {
    if head.len() > HEAD_BYTES_MAX || head.matches("name").count() > HEAD_NAMES_MAX {
        return true;
    }
    head.match_indices("name").any(|(at, name)| {
        let value = head[at + name.len()..].trim_start();
        // No form has names that are written so (RFC 7578, 5.1); files may.
        if value.starts_with('*') {
            return !head[..at].ends_with("file");
        }
        let Some(value) = value.strip_prefix('=') else { return false };
        let value = value.replace('\\', "");
        let value = value.trim_start_matches(['"', '\'', ' ', '\t']);
        let value = value.split(['"', '\'', ';', ',']).next().unwrap_or_default();
        value.starts_with("=?") || overrides(value.as_bytes())
    })
}

/// In a JSON object, whose members some servers take for fields of a form; or in one of several that follow each other.
///
/// # Errors
/// [`Refusal::Body`] where it is no JSON.
pub(super) fn overrides_in_json(body: &[u8]) -> Result<bool, Refusal> {
    for value in Deserializer::from_slice(body).into_iter::<Value>() {
        let value = value.map_err(|_| {
            Refusal::Body("The body must be JSON as its type says: the connection's rules name methods")
        })?;
        let names = value.as_object().into_iter().flat_map(|members| members.keys());
        if names.into_iter().any(|name| overrides(name.as_bytes())) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_however_it_is_written() {
        for pairs in [
            "_method=DELETE",
            "a=1&_method=DELETE",
            "a=1;_method=DELETE",
            "_method",
            "%5Fmethod=DELETE",
            "%5fm%65thod=DELETE",
            "%255Fmethod=DELETE",
            "_METHOD=DELETE",
            ".method=DELETE",
            "[method=DELETE",
            "_method[]=DELETE",
            "_method%00x=DELETE",
            "+_method=DELETE",
            "%0A_method%20=DELETE",
            "%EF%BB%BF_method=DELETE",
            "X-HTTP-Method-Override=DELETE",
            "x_http_method_override=DELETE",
            "X-HTTP-Method=DELETE",
            "_HttpMethod=PATCH",
            "%5FhttpMethod=PATCH",
            // Whatever it is.
            "%2525252525252525252525=DELETE",
        ] {
            assert!(overrides_in_pairs(pairs), "{pairs}");
        }
        for pairs in [
            "",
            "a=_method",
            "method=DELETE",
            "_methods=1",
            "my_method=1",
            "__method=1",
            "a[_method]=1",
            "httpMethod=1",
            "_httpMethods=1",
        ] {
            assert!(!overrides_in_pairs(pairs), "{pairs}");
        }
    }

    #[test]
    fn a_part_is_known_by_its_head() {
        let parts = |head: &str| format!("--x\r\n{head}\r\n\r\nDELETE\r\n--x--\r\n").into_bytes();
        for head in [
            "Content-Disposition: form-data; name=\"_method\"",
            "content-disposition:form-data;name=_method",
            "Content-Disposition: form-data; name='_method'",
            "Content-Disposition: form-data; NAME = \"_METHOD\"",
            "Content-Disposition: form-data;\r\n name=\"_method\"",
            "Content-Disposition: form-data; name=\"\\_method\"",
            "Content-Disposition: form-data; name=\"%5Fmethod\"",
            "Content-Disposition: form-data; filename=\"x\"; name=\"_method\"",
            "Content-Disposition: form-data; name*=UTF-8''_method",
            "Content-Disposition: form-data; name*0=\"_me\"; name*1=\"thod\"",
            "Content-Disposition: form-data; name=\"=?utf-8?B?X21ldGhvZA==?=\"",
            "X-A: b\rContent-Disposition: form-data; name=\"_method\"",
            "X-A: b\nContent-Disposition: form-data; name=\".method\"",
        ] {
            assert!(overrides_in_parts(&parts(head)), "{head}");
        }
        for head in [
            "Content-Disposition: form-data; name=\"method\"",
            "Content-Disposition: form-data; name=\"file\"; filename=\"my_method.py\"",
            "Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''m%C3%BC.txt",
            "Content-Type: text/html\r\n\r\n<input name=\"_method\">",
        ] {
            assert!(!overrides_in_parts(&parts(head)), "{head}");
        }
    }

    #[test]
    fn a_member_is_known_at_the_top_of_json() {
        for body in [r#"{"a":1,"_method":"DELETE"}"#, r#"{"\u005fmethod":1}"#, "[1]\n{\"_method\":1}"] {
            assert_eq!(overrides_in_json(body.as_bytes()), Ok(true), "{body}");
        }
        for body in [r#"{"method":"a","b":{"_method":1}}"#, r#"["_method"]"#, r#""_method""#, "", " "] {
            assert_eq!(overrides_in_json(body.as_bytes()), Ok(false), "{body}");
        }
        for body in ["{\"_method\"", "{_method:1}", "\u{FEFF}{}", "_method=DELETE"] {
            assert!(matches!(overrides_in_json(body.as_bytes()), Err(Refusal::Body(_))), "{body}");
        }
    }
}
