//! The charsets that media types name.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::headers::is_same;

/// Whether a text could name one. Most name none: nothing is written anew to see that.
pub(crate) fn may_be_named(text: &[u8]) -> bool {
    text.windows(7).any(|it| it.eq_ignore_ascii_case(b"charset"))
}

/// Those that a media type names, in lower case: all of them, however it is written, since readers differ in which they
/// believe.
pub(crate) fn named(media_type: &str) -> Vec<String> {
    let lower = media_type.to_ascii_lowercase();
    let named = lower.split("charset").skip(1).filter_map(|rest| {
        let value =
            rest.trim_start().strip_prefix(['=', '*'])?.trim_start_matches(['=', ' ', '\t', '"', '\'']);
        value.split([';', ',', '"', '\'', ' ', '\t']).next()
    });
    named.map(str::to_owned).collect()
}

/// Those of a message's content.
pub(crate) fn of_content(headers: &HeaderMap) -> Vec<String> {
    let is_type = |name| is_same(name, CONTENT_TYPE.as_str());
    let types = headers.iter().filter(|(name, value)| is_type(name) && may_be_named(value.as_bytes()));
    types.flat_map(|(_, value)| named(&String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// Whether it is UTF-8, or the part of it that says so little.
pub(crate) fn is_utf8(name: &str) -> bool {
    matches!(name, "utf-8" | "utf8" | "us-ascii" | "ascii")
}

/// Whether a text in it shows ASCII as ASCII, or as UTF-16 does: in others, such as UTF-32, UTF-7 and EBCDIC, a secret is
/// not found. Names are those of <https://www.iana.org/assignments/character-sets> and what servers make of them.
pub(crate) fn is_searched(name: &str) -> bool {
    const WHOLE: [&str; 33] = [
        "utf-8",
        "utf8",
        "utf8mb4",
        "us-ascii",
        "ascii",
        "ansi_x3.4-1968",
        "utf-16",
        "utf16",
        "utf-16le",
        "utf-16be",
        "ucs-2",
        "iso-10646-ucs-2",
        "latin1",
        "latin2",
        "latin9",
        "macintosh",
        "gbk",
        "gb2312",
        "gb18030",
        "big5",
        "big5-hkscs",
        "shift_jis",
        "shift-jis",
        "sjis",
        "x-sjis",
        "euc-jp",
        "euc-kr",
        "euc-cn",
        "euc-tw",
        "ks_c_5601-1987",
        "tis-620",
        "windows-31j",
        "x-mac-cyrillic",
    ];
    // What says nothing.
    const NOTHING: [&str; 6] = ["", "binary", "none", "null", "undefined", "unknown"];
    const BEGINNINGS: [&str; 4] = ["iso-8859-", "iso8859-", "iso_8859-", "koi8-"];
    /// Code pages of DOS and Windows.
    const PAGES: [&str; 28] = [
        "437", "737", "775", "850", "852", "855", "857", "858", "860", "861", "862", "863", "865", "866",
        "869", "874", "932", "936", "949", "950", "1250", "1251", "1252", "1253", "1254", "1255", "1256",
        "1257",
    ];
    let page = ["windows-", "cp", "ibm", "x-cp"].iter().find_map(|word| name.strip_prefix(word));
    WHOLE.contains(&name)
        || NOTHING.contains(&name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || page.is_some_and(|page| PAGES.contains(&page) || page == "1258")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_however_they_are_written() {
        for (media_type, names) in [
            ("text/plain", &[][..]),
            ("text/plain; charset=UTF-8", &["utf-8"]),
            ("text/plain;Charset = \"IBM037\"; x=y", &["ibm037"]),
            ("text/plain; charset=utf-8, text/plain; charset=utf-7", &["utf-8", "utf-7"]),
            ("text/plain; charset*=utf-32", &["utf-32"]),
            ("text/plain; boundary=charset", &[]),
        ] {
            assert_eq!(named(media_type), names, "{media_type}");
        }
    }

    #[test]
    fn what_hides_ascii_is_not_searched() {
        for name in
            ["utf-8", "iso-8859-15", "windows-1252", "cp866", "shift_jis", "utf-16", "utf-16le", "koi8-r", ""]
        {
            assert!(is_searched(name), "{name}");
        }
        let hiding = [
            "utf-32",
            "utf-32be",
            "ucs-4",
            "utf-7",
            "ibm037",
            "cp037",
            "cp500",
            "ibm1047",
            "ebcdic-us",
            "iso-2022-jp",
            "hz-gb-2312",
            "scsu",
        ];
        for name in hiding {
            assert!(!is_searched(name), "{name}");
        }
    }
}
