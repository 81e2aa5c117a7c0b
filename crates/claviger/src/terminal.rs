//! The one place that writes to standard output and standard error, apart from the log.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use claviger_model::chain;

/// Where the operator is told something, and whether somebody reads it there.
pub struct Terminal<'a> {
    out: Box<dyn Write + 'a>,
    is_watched: bool,
}

impl<'a> Terminal<'a> {
    /// Standard output.
    pub fn stdout() -> Self {
        Self { is_watched: io::stdout().is_terminal(), out: Box::new(io::stdout()) }
    }

    /// Somewhere else, taken for a terminal or not.
    pub fn new(out: impl Write + 'a, is_watched: bool) -> Self {
        Self { out: Box::new(out), is_watched }
    }

    /// Whether this is a terminal. What goes elsewhere may be kept by whoever collects it, so no secret does.
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Writes a text, all of it before this returns.
    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// Tells on standard error what was done.
pub(crate) fn tell(text: &str) {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Tells on standard error why the program ends, and what led to it.
pub fn complain(error: &dyn Error) {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(io::stderr(), "claviger: {}", chain(error));
}

#[cfg(test)]
mod tests {
    use crate::error::StartError;

    use super::*;

    #[test]
    fn a_complaint_ends_with_its_cause() {
        let error = StartError::Runtime(io::Error::other("no threads"));
        assert_eq!(chain(&error), "the program cannot be set up: no threads");
    }
}
