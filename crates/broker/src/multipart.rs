//! `multipart/form-data` (RFC 7578): a connection's fields, put together with a caller's own parts.
//!
//! A caller's body is never passed on as it came: it is taken apart and written anew below a boundary that nobody could
//! know before, so that a connection's field is a part of its own, whatever the caller wrote, and whatever a token holds. What two
//! readers could read differently is refused.

mod parameter;
mod read;

use bytes::Bytes;
use claviger_model::Random;
use http::HeaderValue;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::refusal::Refusal;
use read::{Callers, Part};

/// As the media type is called.
pub(crate) const MEDIA_TYPE: &str = "multipart/form-data";
/// What stands before the random digits of a boundary.
const BOUNDARY: &str = "----claviger-";
/// Enough that nobody meets one by chance.
const BOUNDARY_BYTES: usize = 16;
/// Boundaries that are tried: one that occurs in a body already is no chance, and a second is none at all.
const TRIES_MAX: usize = 4;

/// The fields that a connection adds, with their tokens filled in.
pub(crate) struct Fields(Vec<Field>);

struct Field {
    /// As it stands between quotes.
    name: Zeroizing<String>,
    value: Zeroizing<String>,
}

/// A field as the connection's content has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    key: String,
    value: String,
}

impl Fields {
    /// Reads a connection's content, a JSON array of `{"key", "value"}`, and fills tokens into both.
    ///
    /// # Errors
    /// [`Refusal::ConnectionUnusable`] where it is none, or a name has what cannot stand in one.
    pub(crate) fn new(
        content: &str,
        fill: impl Fn(&str) -> Result<Zeroizing<String>, Refusal>,
    ) -> Result<Self, Refusal> {
        let no_list = Refusal::ConnectionUnusable(
            "The body of the connection is no JSON array of objects with a key and a value",
        );
        let templates: Vec<Template> = serde_json::from_str(content).map_err(|_| no_list)?;
        let field = |template: &Template| {
            Ok(Field { name: quotable(&fill(&template.key)?)?, value: fill(&template.value)? })
        };
        templates.iter().map(field).collect::<Result<_, _>>().map(Self)
    }

    /// The body that goes out, and its media type. A caller's part that is called like a field is left out.
    ///
    /// # Errors
    /// [`Refusal::Body`] where the caller's body cannot be taken apart.
    pub(crate) fn with(
        &self,
        callers: &[u8],
        media_types: &[&HeaderValue],
        random: &dyn Random,
    ) -> Result<(Bytes, HeaderValue), Refusal> {
        let callers = match callers.is_empty() {
            true => Callers::default(),
            false => Callers::read(callers, media_types)?,
        };
        let is_ours = |part: &Part<'_>| self.0.iter().any(|field| part.is_called(&field.name));
        let parts: Vec<_> = callers.0.iter().filter(|part| !is_ours(part)).collect();
        let boundary = self.boundary(&parts, random)?;
        // With room from the start, growing leaves no copy behind.
        let mut body = Vec::with_capacity(self.written_max(&parts, boundary.len()));
        // First, since some services read no field behind a file.
        for Field { name, value } in &self.0 {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            body.extend_from_slice(b"Content-Disposition: form-data; name=\"");
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(b"\"\r\n\r\n");
            body.extend_from_slice(value.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            part.write(&mut body);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let media_type = HeaderValue::from_str(&format!("{MEDIA_TYPE}; boundary={boundary}"));
        Ok((body.into(), media_type.map_err(|_| Refusal::Internal)?))
    }

    /// A boundary that is in nothing that it parts.
    fn boundary(&self, parts: &[&Part<'_>], random: &dyn Random) -> Result<String, Refusal> {
        for _ in 0..TRIES_MAX {
            let mut bytes = [0; BOUNDARY_BYTES];
            random.fill(&mut bytes);
            let digits: String = claviger_vault::hex::digits(&bytes).collect();
            let boundary = format!("{BOUNDARY}{digits}");
            let is_in = |text: &[u8]| text.windows(boundary.len()).any(|it| it == boundary.as_bytes());
            let is_ours = self.0.iter().any(|it| is_in(it.name.as_bytes()) || is_in(it.value.as_bytes()));
            if !is_ours && !parts.iter().any(|part| part.texts().any(is_in)) {
                return Ok(boundary);
            }
        }
        Err(Refusal::Internal)
    }

    fn written_max(&self, parts: &[&Part<'_>], boundary: usize) -> usize {
        // Delimiter, the words of the headers, and ends of lines.
        const AROUND: usize = 160;
        let ours = self.0.iter().map(|field| field.name.len() + field.value.len());
        let theirs = parts.iter().map(|part| part.texts().map(<[u8]>::len).sum());
        ours.chain(theirs).map(|length: usize| length + boundary + AROUND).sum::<usize>() + boundary + AROUND
    }
}

/// A name as it stands between quotes (WHATWG HTML, "multipart/form-data encoding algorithm"): nothing in it ends the
/// quotes or the line. A backslash is refused: to some readers it takes the end of the quotes away.
fn quotable(name: &str) -> Result<Zeroizing<String>, Refusal> {
    const UNNAMED: Refusal = Refusal::ConnectionUnusable(
        "A name in the body of the connection has control characters or a backslash",
    );
    let mut quoted = Zeroizing::new(String::with_capacity(name.len() * 3));
    for character in name.chars() {
        match character {
            '"' => quoted.push_str("%22"),
            '\r' => quoted.push_str("%0D"),
            '\n' => quoted.push_str("%0A"),
            character if character.is_control() || character == '\\' => return Err(UNNAMED),
            character => quoted.push(character),
        }
    }
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    fn written(content: &str, callers: &str, media_type: &str) -> Result<(String, String), Refusal> {
        let token = "a\"; name=\"x\r\n\r\n--B\r\n";
        let fill = |text: &str| Ok(Zeroizing::new(text.replace("{{ t }}", token)));
        let media_type = HeaderValue::from_str(media_type).unwrap();
        let (body, media_type) =
            Fields::new(content, fill)?.with(callers.as_bytes(), &[&media_type], &SeededRandom::new(7))?;
        let boundary = media_type.to_str().unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        Ok((String::from_utf8(body.to_vec()).unwrap().replace(boundary, "NEW"), boundary.to_owned()))
    }

    #[test]
    fn fields_and_parts_stand_beside_each_other() {
        let content = r#"[{"key": "token", "value": "x{{ t }}"}, {"key": "n{{ t }}", "value": "1"}]"#;
        let callers = "--B\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nmine\r\n\
                       --B\r\ncontent-type: text/csv\r\nX-Odd: 1\r\n\
                       Content-Disposition: form-data; name=file; filename=\"a b.csv\"; size=3\r\n\r\n1\r\n--C\r\n--B--\r\n";
        let (body, boundary) = written(content, callers, "Multipart/Form-Data; boundary=B").unwrap();
        let expected = "--NEW\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nxa\"; name=\"x\r\n\r\n--B\r\n\r\n\
                        --NEW\r\nContent-Disposition: form-data; name=\"na%22; name=%22x%0D%0A%0D%0A--B%0D%0A\"\r\n\r\n1\r\n\
                        --NEW\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.csv\"\r\n\
                        Content-Type: text/csv\r\n\r\n1\r\n--C\r\n--NEW--\r\n";
        assert_eq!(body, expected);
        assert_eq!(boundary.len(), BOUNDARY.len() + 2 * BOUNDARY_BYTES);
        // Without a body of the caller's, the fields are all.
        let (body, _) = written(r#"[{"key": "a", "value": "b"}]"#, "", "multipart/form-data").unwrap();
        assert_eq!(body, "--NEW\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--NEW--\r\n");
    }

    #[test]
    fn a_boundary_is_in_nothing_that_it_parts() {
        let (_, first) = written("[]", "", "multipart/form-data").unwrap();
        let content = format!(r#"[{{"key": "a", "value": "x{first}y"}}]"#);
        let (body, second) = written(&content, "", "multipart/form-data").unwrap();
        assert!(first != second && body.contains(&first), "{body}");
        let part = format!(
            "--{first}\r\nContent-Disposition: form-data; name=\"{first}\"\r\n\r\n1\r\n--{first}--\r\n"
        );
        let (body, third) =
            written("[]", &part, &format!("multipart/form-data; boundary=\"{first}\"")).unwrap();
        assert!(third != first && body.contains(&format!("name=\"{first}\"")), "{body}");
    }

    #[test]
    fn content_that_is_no_list_of_fields_is_told() {
        for content in [
            "",
            "{}",
            "[1]",
            r#"[{"key": "a"}]"#,
            r#"[{"key": "a", "value": 1}]"#,
            r#"[{"key": "\u0000", "value": ""}]"#,
            r#"[{"key": "\\", "value": ""}]"#,
        ] {
            let refused = written(content, "", "multipart/form-data");
            assert!(matches!(refused, Err(Refusal::ConnectionUnusable(_))), "{content}");
        }
    }
}
