//! Texts of the catalog with `{field}` in them.

use std::fmt;

use zeroize::Zeroizing;

/// A text with places that fields fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(String),
}

impl Text {
    /// Reads a text; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, from) = rest.split_at(open);
            let from = from.strip_prefix('{').ok_or("has a '}' without a '{'")?;
            let (name, after) = from.split_once('}').ok_or("has a '{' without a '}'")?;
            let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if !named {
                return Err("has something between '{' and '}' that is no field's name");
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Field(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The fields that it names.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text with its places filled; none, if a field has no value. Cleared on drop, since a field may be a secret.
    pub fn fill<'v>(&self, value_of: impl Fn(&str) -> Option<&'v str>) -> Option<Zeroizing<String>> {
        let pieces: Option<Vec<&str>> = self.0.iter().map(|part| piece(part, &value_of)).collect();
        let pieces = pieces?;
        // With the final capacity from the start, growing leaves no copy of a secret behind.
        let mut filled = Zeroizing::new(String::with_capacity(pieces.iter().map(|piece| piece.len()).sum()));
        filled.extend(pieces);
        Some(filled)
    }
}

/// As the catalog writes it.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(text),
            Part::Field(name) => write!(f, "{{{name}}}"),
        })
    }
}

fn piece<'p, 'v: 'p>(part: &'p Part, value_of: impl Fn(&str) -> Option<&'v str>) -> Option<&'p str> {
    match part {
        Part::Literal(text) => Some(text),
        Part::Field(name) => value_of(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let text = Text::parse("a{b}c{d_e}").unwrap();
        assert_eq!(text.fields().collect::<Vec<_>>(), ["b", "d_e"]);
        assert_eq!(text.to_string(), "a{b}c{d_e}");
        let value_of = |name: &str| match name {
            "b" => Some("1"),
            "d_e" => Some("{b}"),
            _ => None,
        };
        assert_eq!(text.fill(value_of).unwrap().as_str(), "a1c{b}");
        assert!(text.fill(|_| None).is_none());
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["{", "}", "{}", "a{b", "a}b{c}", "{B}", "{a b}", "{{a}}"] {
            assert!(Text::parse(text).is_err(), "{text}");
        }
    }
}
