//! Asking: a running server over its socket, or where none runs, an engine of our own under the lock.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use zeroize::Zeroizing;

use super::{Answer, Context, ControlError, Failure, MESSAGE_BYTES_MAX, Request, commands};
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::settings::Settings;
use crate::start;

/// How long a server that has taken the lock may need until it takes commands, or another command until it ends.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two attempts.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Has a command done, wherever that is right.
///
/// # Errors
/// When the data directory cannot be used, the server cannot be reached, or the command was not done.
pub async fn call(settings: &Settings, command: &str, arguments: Value) -> Result<Value, StartError> {
    let started = Instant::now();
    loop {
        match DataDir::try_open(&settings.data) {
            Ok(data) => return execute_here(settings, &data, command, arguments).await,
            Err(StartError::DataDirInUse { .. }) => {}
            Err(error) => return Err(error),
        }
        match UnixStream::connect(DataDir::control_socket_in(&settings.data)).await {
            Ok(stream) => return Ok(ask(stream, command, arguments).await?),
            Err(source) => {
                let is_closed = matches!(source.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused);
                if !is_closed || started.elapsed() > BUSY_PATIENCE {
                    return Err(ControlError::Deaf { path: settings.data.clone(), source }.into());
                }
            }
        }
        tokio::time::sleep(BUSY_PAUSE).await;
    }
}

async fn execute_here(
    settings: &Settings,
    data: &DataDir,
    command: &str,
    arguments: Value,
) -> Result<Value, StartError> {
    let (engine, background, _) = start::open(settings, data).await?;
    let context = Context { engine: engine.clone(), kek: settings.kek.clone() };
    let done = commands::execute(context, command, arguments).await;
    background.stop(engine).await;
    Ok(done.map_err(ControlError::from)?)
}

async fn ask(mut stream: UnixStream, command: &str, arguments: Value) -> Result<Value, ControlError> {
    let request = Request { command: command.to_owned(), arguments };
    let request = serde_json::to_vec(&request).map_err(|error| ControlError::Broken(error.into()))?;
    let request = Zeroizing::new(request);
    let mut bytes = Zeroizing::new(Vec::new());
    let exchange = async {
        stream.write_all(&request).await?;
        stream.shutdown().await?;
        stream.take(MESSAGE_BYTES_MAX + 1).read_to_end(&mut bytes).await?;
        serde_json::from_slice(&bytes).map_err(io::Error::from)
    };
    match exchange.await.map_err(ControlError::Broken)? {
        Answer::Ok(value) => Ok(value),
        Answer::Error(sentence) => Err(Failure::new(sentence).into()),
    }
}
