//! A password as somebody gives it: typed twice and not shown, or as one line of standard input.

use std::io::{self, BufRead, IsTerminal, Read, StdinLock, Write};

use claviger_vault::PASSWORD_BYTES_MAX;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::control::{ControlError, Failure};
use crate::error::StartError;

/// More than any password with its line's end: what is longer is refused as too long.
const INPUT_BYTES_MAX: u64 = PASSWORD_BYTES_MAX as u64 + 3;

/// Reads it.
///
/// # Errors
/// When it cannot be read, has several lines, or is not the same both times.
pub(super) fn read(address: &str) -> Result<Zeroizing<String>, StartError> {
    let mut input = io::stdin().lock();
    if !io::stdin().is_terminal() {
        let mut text = buffer();
        input.by_ref().take(INPUT_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
        return one_line(text);
    }
    let first = ask(&mut input, &format!("New password of {address}: "))?;
    let second = ask(&mut input, "The same again: ")?;
    match *first == *second {
        true => Ok(first),
        false => Err(failed("the two are not the same: nothing was changed")),
    }
}

/// With the final capacity from the start, growing leaves no copy behind.
fn buffer() -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(INPUT_BYTES_MAX as usize))
}

fn one_line(mut text: Zeroizing<String>) -> Result<Zeroizing<String>, StartError> {
    let end = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).len());
    if let Some(end) = end {
        text.truncate(end);
    }
    match text.contains(['\n', '\r']) {
        true => Err(failed("a password is one line")),
        false => Ok(text),
    }
}

fn ask(input: &mut StdinLock<'_>, prompt: &str) -> Result<Zeroizing<String>, StartError> {
    let hidden = Hidden::begin().map_err(unreadable)?;
    let mut errors = io::stderr();
    // Nobody is left to ask where standard error is closed.
    let _ = write!(errors, "{prompt}").and_then(|()| errors.flush());
    let mut text = buffer();
    let read = input.by_ref().take(INPUT_BYTES_MAX).read_line(&mut text);
    drop(hidden);
    let _ = writeln!(errors);
    read.map_err(unreadable)?;
    one_line(text)
}

fn unreadable(source: io::Error) -> StartError {
    StartError::Read { path: "standard input".into(), source }
}

fn failed(sentence: &str) -> StartError {
    ControlError::from(Failure::new(sentence)).into()
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The terminal is gone where this fails.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_without_its_end() {
        let line = |text: &str| one_line(Zeroizing::new(text.to_owned())).ok().map(|text| text.to_string());
        for text in ["pass word ", "pass word \n", "pass word \r\n"] {
            assert_eq!(line(text).as_deref(), Some("pass word "), "{text:?}");
        }
        for text in ["a\nb", "a\n\n", "a\rb"] {
            assert_eq!(line(text), None, "{text:?}");
        }
    }
}
