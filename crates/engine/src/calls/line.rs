//! A line of what was called: read, and written for what is no call of the broker's, which writes its own, many a second.

use claviger_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::connections::internal;

/// One call through a connection. The path has no query, and nothing of it is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it ended, or began if it has not ended.
    pub at: Timestamp,
    /// The id of the credential; `server` for a test that the server made by itself.
    pub credential: String,
    /// The id of who called, if it was a user.
    pub user: Option<String>,
    /// The method.
    pub method: String,
    /// The host that it went to, or was to go to; none where it was refused before that was known.
    pub host: Option<String>,
    /// The path there, without the query.
    pub path: Option<String>,
    /// The status of the answer; none where the caller did not wait for it.
    pub status: Option<u16>,
    /// Why it was refused, or broke off: the stable code.
    pub error: Option<String>,
    /// Bytes of the body that went out.
    pub bytes_sent: u64,
    /// Bytes of the answer's body that the caller took.
    pub bytes_received: u64,
    /// How long it took; none where nobody knows of its end: it goes on, or the server was killed.
    pub duration_us: Option<u64>,
    /// How often a secret was masked in the answer.
    pub masked: u64,
}

/// The members of the JSON array, in their order.
#[derive(Serialize, Deserialize)]
struct Line(i64, String, String, String, String, String, u16, Option<String>, u64, u64, Option<u64>, u64);

impl Call {
    pub(super) fn read(line: &str) -> Result<Self, Error> {
        let read: Line = serde_json::from_str(line).map_err(internal)?;
        let Line(at, credential, user, method, host, path, status, error, sent, received, micros, masked) =
            read;
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Self {
            at: Timestamp::from_micros(at),
            credential,
            user: some(user),
            method,
            host: some(host),
            path: some(path),
            status: Some(status).filter(|status| *status != 0),
            error,
            bytes_sent: sent,
            bytes_received: received,
            duration_us: micros,
            masked,
        })
    }

    /// The line, with its end.
    pub(super) fn written(&self) -> Result<String, Error> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let line = Line(
            self.at.micros(),
            self.credential.clone(),
            text(&self.user),
            self.method.clone(),
            text(&self.host),
            text(&self.path),
            self.status.unwrap_or_default(),
            self.error.clone(),
            self.bytes_sent,
            self.bytes_received,
            self.duration_us,
            self.masked,
        );
        serde_json::to_string(&line).map(|line| line + "\n").map_err(internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let begun = Call {
            at: Timestamp::from_micros(17),
            credential: "server".to_owned(),
            user: None,
            method: "POST".to_owned(),
            host: Some("auth.example.com".to_owned()),
            path: Some("/a\"b\n/token".to_owned()),
            status: None,
            error: None,
            bytes_sent: 0,
            bytes_received: 0,
            duration_us: None,
            masked: 0,
        };
        let ended = Call {
            status: Some(502),
            error: Some("grant_refused".to_owned()),
            duration_us: Some(3),
            user: Some("somebody".to_owned()),
            ..begun.clone()
        };
        for call in [begun, ended] {
            let line = call.written().unwrap();
            assert_eq!(line.lines().count(), 1, "{line}");
            assert_eq!(Call::read(line.trim_end()).unwrap(), call);
        }
    }
}
