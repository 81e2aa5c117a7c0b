//! Secrets and texts for property tests: made so that beginnings, overlaps and escapes meet often.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::collection::vec;
use proptest::prelude::*;

/// Few letters, so that secrets overlap themselves and each other; what escapes begin with; what they are made of.
const ALPHABETS: [&str; 6] =
    ["ab", "a%25", r"\u01x", "&amp;#3", "Zé€😀+ /", "abcdefghijklmnopqrstuvwxyzABCDEF0123456789"];

fn word(lengths: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    (0..ALPHABETS.len()).prop_flat_map(move |which| {
        let letters: Vec<char> = ALPHABETS[which].chars().collect();
        let text = vec(proptest::sample::select(letters), lengths.clone());
        text.prop_map(|letters| letters.into_iter().collect::<String>().into_bytes())
    })
}

/// Some secrets, of which some are too short, some equal, some prefixes of others, some no text; or all long, which are
/// searched with greater strides.
pub(crate) fn secrets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let one = prop_oneof![
        4 => word(6..20),
        1 => vec(any::<u8>(), 8..14),
    ];
    prop_oneof![
        2 => (vec(one, 1..4), any::<bool>(), 8..12_usize).prop_map(|(mut secrets, has_prefix, length)| {
            if has_prefix && secrets[0].len() > length {
                let prefix = secrets[0][..length].to_vec();
                secrets.push(prefix);
            }
            secrets
        }),
        1 => vec(word(19..32), 1..3),
    ]
}

/// What becomes of one part of a text.
#[derive(Debug, Clone)]
enum Part {
    Word(Vec<u8>),
    /// A secret, from somewhere to somewhere, each byte in one of many ways.
    Secret {
        which: usize,
        cut: Option<(usize, usize)>,
        ways: Vec<u8>,
        form: u8,
        around: (Vec<u8>, Vec<u8>),
    },
}

/// Texts with secrets in them, whole and cut, in any form.
pub(crate) fn text_with(secrets: Vec<Vec<u8>>) -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>)> {
    let around = (vec(any::<u8>(), 0..5), vec(any::<u8>(), 0..5));
    let cut = proptest::option::weighted(0.3, (0..4_usize, 0..4_usize));
    let secret = (0..secrets.len(), cut, vec(any::<u8>(), 8), 0..8_u8, around)
        .prop_map(|(which, cut, ways, form, around)| Part::Secret { which, cut, ways, form, around });
    let part = prop_oneof![word(0..8).prop_map(Part::Word), secret];
    vec(part, 0..7).prop_map(move |parts| {
        let text = parts.iter().flat_map(|part| write(&secrets, part)).collect();
        (secrets.clone(), text)
    })
}

fn write(secrets: &[Vec<u8>], part: &Part) -> Vec<u8> {
    let (which, cut, ways, form, around) = match part {
        Part::Word(word) => return word.clone(),
        Part::Secret { which, cut, ways, form, around } => (which, cut, ways, form, around),
    };
    let secret = &secrets[*which];
    let (from, short) = cut.unwrap_or((0, 0));
    let secret = secret.get(from..secret.len().saturating_sub(short)).unwrap_or_default();
    let whole = [&around.0, secret, &around.1].concat();
    let hex = data_encoding::HEXLOWER.encode(secret);
    match form {
        0 => secret.to_vec(),
        1 => hex.into_bytes(),
        2 => hex.bytes().zip(ways.iter().cycle()).map(|(digit, way)| with_case(digit, *way)).collect(),
        3 => STANDARD.encode(&whole).into_bytes(),
        4 => URL_SAFE.encode(&whole).into_bytes(),
        5 => escaped(STANDARD.encode(&whole).as_bytes(), ways),
        6 => serde_json::to_vec(&String::from_utf8_lossy(secret)).unwrap(),
        _ => escaped(secret, ways),
    }
}

fn with_case(digit: u8, way: u8) -> u8 {
    if way & 1 == 0 { digit } else { digit.to_ascii_uppercase() }
}

/// Each byte, or character, in the way that its turn says.
fn escaped(secret: &[u8], ways: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut ways = ways.iter().cycle();
    for chunk in secret.utf8_chunks() {
        for character in chunk.valid().chars() {
            out.extend(one_escaped(character, *ways.next().unwrap()).into_bytes());
        }
        chunk.invalid().iter().for_each(|byte| out.extend(format!("%{byte:02X}").into_bytes()));
    }
    out
}

fn one_escaped(character: char, way: u8) -> String {
    let bytes = character.to_string().into_bytes();
    let percent = |prefix: &str| bytes.iter().map(|byte| format!("{prefix}{byte:02x}")).collect::<String>();
    let units = |prefix: &str| -> String {
        character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{prefix}u{unit:04X}")).collect()
    };
    match way % 16 {
        0 => percent("%"),
        1 => percent("%25").to_uppercase(),
        2 => percent("%2525"),
        3 => units(r"\"),
        4 => units(r"\\"),
        5 => units(r"\\\\"),
        6 => format!("&#{};", u32::from(character)),
        7 => format!("&#X{:04x};", u32::from(character)),
        8 => format!("&amp;#x{:X};", u32::from(character)),
        9 if character.is_ascii_punctuation() => format!("\\{character}"),
        10 if character == '&' => "&amp;amp;".to_owned(),
        11 if character == ' ' => "+".to_owned(),
        _ => character.to_string(),
    }
}
