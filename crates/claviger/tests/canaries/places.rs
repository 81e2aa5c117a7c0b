//! Where secrets are looked for beside the answers: the metrics page, what the database holds at several moments, and
//! the log of the process.

use crate::support::{Setup, TestServer};
use crate::{Answers, Canaries, log};

/// What was found there.
#[derive(Default)]
pub(crate) struct Places {
    metrics: String,
    pub(crate) stored: Vec<(String, Vec<u8>)>,
}

impl Places {
    /// Keeps what a server shows and stores while it runs, with what is not yet moved out of SQLite's log of writes.
    pub(crate) async fn keep(&mut self, server: &TestServer) {
        self.metrics += &server.metrics();
        let contents = server.database().contents().await;
        let stored: usize = contents.iter().map(|(_, contents)| contents.len()).sum();
        assert!(stored > 10_000, "the database was looked at");
        self.stored.extend(contents);
    }

    /// Stops a server, keeps what is stored then, and starts another in its place.
    pub(crate) async fn keep_over_a_start(&mut self, server: TestServer, setup: Setup) -> TestServer {
        let halted = server.halt().await;
        self.stored.extend(halted.database.contents().await);
        halted.start(setup).await
    }

    /// No secret has a part in any of it, nor in the answers. The log has these texts, so that it is known to be one.
    #[track_caller]
    pub(crate) fn assert_clean(&self, canaries: &Canaries, answers: &Answers, logged: &[&str]) {
        for (about, text) in &answers.0 {
            canaries.assert_absent(&format!("an answer to {about}: {text}"), text.as_bytes());
        }
        canaries.assert_absent("the metrics page", self.metrics.as_bytes());
        for (name, contents) in &self.stored {
            canaries.assert_absent(name, contents);
        }
        let log = log().0.lock().unwrap().clone();
        for text in logged {
            let text = text.as_bytes();
            assert!(log.windows(text.len()).any(|window| window == text), "the log was looked at");
        }
        canaries.assert_absent("the log", &log);
    }
}
