//! Each form, as independent encoders write it, at every alignment and within larger texts.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{PLAIN, SECRET, masked};

/// What browsers leave alone in a path.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b'&').add(b'<').add(b'>').add(b'\\');

/// The written form is masked to the last byte, and nothing around it is.
fn check(secret: &str, written: &str) {
    for (before, after) in [
        ("", ""),
        ("x", "y"),
        ("{\"token\":\"", "\",\"ok\":true}"),
        (" 100% & ", " \\ & 5%"),
        ("Authorization: Bearer ", "\r\nserver: x"),
        (&secret[..secret.floor_char_boundary(9)], &secret[secret.floor_char_boundary(3)..]),
        (&"lorem ipsum, dolor; ".repeat(500), &"sit amet. ".repeat(900)),
    ] {
        let expected = format!("{before}{}{after}", "*".repeat(written.len()));
        assert_eq!(masked(&[secret], format!("{before}{written}{after}").as_bytes()), expected, "{written}");
    }
}

#[test]
fn as_it_is() {
    check(SECRET, SECRET);
    check(PLAIN, PLAIN);
}

#[test]
fn hex_of_either_case() {
    for secret in [SECRET, PLAIN] {
        let lower = data_encoding::HEXLOWER.encode(secret.as_bytes());
        let mixed: String = lower
            .chars()
            .enumerate()
            .map(|(at, digit)| if at % 3 == 0 { digit.to_ascii_uppercase() } else { digit })
            .collect();
        check(secret, &lower);
        check(secret, &data_encoding::HEXUPPER.encode(secret.as_bytes()));
        check(secret, &mixed);
    }
}

/// All but what says nothing: a zero before or behind.
#[test]
fn utf16_of_either_order() {
    for secret in [SECRET, PLAIN, "8 bytes!"] {
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let utf16 = |text: &str| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
            let text = utf16(&format!("{{\"token\":\"{secret}\"}}"));
            let masked = masked(&[secret], &text);
            let left: String = masked.chars().filter(|char| *char != '\0').collect();
            assert_eq!(masked.len(), text.len());
            let stars = left.matches('*').count();
            assert!(left == format!("{{\"token\":\"{}\"}}", "*".repeat(stars)), "{left}");
            assert!(stars >= 2 * secret.encode_utf16().count() - 1, "{left}");
        }
    }
}

/// In any place within what is encoded, all characters that hold a bit of the secret are masked, and only those.
#[test]
fn base64_of_either_alphabet_in_every_alignment() {
    for secret in [SECRET, PLAIN, "8 bytes!", "nine byte", "ten bytes~"] {
        for before in 0..10 {
            for after in 0..4 {
                let whole = format!("{}{secret}{}", &"user:name:"[..before], &"#~}"[..after]);
                for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
                    let written = engine.encode(&whole);
                    let first = 8 * before / 6;
                    let end = (8 * (before + secret.len())).div_ceil(6);
                    let mut expected = written.clone();
                    expected.replace_range(first..end, &"*".repeat(end - first));
                    assert_eq!(masked(&[secret], written.as_bytes()), expected, "{whole}");
                }
            }
        }
    }
}

/// What the secret alone decides is masked even where the rest is cut off.
#[test]
fn base64_that_is_cut_at_the_secrets_ends() {
    for before in 0..3 {
        let bits = (8 * before, 8 * (before + PLAIN.len()));
        let (first, end) = (usize::div_ceil(bits.0, 6), bits.1 / 6);
        let written = STANDARD.encode(format!("{}{PLAIN}??", &"aa"[..before]));
        assert_eq!(
            masked(&[PLAIN], format!("~{}~", &written[first..end]).as_bytes()),
            format!("~{}~", "*".repeat(end - first))
        );
    }
}

#[test]
fn base64_that_is_escaped_itself() {
    let secret = "\u{3ef}\u{3ef}\u{3ef}\u{3ef}\u{3ff}~~~???##";
    let written = STANDARD.encode(secret);
    assert!(written.contains('/') && written.contains('+'), "{written}");
    check(secret, &written);
    check(secret, &written.replace('/', r"\/"));
    check(secret, &written.replace('+', r"\u002B"));
    check(secret, &written.replace('+', "%2b").replace('/', "%2F"));
    check(secret, &written.replace('/', "&#x2F;"));
}

#[test]
fn percent_encoded() {
    for set in [NON_ALPHANUMERIC, PATH] {
        let once = utf8_percent_encode(SECRET, set).to_string();
        let twice = utf8_percent_encode(&once, set).to_string();
        let thrice = utf8_percent_encode(&twice, set).to_string();
        for written in [
            &once,
            &once.to_lowercase().replace("zq", "Zq").replace("kx", "Kx").replace("tz", "Tz"),
            &twice,
            &thrice,
        ] {
            check(SECRET, written);
        }
        check(SECRET, &once.replace("%20", "+"));
    }
    let every_byte: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    check(SECRET, &every_byte);
    check(SECRET, &every_byte.to_lowercase());
    check(SECRET, &SECRET.replace('/', "%2F"));
    check(PLAIN, &PLAIN.replacen('g', "%67", 1));
}

#[test]
fn json() {
    let once = serde_json::to_string(SECRET).unwrap();
    let once = once.trim_matches('"');
    let twice = serde_json::to_string(once).unwrap();
    let ascii: String = SECRET.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    check(SECRET, once);
    check(SECRET, &twice[1..twice.len() - 1]);
    check(SECRET, &ascii);
    check(SECRET, &ascii.to_uppercase().replace("\\U", "\\u"));
    check(SECRET, &ascii.replace('\\', r"\\"));
    check(
        SECRET,
        &once
            .replace('/', r"\/")
            .replace('&', r"\u0026")
            .replace('é', r"\u00e9")
            .replace('😀', r"\ud83d\ude00"),
    );
    let control = "line one\nline two\ttabbed\r\u{8}\u{c}\u{1}";
    check(control, serde_json::to_string(control).unwrap().trim_matches('"'));
}

#[test]
fn html() {
    let named = SECRET.replace('&', "&amp;").replace('"', "&quot;");
    check(SECRET, &named);
    check(SECRET, &named.replace('&', "&amp;"));
    check(SECRET, &SECRET.chars().map(|c| format!("&#{};", u32::from(c))).collect::<String>());
    check(SECRET, &SECRET.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect::<String>());
    check("it's <b>old</b>", "it&#039;s &lt;b&gt;old&lt;/b&gt;");
}

#[test]
fn literals_and_quoted_header_values() {
    check(SECRET, &SECRET.replace('\\', r"\\").replace('"', "\\\""));
    check(SECRET, &SECRET.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>());
    check(PLAIN, &PLAIN.replace('-', r"\-"));
}

/// Header values are bytes that many take for Latin-1.
#[test]
fn taken_for_latin_1_and_in_latin_1() {
    let secret = "pässwörd-é!";
    let mistaken: String = secret.bytes().map(char::from).collect();
    check(secret, &mistaken);
    check(secret, serde_json::to_string(&mistaken).unwrap().trim_matches('"'));
    check(secret, &mistaken.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>());
    check(secret, "p%E4ssw%F6rd-%E9!");
    check(secret, r"p\xe4ssw\xf6rd-\xe9!");
}

#[test]
fn all_kinds_of_escapes_in_one() {
    let ways: [fn(u8) -> String; 5] = [
        |byte| format!("%{byte:02x}"),
        |byte| format!("%25{byte:02X}"),
        |byte| format!("\\u{byte:04X}"),
        |byte| format!("&#{byte};"),
        |byte| char::from(byte).to_string(),
    ];
    for turn in 0..ways.len() {
        let written: String =
            PLAIN.bytes().enumerate().map(|(at, byte)| ways[(at * 3 + turn) % 5](byte)).collect();
        check(PLAIN, &written);
    }
}
