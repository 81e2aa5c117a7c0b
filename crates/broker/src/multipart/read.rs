//! Taking a caller's body apart: strictly, since what it is put together with anew holds secrets.

use std::borrow::Cow;

use http::HeaderValue;

use super::MEDIA_TYPE;
use super::parameter::{each_parameter, is_token};
use crate::refusal::Refusal;

/// The most parts of one body: services that have a limit of their own have a lower one (Django and PHP: 1,000).
const PARTS_MAX: usize = 1_000;
/// The longest block of headers of a part: names of files are the longest that stands there.
const HEADERS_BYTES_MAX: usize = 8 * 1024;
/// The longest boundary (RFC 2046, 5.1.1).
const BOUNDARY_CHARS_MAX: usize = 70;

/// A caller's parts.
#[derive(Default)]
pub(super) struct Callers<'b>(pub(super) Vec<Part<'b>>);

/// One of them: what of its headers means something here (RFC 7578, 4.8), and its content.
pub(super) struct Part<'b> {
    /// What stands, or would stand, between quotes.
    name: &'b str,
    filename: Option<&'b str>,
    /// The same in the form of RFC 8187, as some clients send it.
    filename_encoded: Option<&'b str>,
    content_type: Option<&'b str>,
    transfer_encoding: Option<&'b str>,
    content: &'b [u8],
}

pub(super) type Read<T> = Result<T, Refusal>;

/// Refused with these words.
pub(super) fn refused<T>(words: &'static str) -> Read<T> {
    Err(Refusal::Body(words))
}

impl<'b> Callers<'b> {
    /// Takes a body apart by the boundary that its media type names.
    pub(super) fn read(body: &'b [u8], media_types: &[&HeaderValue]) -> Read<Self> {
        let [media_type] = media_types else {
            return refused(
                "The body must be multipart/form-data, named once: the connection adds fields to it",
            );
        };
        let boundary = boundary(media_type)?;
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let Some(mut rest) = body.strip_prefix(delimiter.as_slice()) else {
            return refused("The body does not begin with its boundary");
        };
        let inner = [b"\r\n", delimiter.as_slice()].concat();
        let mut parts = Vec::new();
        loop {
            if let Some(end) = rest.strip_prefix(b"--") {
                return match end {
                    b"" | b"\r\n" => Ok(Self(parts)),
                    _ => refused("The body goes on behind its last boundary"),
                };
            }
            let Some(part) = rest.strip_prefix(b"\r\n") else {
                return refused(
                    "A boundary in the body is followed by something else than the end of a line",
                );
            };
            let Some(length) = find(part, &inner) else {
                return refused("The last part of the body has no end");
            };
            if parts.len() == PARTS_MAX {
                return refused("The body has more than 1,000 parts");
            }
            parts.push(Part::read(&part[..length])?);
            rest = &part[length + inner.len()..];
        }
    }
}

impl<'b> Part<'b> {
    fn read(part: &'b [u8]) -> Read<Self> {
        const NO_HEADERS: &str = "A part of the body has no headers that end within 8 KiB";
        let head = &part[..part.len().min(HEADERS_BYTES_MAX)];
        let Some(length) = find(head, b"\r\n\r\n") else { return refused(NO_HEADERS) };
        let Ok(head) = std::str::from_utf8(&part[..length]) else { return refused(NO_HEADERS) };
        let mut read = Self {
            name: "",
            filename: None,
            filename_encoded: None,
            content_type: None,
            transfer_encoding: None,
            content: &part[length + 4..],
        };
        let mut disposition = None;
        for line in head.split("\r\n") {
            let (name, value) = header(line)?;
            let slot = match name.to_ascii_lowercase().as_str() {
                "content-disposition" => &mut disposition,
                "content-type" => &mut read.content_type,
                "content-transfer-encoding" => &mut read.transfer_encoding,
                // Says nothing that a reader may heed.
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return refused("A part of the body has a header twice");
            }
        }
        let Some(disposition) = disposition else {
            return refused("A part of the body has no Content-Disposition");
        };
        read.disposed(disposition)?;
        Ok(read)
    }

    /// Reads `form-data; name="…"; filename="…"`.
    fn disposed(&mut self, disposition: &'b str) -> Read<()> {
        // To some readers the quote ends the text, to others it does not.
        if disposition.contains("\\\"") {
            return refused("A Content-Disposition in the body has a quote behind a backslash");
        }
        let (kind, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return refused("A part of the body is no form-data");
        }
        let mut name = None;
        for parameter in each_parameter(parameters) {
            let (key, value) = parameter?;
            let slot = match key.to_ascii_lowercase().as_str() {
                "name" => &mut name,
                "filename" => &mut self.filename,
                "filename*" if value.bytes().all(is_token) => &mut self.filename_encoded,
                "name*" | "filename*" => return refused("A part of the body is named in an unusual way"),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return refused("A part of the body is named twice");
            }
        }
        let Some(name) = name else { return refused("A part of the body has no name") };
        self.name = name;
        Ok(())
    }

    /// Whether it is called so. `%22`, `%0D` and `%0A` stand for what cannot be written in a name, and readers differ in
    /// whether they are read so; hence either reading counts.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let plain = |text: &str| -> Vec<u8> { decoded(text).into_owned() };
        self.name == name || plain(self.name) == plain(name)
    }

    /// All of it that goes out.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'b [u8]> {
        let named = [self.filename, self.filename_encoded, self.content_type, self.transfer_encoding];
        let named = named.into_iter().flatten().chain([self.name]);
        named.map(str::as_bytes).chain([self.content])
    }

    /// Writes it anew, but for the delimiters around it.
    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let mut put = |parts: &[&str]| parts.iter().for_each(|part| body.extend_from_slice(part.as_bytes()));
        put(&["Content-Disposition: form-data; name=\"", self.name, "\""]);
        if let Some(filename) = self.filename {
            put(&["; filename=\"", filename, "\""]);
        }
        if let Some(filename) = self.filename_encoded {
            put(&["; filename*=", filename]);
        }
        if let Some(value) = self.content_type {
            put(&["\r\nContent-Type: ", value]);
        }
        if let Some(value) = self.transfer_encoding {
            put(&["\r\nContent-Transfer-Encoding: ", value]);
        }
        put(&["\r\n\r\n"]);
        body.extend_from_slice(self.content);
    }
}

/// One line of a part's headers. What would go on in the next line is none.
fn header(line: &str) -> Read<(&str, &str)> {
    const NONE: &str = "A part of the body has a line in its headers that is none";
    let Some((name, value)) = line.split_once(':') else { return refused(NONE) };
    let is_name = !name.is_empty() && name.bytes().all(is_token);
    let is_value = value.chars().all(|it| it == '\t' || !it.is_control());
    if is_name && is_value { Ok((name, value.trim_matches([' ', '\t']))) } else { refused(NONE) }
}

/// The boundary that a media type names.
fn boundary(media_type: &HeaderValue) -> Read<&str> {
    const NONE: &str = "The body's media type must be multipart/form-data with one boundary";
    let Ok(text) = media_type.to_str() else { return refused(NONE) };
    let Some((kind, parameters)) = text.split_once(';') else { return refused(NONE) };
    if !kind.trim().eq_ignore_ascii_case(MEDIA_TYPE) {
        return refused(NONE);
    }
    let mut boundary = None;
    for parameter in each_parameter(parameters) {
        let (key, value) = parameter?;
        if key.eq_ignore_ascii_case("boundary") && boundary.replace(value).is_some() {
            return refused(NONE);
        }
    }
    let is_one = |text: &&str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        (1..=BOUNDARY_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_inner) && !text.ends_with(' ')
    };
    match boundary.filter(is_one) {
        Some(boundary) => Ok(boundary),
        None => refused(NONE),
    }
}

/// With percent escapes read.
fn decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|it| char::from(*it).to_digit(16)).map(|it| it as u8);
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high * 16 + low);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(decoded)
}

fn find(text: &[u8], sought: &[u8]) -> Option<usize> {
    text.windows(sought.len()).position(|it| it == sought)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Read<Vec<u8>> {
        let body = format!("--B\r\n{head}\r\n\r\ncontent\r\n--B--\r\n");
        let media_type = HeaderValue::from_static("multipart/form-data; boundary=B");
        let callers = Callers::read(body.as_bytes(), &[&media_type])?;
        let mut written = Vec::new();
        callers.0[0].write(&mut written);
        Ok(written)
    }

    #[test]
    fn what_clients_send_is_read() {
        const FORM: &str = "Content-Disposition: form-data; name=\"a\"";
        for (head, written) in [
            ("content-disposition:form-data;name=a", FORM.to_owned()),
            ("Content-Disposition: form-data; name=\"a\"; filename=\"\"", format!("{FORM}; filename=\"\"")),
            (
                "Content-Disposition: form-data; name=\"a\"; filename=\"C:\\x y;z.txt\"\r\nContent-Length: 7",
                format!("{FORM}; filename=\"C:\\x y;z.txt\""),
            ),
            (
                "Content-Disposition: form-data; name=\"a\"; filename*=utf-8''%C3%A9\r\nContent-Type: text/plain; charset=utf-8",
                format!("{FORM}; filename*=utf-8''%C3%A9\r\nContent-Type: text/plain; charset=utf-8"),
            ),
            (
                "Content-Disposition: form-data; name=\"é%22\"",
                "Content-Disposition: form-data; name=\"é%22\"".to_owned(),
            ),
            (
                "Content-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=a;",
                format!("{FORM}\r\nContent-Transfer-Encoding: base64"),
            ),
        ] {
            let found = String::from_utf8(read(head).unwrap()).unwrap();
            assert_eq!(found, format!("{written}\r\n\r\ncontent"), "{head}");
        }
    }

    #[test]
    fn what_readers_could_differ_about_is_refused() {
        for head in [
            "Content-Type: text/plain",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=a",
            "Content-Disposition: form-data; name=a; name=b",
            "Content-Disposition: form-data; name=a; NAME=\"b\"",
            "Content-Disposition: form-data; name*=utf-8''a",
            "Content-Disposition: form-data; name=a; filename*=\"x y\"",
            "Content-Disposition: form-data; name=\"a\\\"; name=\\\"b\"",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=\"a\"b",
            "Content-Disposition: form-data; name=",
            "Content-Disposition: form-data; name",
            "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
            "Content-Disposition: form-data;\r\n name=a",
            "Content-Disposition: form-data; name=\"a\nb\"",
            "Content-Disposition: form-data; name=\"a\rb\"",
            "Content-Disposition: form-data; name=\"a\0b\"",
            "Content-Disposition : form-data; name=a",
            "nothing",
        ] {
            assert!(matches!(read(head), Err(Refusal::Body(_))), "{head:?}");
        }
        let long = format!("Content-Disposition: form-data; name={}", "a".repeat(HEADERS_BYTES_MAX));
        assert!(read(&long).is_err());
    }

    #[test]
    fn a_body_is_parts_and_nothing_beside_them() {
        let part = "Content-Disposition: form-data; name=a\r\n\r\n1";
        let good = format!("--B\r\n{part}\r\n--B--");
        let count = |body: &str, media_type: &'static str| {
            let media_type = HeaderValue::from_static(media_type);
            Callers::read(body.as_bytes(), &[&media_type]).map(|callers| callers.0.len()).ok()
        };
        let usual = "multipart/form-data; boundary=B";
        for (body, parts) in [
            (good.clone(), Some(1)),
            (format!("{good}\r\n"), Some(1)),
            ("--B--".to_owned(), Some(0)),
            (format!("x\r\n{good}"), None),
            (format!("{good}x"), None),
            (format!("--B \r\n{part}\r\n--B--"), None),
            (format!("--B\r\n{part}\r\n--BC\r\n--B--"), None),
            (format!("--B\r\n{part}"), None),
            (format!("--B\n{}\n--B--", part.replace("\r\n", "\n")), None),
            (format!("--B\r\n{}", format!("{part}\r\n--B\r\n").repeat(PARTS_MAX) + part + "\r\n--B--"), None),
            ("{}".to_owned(), None),
        ] {
            assert_eq!(count(&body, usual), parts, "{body:.200}");
        }
        for (media_type, is_read) in [
            ("multipart/form-data;charset=utf-8; Boundary=\"B\"", true),
            ("multipart/form-data", false),
            ("multipart/form-data; boundary=", false),
            ("multipart/form-data; boundary=B; boundary=C", false),
            ("multipart/form-data; boundary=\"B", false),
            ("multipart/form-data; boundary=\"B\\\"", false),
            ("multipart/mixed; boundary=B", false),
            ("text/plain", false),
        ] {
            assert_eq!(count(&good, media_type).is_some(), is_read, "{media_type}");
        }
        let media_type = HeaderValue::from_static(usual);
        assert!(Callers::read(good.as_bytes(), &[]).is_err());
        assert!(Callers::read(good.as_bytes(), &[&media_type, &media_type]).is_err());
    }

    #[test]
    fn a_name_is_one_however_it_is_escaped() {
        let media_type = HeaderValue::from_static("multipart/form-data; boundary=B");
        let called = |written: &str, name: &str| {
            let body = format!("--B\r\nContent-Disposition: form-data; name=\"{written}\"\r\n\r\n\r\n--B--");
            Callers::read(body.as_bytes(), &[&media_type]).unwrap().0[0].is_called(name)
        };
        assert!(called("key", "key") && called("k%65y", "key") && called("a%22", "a%22") && called("%", "%"));
        assert!(!called("Key", "key") && !called("key ", "key") && !called("", "key"));
    }
}
