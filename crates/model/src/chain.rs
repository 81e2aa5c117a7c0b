//! Errors in words.

use std::error::Error;

/// An error and what led to it, as one text. Logs need it: a field that holds an error shows its first sentence
/// alone in some of their forms.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Link(&'static str, Option<Box<Link>>);

    impl fmt::Display for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Link {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|link| link as &dyn Error)
        }
    }

    #[test]
    fn every_cause_is_told() {
        let error = Link(
            "a request failed",
            Some(Box::new(Link("no answer", Some(Box::new(Link("timeout", None)))))),
        );
        assert_eq!(chain(&error), "a request failed: no answer: timeout");
    }
}
