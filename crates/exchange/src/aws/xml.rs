//! As much of XML as STS answers with: elements and text. What it never has is refused: declarations of types, comments,
//! sections, instructions, entities of one's own.

use zeroize::Zeroizing;

use claviger_catalog::SecretText;

/// Elements within elements; the deepest that counts is the fourth.
const DEPTH_MAX: usize = 8;

/// Elements at all; an honest answer has some fifteen.
const ELEMENTS_MAX: usize = 64;

/// Texts and where they stand.
pub(super) struct Leaves(Vec<(String, SecretText)>);

impl Leaves {
    /// The text at `a/b/c`. None, if there is not exactly one.
    pub(super) fn one(&self, path: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(it, _)| it == path);
        let (_, text) = found.next()?;
        found.next().is_none().then_some(text.reveal())
    }
}

/// Reads a document. None, if it is none, or not one of those.
pub(super) fn read(text: &str) -> Option<Leaves> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader =
        Reader { rest: declared(text)?.trim_start_matches(BLANK), elements: 0, leaves: Vec::new() };
    reader.element("", 0)?;
    reader.rest.trim_matches(BLANK).is_empty().then_some(Leaves(reader.leaves))
}

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// What follows the declaration that a document may begin with.
fn declared(text: &str) -> Option<&str> {
    match text.strip_prefix("<?xml ") {
        None => Some(text),
        Some(rest) => {
            rest.split_once("?>").filter(|(declaration, _)| !declaration.contains('<')).map(|it| it.1)
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    elements: usize,
    leaves: Vec<(String, SecretText)>,
}

impl<'a> Reader<'a> {
    /// One element with all that is in it.
    fn element(&mut self, above: &str, depth: usize) -> Option<()> {
        self.elements += 1;
        if depth == DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return None;
        }
        self.take("<")?;
        let name = self.name()?;
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        if self.attributes()? {
            self.leaves.push((path, SecretText::new(String::new())));
            return Some(());
        }
        let mut has_elements = false;
        let text = loop {
            let text = self.text()?;
            if self.rest.starts_with("</") {
                break text;
            }
            // Text beside elements is only how they are laid out.
            if !text.trim_matches(BLANK).is_empty() {
                return None;
            }
            has_elements = true;
            self.element(&path, depth + 1)?;
        };
        self.take("</")?;
        self.take(name)?;
        self.rest = self.rest.trim_start_matches(BLANK);
        self.take(">")?;
        match has_elements {
            true => text.trim_matches(BLANK).is_empty().then_some(()),
            false => {
                self.leaves.push((path, SecretText::new((*text).clone())));
                Some(())
            }
        }
    }

    fn take(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn name(&mut self) -> Option<&'a str> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || ['_', '-', '.', ':'].contains(&c);
        let end = self.rest.find(|c| !is_name(c))?;
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then_some(name)
    }

    /// Passes over attributes, to the tag's end; whether that is the element's too.
    fn attributes(&mut self) -> Option<bool> {
        loop {
            let rest = self.rest.trim_start_matches(BLANK);
            let is_apart = rest.len() < self.rest.len();
            self.rest = rest;
            if self.take(">").is_some() {
                return Some(false);
            }
            if self.take("/>").is_some() {
                return Some(true);
            }
            self.name().filter(|_| is_apart)?;
            self.take("=")?;
            let quote = self.rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
            let (value, rest) = self.rest[1..].split_once(quote)?;
            if value.contains(['<', '&']) {
                return None;
            }
            self.rest = rest;
        }
    }

    /// Text up to the next tag.
    fn text(&mut self) -> Option<Zeroizing<String>> {
        let (raw, rest) = self.rest.split_at(self.rest.find('<')?);
        self.rest = rest;
        let mut text = Zeroizing::new(String::with_capacity(raw.len()));
        let mut pieces = raw.split('&');
        text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let (name, plain) = piece.split_once(';')?;
            text.push(entity(name)?);
            text.push_str(plain);
        }
        let is_text = |c: char| !c.is_control() || BLANK.contains(&c);
        text.chars().all(is_text).then_some(text)
    }
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        u32::from_str_radix(digits, radix).ok().filter(|_| is_number).and_then(char::from_u32)
    };
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x") {
            Some(digits) => number(digits, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str, path: &str) -> Option<String> {
        read(text)?.one(path).map(str::to_owned)
    }

    #[test]
    fn elements_and_text_are_read() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<a xmlns='x' b = \"\">".replace(" = ", "=")
            + "\n <b>x&amp;&lt;&#65;&#x42;</b><c/>\n<d ></d >\r\n</a>\n";
        assert_eq!(one(&text, "a/b").as_deref(), Some("x&<AB"));
        assert_eq!(one(&text, "a/c").as_deref(), Some(""));
        assert_eq!(one(&text, "a/d").as_deref(), Some(""));
        assert_eq!(one(&text, "b"), None);
        assert_eq!(one("<a><b>1</b><b>1</b></a>", "a/b"), None);
        assert_eq!(one("<a><b>1</b><c><b>2</b></c></a>", "a/b").as_deref(), Some("1"));
    }

    #[test]
    fn what_sts_never_has_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(9), "</a>".repeat(9));
        let many = format!("<a>{}</a>", "<b/>".repeat(64));
        for text in [
            "",
            "a",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>x<b/></a>",
            "<a><b/>x</a>",
            "<a b></a>",
            "<a b=c></a>",
            "<a b='<'/>",
            "<ab='c'/>",
            "<a b='c'd='e'/>",
            "< a/>",
            "<1/>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<a>&x;</a>",
            "<a>&amp</a>",
            "<a>&#0;</a>",
            "<a>&#xD800;</a>",
            "<a>&#+65;</a>",
            "<a>&#x110000;</a>",
            "<a>\u{1}</a>",
            "<a><![CDATA[x]]></a>",
            "<a><!-- x --></a>",
            "<a><?x ?></a>",
            "<?xml <?><a/>",
            "<?xml version='1.0'?><?xml version='1.0'?><a/>",
            &deep,
            &many,
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "[ -~äß\n]{0,60}") {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
            prop_assert_eq!(one(&format!("<a><b>{escaped}</b></a>"), "a/b"), Some(text));
        }

        #[test]
        fn nothing_brings_it_down(text in "[<>/&;#x!?='\"ab \u{0}ü-]{0,80}") {
            let _ = read(&text);
        }
    }
}
