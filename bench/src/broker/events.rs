//! A third party that sends events: the same to many streams, each when it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::user::SECRET;

/// A running one. Its streams end well once it is told to [`end`](Events::end).
pub(crate) struct Events {
    pub(crate) address: SocketAddr,
    next: Sender<String>,
    sending: JoinHandle<std::io::Result<()>>,
}

impl Events {
    /// Takes so many streams, and then sends to all of them what it is given.
    pub(crate) fn start(streams: usize) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (next, texts) = channel::<String>();
        let sending = std::thread::spawn(move || {
            let mut open = (0..streams).map(|_| accept(&listener)).collect::<std::io::Result<Vec<_>>>()?;
            for text in texts {
                let chunk = format!("{:x}\r\n{text}\r\n", text.len());
                open.iter_mut().try_for_each(|stream| stream.write_all(chunk.as_bytes()))?;
            }
            open.iter_mut().try_for_each(|stream| stream.write_all(b"0\r\n\r\n"))
        });
        Ok(Self { address, next, sending })
    }

    /// Sends something to all streams.
    pub(crate) fn send(&self, text: &str) -> crate::Result<()> {
        Ok(self.next.send(text.to_owned())?)
    }

    /// Ends all streams.
    pub(crate) fn end(self) -> crate::Result<()> {
        drop(self.next);
        Ok(self.sending.join().map_err(|_| "the third party of the streams broke down")??)
    }
}

/// A stream that has been asked for, with the secret.
fn accept(listener: &TcpListener) -> std::io::Result<TcpStream> {
    let (mut stream, _) = listener.accept()?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut part = [0; 1024];
        match stream.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => request.extend_from_slice(&part[..count]),
        }
    }
    if !request.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
        return Err(std::io::Error::other("a stream was asked for without the secret"));
    }
    stream.set_nodelay(true)?;
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
          transfer-encoding: chunked\r\n\r\n",
    )?;
    Ok(stream)
}
