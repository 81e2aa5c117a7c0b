//! Checkpoints: while the server runs and when it stops, it signs where the ledger stands, and puts that where
//! whoever can edit the database should not be able to.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claviger_engine::Engine;
use claviger_model::Position;
use claviger_store::Checkpoint;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::line_file::LineFile;
use crate::settings::CheckpointPlace;
use crate::terminal::Terminal;

/// How often it is looked whether there is something new to sign: what is cut off within it goes unseen.
const PERIOD: Duration = Duration::from_secs(60);

/// The work of signing, in the background.
pub struct Checkpoints {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Checkpoints {
    /// Signs at once, and from then on.
    pub fn start(engine: Arc<Engine>, place: CheckpointPlace) -> Self {
        let (stop, stopping) = watch::channel(false);
        Self { task: tokio::spawn(keep_signing(engine, place, stopping)), stop }
    }

    /// Signs for the last time. To be called once no request is left.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

async fn keep_signing(engine: Arc<Engine>, place: CheckpointPlace, mut stopping: watch::Receiver<bool>) {
    let mut signed = None;
    loop {
        let is_last = *stopping.borrow_and_update();
        signed = sign(&engine, &place, signed).await;
        if is_last {
            return;
        }
        let _ = tokio::time::timeout(PERIOD, stopping.wait_for(|stop| *stop)).await;
    }
}

/// Signs unless it is signed already, and tells what is.
async fn sign(engine: &Engine, place: &CheckpointPlace, signed: Option<Position>) -> Option<Position> {
    match engine.checkpoint().await {
        Ok(Some(checkpoint)) if Some(checkpoint.position) != signed => match write(place, &checkpoint) {
            Ok(()) => return Some(checkpoint.position),
            Err(error) => tracing::warn!(%error, "a checkpoint could not be written"),
        },
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(error = claviger_model::chain(&error), "no checkpoint could be made");
        }
    }
    signed
}

fn write(place: &CheckpointPlace, checkpoint: &Checkpoint) -> io::Result<()> {
    let line = checkpoint.to_line() + "\n";
    match place {
        CheckpointPlace::StandardOutput => Terminal::stdout().write(&line),
        CheckpointPlace::File(path) => {
            // Opened anew each time, so that it may be moved away at any.
            let mut file = LineFile::open(path)?;
            file.append(&line)?;
            file.sync()
        }
    }
}

/// Why a file of checkpoints cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// A line of it is something else.
    #[error("line {line} is no checkpoint")]
    Line {
        /// Counted from one.
        line: usize,
    },
}

/// All checkpoints in a file.
///
/// # Errors
/// Where it cannot be read, or a whole line of it is no checkpoint.
pub fn read(path: &Path) -> Result<Vec<Checkpoint>, ReadError> {
    let text = fs::read_to_string(path)?;
    // What a crash left of a line is none.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse =
        |(number, line): (usize, &str)| Checkpoint::parse(line).map_err(|_| ReadError::Line { line: number });
    (1..).zip(whole.lines()).map(parse).collect()
}
