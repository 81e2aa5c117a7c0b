//! What must be masked, found the slow way: at every place of a text, every encoding of every character is tried. It
//! shares no code with the crate: encodings are written out here, where the crate reads them.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A form of a secret: what may stand at each place, and how much of either end a neighbour shares.
struct Form {
    places: Vec<Vec<u8>>,
    shared_before: usize,
    shared_after: usize,
}

/// Which bytes of the text must be masked, and which secrets are there.
pub(crate) fn found(secrets: &[Vec<u8>], text: &[u8]) -> (Vec<bool>, HashSet<usize>) {
    let mut masks = vec![false; text.len()];
    let mut present = HashSet::new();
    for (index, secret) in secrets.iter().enumerate() {
        if secret.len() < 8 || secrets[..index].contains(secret) {
            continue;
        }
        for form in forms(secret) {
            for start in 0..text.len() {
                if let Some(end) = longest(&form, text, start) {
                    masks[start..end].fill(true);
                    present.insert(index);
                }
            }
        }
    }
    (masks, present)
}

/// The text with what must be masked masked.
pub(crate) fn masked(secrets: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
    let (masks, _) = found(secrets, text);
    text.iter().zip(masks).map(|(byte, mask)| if mask { b'*' } else { *byte }).collect()
}

fn forms(secret: &[u8]) -> Vec<Form> {
    let text = |bytes: &[u8]| Form {
        places: bytes.iter().map(|byte| if *byte == b' ' { vec![b' ', b'+'] } else { vec![*byte] }).collect(),
        shared_before: 0,
        shared_after: 0,
    };
    let mut forms = vec![text(secret)];
    if !secret.is_ascii() {
        let as_latin1: String = secret.iter().copied().map(char::from).collect();
        forms.push(text(as_latin1.as_bytes()));
        let characters = std::str::from_utf8(secret).map(|secret| secret.chars().collect::<Vec<_>>());
        let in_latin1: Option<Vec<u8>> =
            characters.ok().and_then(|all| all.iter().map(|one| u8::try_from(*one).ok()).collect());
        forms.extend(in_latin1.filter(|bytes| bytes.len() >= 8).map(|bytes| text(&bytes)));
    }
    if let Ok(characters) = std::str::from_utf8(secret) {
        let units: Vec<u16> = characters.encode_utf16().collect();
        let (little, big): (Vec<_>, Vec<_>) =
            units.iter().map(|unit| (unit.to_le_bytes(), unit.to_be_bytes())).unzip();
        let (little, big) = (little.concat(), big.concat());
        // Zeros of ASCII stand between its characters, whichever the order.
        match secret.is_ascii() {
            true => forms.push(text(&big[1..])),
            false => forms.extend([text(&little), text(&big)]),
        }
    }
    let hex = data_encoding::HEXLOWER.encode(secret).into_bytes();
    forms.push(Form {
        places: hex.iter().map(|digit| vec![*digit, digit.to_ascii_uppercase()]).collect(),
        shared_before: 0,
        shared_after: 0,
    });
    forms.extend((0..3).map(|before| base64_form(secret, before)));
    forms
}

/// Every character that can stand at each place of the encoded text, for any neighbours of the secret.
fn base64_form(secret: &[u8], before: usize) -> Form {
    let mut places: Vec<HashSet<u8>> = Vec::new();
    // Each half of a byte, in every way.
    for neighbour in (0..16).map(|half| half * 17) {
        let whole = [&vec![neighbour; before], secret, &[neighbour; 2]].concat();
        for encoded in [STANDARD_NO_PAD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
            places.resize(encoded.len(), HashSet::new());
            places.iter_mut().zip(encoded.bytes()).for_each(|(place, byte)| _ = place.insert(byte));
        }
    }
    // Characters of neighbours alone can be any of 64, or more than 16 of each alphabet at the end.
    let (first, last) = (8 * before / 6, (8 * (before + secret.len()) - 1) / 6);
    let sextets = |place: &HashSet<u8>| place.iter().filter(|byte| !b"-_".contains(byte)).count();
    let places = &places[first..=last];
    Form {
        shared_before: usize::from(sextets(&places[0]) > 1),
        shared_after: usize::from(sextets(&places[places.len() - 1]) > 1),
        places: places.iter().map(|place| place.iter().copied().collect()).collect(),
    }
}

/// Where the longest occurrence of a form ends that begins here.
fn longest(form: &Form, text: &[u8], start: usize) -> Option<usize> {
    let ends = [form.places.len() - form.shared_after, form.places.len()];
    let mut reached: HashSet<(usize, usize)> = [(0, start), (form.shared_before, start)].into();
    let mut ahead: Vec<(usize, usize)> = reached.iter().copied().collect();
    while let Some((place, at)) = ahead.pop() {
        for (places, length) in steps(form, place, &text[at..]) {
            let next = (place + places, at + length);
            if reached.insert(next) {
                ahead.push(next);
            }
        }
    }
    reached.iter().filter(|(place, _)| ends.contains(place)).map(|(_, at)| *at).max()
}

/// How many places of the form, and bytes of the text, can be gone on by.
fn steps(form: &Form, place: usize, text: &[u8]) -> Vec<(usize, usize)> {
    let mut steps = Vec::new();
    if text.is_empty() {
        return steps;
    }
    for byte in form.places.get(place).into_iter().flatten() {
        steps.extend(encodings_of_byte(*byte, text).into_iter().map(|length| (1, length)));
    }
    for width in (2..=4).filter(|_| b"%\\&".contains(&text[0])) {
        let bytes: Option<Vec<u8>> = form.places.get(place..place + width).and_then(|places| {
            places.iter().map(|place| if let [byte] = place[..] { Some(byte) } else { None }).collect()
        });
        let character = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(character) = character.filter(|text| text.chars().count() == 1) {
            let lengths = encodings_of_character(character.chars().next().unwrap(), text);
            steps.extend(lengths.into_iter().map(|length| (width, length)));
        }
    }
    steps
}

/// The lengths of all encodings of a byte that the text begins with.
fn encodings_of_byte(byte: u8, text: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let itself = [byte];
    if text.first() == Some(&byte) {
        lengths.push(1);
    }
    // All others begin with one of these; writing them out in vain is what takes the time.
    if !text.first().is_some_and(|first| b"%\\&".contains(first)) {
        return lengths;
    }
    for percent in ["%", "%25", "%2525"] {
        lengths.extend(begins(text, percent, &format!("{byte:02x}"), ""));
    }
    for count in 1..=4 {
        let backslashes = r"\".repeat(count);
        lengths.extend(begins(text, &format!("{backslashes}x"), &format!("{byte:02x}"), ""));
        let short = match byte {
            b'\n' => "n",
            b'\r' => "r",
            b'\t' => "t",
            8 => "b",
            12 => "f",
            11 => "v",
            0 => "0",
            b'\\' if count == 1 => continue,
            b'\\' => "",
            sign if sign == b' ' || sign.is_ascii_punctuation() => std::str::from_utf8(&itself).unwrap(),
            _ => continue,
        };
        lengths.extend(begins(text, &format!("{backslashes}{short}"), "", ""));
    }
    if byte.is_ascii() {
        let names = match byte {
            b'&' => "amp;",
            b'<' => "lt;",
            b'>' => "gt;",
            b'"' => "quot;",
            b'\'' => "apos;",
            _ => "",
        };
        for ampersand in ["&", "&amp;"] {
            if !names.is_empty() {
                lengths.extend(begins(text, &format!("{ampersand}{names}"), "", ""));
            }
        }
        lengths.extend(encodings_of_character(char::from(byte), text));
    }
    lengths
}

/// The lengths of all encodings of a character as a whole that the text begins with.
fn encodings_of_character(character: char, text: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let value = u32::from(character);
    for count in 1..=4 {
        let backslashes = r"\".repeat(count);
        match character.encode_utf16(&mut [0; 2]) {
            [unit] => lengths.extend(begins(text, &format!("{backslashes}u"), &format!("{unit:04x}"), "")),
            [high, low] => {
                let high = begins(text, &format!("{backslashes}u"), &format!("{high:04x}"), "");
                lengths.extend(high.and_then(|first| {
                    let second =
                        begins(&text[first..], &format!("{backslashes}u"), &format!("{low:04x}"), "");
                    second.map(|second| first + second)
                }));
            }
            _ => unreachable!("a character is one or two units"),
        }
        if (0x80..0x100).contains(&value) {
            lengths.extend(begins(text, &format!("{backslashes}x"), &format!("{value:02x}"), ""));
        }
    }
    for ampersand in ["&", "&amp;"] {
        for digits in 1..=7 {
            let written = format!("{value:0digits$}");
            if written.len() == digits {
                lengths.extend(begins(text, &format!("{ampersand}#"), &written, ";"));
            }
        }
        for (digits, x) in (1..=6).flat_map(|digits| [(digits, "x"), (digits, "X")]) {
            let written = format!("{value:0digits$x}");
            if written.len() == digits {
                lengths.extend(begins(text, &format!("{ampersand}#{x}"), &written, ";"));
            }
        }
    }
    lengths
}

/// The length of the three parts, if the text begins with them; digits of either case.
fn begins(text: &[u8], exact: &str, digits: &str, end: &str) -> Option<usize> {
    let rest = text.strip_prefix(exact.as_bytes())?;
    let fits = rest.get(..digits.len())?.eq_ignore_ascii_case(digits.as_bytes());
    (fits && rest[digits.len()..].starts_with(end.as_bytes()))
        .then_some(exact.len() + digits.len() + end.len())
}
