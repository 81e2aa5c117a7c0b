//! The server's end of the socket.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::{Answer, Context, ControlError, MESSAGE_BYTES_MAX, Request, TRANSFER_PATIENCE, commands};
use crate::data_dir::DataDir;

/// Commands under way at once: an operator with a few terminals, and no more memory than that needs.
const COMMANDS_MAX: usize = 4;
/// The pause after the system refused a connection, so that a lack of descriptors does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const ROOT: u32 = 0;

/// An open socket. Closing it takes it away.
pub struct ControlServer {
    stop: oneshot::Sender<Duration>,
    task: JoinHandle<()>,
}

impl ControlServer {
    /// Opens the socket. One that is there was left behind, since the directory's lock is ours.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn open(data: &DataDir, context: Context) -> Result<Self, ControlError> {
        let path = data.control_socket();
        let failed = |source| ControlError::Open { path: path.clone(), source };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        // Until here, the directory's mode keeps others out.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        let owner = fs::metadata(&path).map_err(failed)?.uid();
        let (stop, stopped) = oneshot::channel();
        let socket =
            Socket { listener, path, owner, context, places: Arc::new(Semaphore::new(COMMANDS_MAX)) };
        Ok(Self { stop, task: tokio::spawn(socket.serve(stopped)) })
    }

    /// Takes no more commands, lets those under way end for so long, and gives up the rest.
    pub async fn close(self, drain: Duration) {
        let _ = self.stop.send(drain);
        let _ = self.task.await;
    }
}

struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// This process's user.
    owner: u32,
    context: Context,
    places: Arc<Semaphore>,
}

impl Socket {
    async fn serve(self, mut stopped: oneshot::Receiver<Duration>) {
        let mut under_way = JoinSet::new();
        let drain = loop {
            tokio::select! {
                drain = &mut stopped => break drain.unwrap_or_default(),
                (place, accepted) = self.next() => match accepted {
                    Ok(stream) => self.take(stream, place, &mut under_way),
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the control socket was not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = under_way.join_next() => {}
            }
        };
        let _ = fs::remove_file(&self.path);
        let all = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, all).await.is_err() {
            tracing::warn!("commands still under way were given up at the deadline");
            under_way.shutdown().await;
        }
    }

    /// The next connection, once there is a place for it. Until then peers wait in the system's own queue.
    async fn next(&self) -> (Option<OwnedSemaphorePermit>, io::Result<UnixStream>) {
        // The semaphore is never closed, so that there is always a permit.
        let place = self.places.clone().acquire_owned().await.ok();
        (place, self.listener.accept().await.map(|(stream, _)| stream))
    }

    fn take(&self, stream: UnixStream, place: Option<OwnedSemaphorePermit>, under_way: &mut JoinSet<()>) {
        let peer = stream.peer_cred().map(|peer| peer.uid());
        if !peer.as_ref().is_ok_and(|uid| [self.owner, ROOT].contains(uid)) {
            tracing::warn!(?peer, "somebody else's connection to the control socket was refused");
            return;
        }
        let context = self.context.clone();
        under_way.spawn(async move {
            if let Err(error) = converse(stream, context).await {
                tracing::warn!(%error, "a conversation over the control socket broke off");
            }
            drop(place);
        });
    }
}

async fn converse(mut stream: UnixStream, context: Context) -> io::Result<()> {
    let request = tokio::time::timeout(TRANSFER_PATIENCE, receive(&mut stream)).await??;
    tracing::info!(command = %request.command.escape_default(), "asked over the control socket");
    let answer = match commands::execute(context, &request.command, request.arguments).await {
        Ok(value) => Answer::Ok(value),
        Err(failure) => Answer::Error(failure.into_text()),
    };
    let bytes = zeroize::Zeroizing::new(serde_json::to_vec(&answer)?);
    tokio::time::timeout(TRANSFER_PATIENCE, async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    })
    .await?
}

async fn receive(stream: &mut UnixStream) -> io::Result<Request> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    stream.take(MESSAGE_BYTES_MAX + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(ErrorKind::InvalidData, "the request is too large"));
    }
    Ok(serde_json::from_slice(&bytes)?)
}
