//! A connection as the server needs it.
//!
//! - One that says nothing ends. The HTTP library times the headers of HTTP/1, but waits without end for the first
//!   bytes, which tell the version: a client could hold connections open for nothing.
//! - What is no HTTP is refused in words. The library answers too many headers, too long lines and nonsense by
//!   itself, with a status alone. Taking more headers, to refuse them later, would make every good request dearer
//!   (the library then asks for memory twice for each); looking at how an answer begins costs next to nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::Misfit;

/// How HTTP/2 begins; where the first bytes differ, it is HTTP/1.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// See the module's documentation.
pub(crate) struct Guarded<S> {
    stream: S,
    misfit: Misfit,
    /// Runs until the version of HTTP is known; from then on the library has timers of its own.
    deadline: Option<Pin<Box<Sleep>>>,
    /// How the bytes began that came since something was last written, which is how a request began unless
    /// several were sent at once: enough to tell dialects apart.
    beginning: [u8; PREFACE.len()],
    begun: usize,
    /// What is written in place of an answer without words, and how much of it already was.
    words: Vec<u8>,
    written: usize,
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, patience: Duration, misfit: Misfit) -> Self {
        Self {
            stream,
            misfit,
            deadline: Some(Box::pin(tokio::time::sleep(patience))),
            beginning: [0; PREFACE.len()],
            begun: 0,
            words: Vec::new(),
            written: 0,
        }
    }

    fn note_read(&mut self, bytes: &[u8]) {
        let room = &mut self.beginning[self.begun..];
        let taken = room.len().min(bytes.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.begun += taken;
        let is_known = self.begun == PREFACE.len() || !PREFACE.starts_with(&self.beginning[..self.begun]);
        if is_known {
            self.deadline = None;
        }
    }

    /// The path of the request that is being answered, or as much of it as was kept.
    fn path(&self) -> &str {
        let line = std::str::from_utf8(&self.beginning[..self.begun]).unwrap_or_default();
        line.split(' ').nth(1).unwrap_or_default()
    }

    /// An answer with words, where `head` is one of the library's own without.
    fn in_words(&self, head: &[u8]) -> Option<Vec<u8>> {
        let code = head.strip_prefix(b"HTTP/1.1 ")?.first_chunk::<3>()?;
        let sentence = match code {
            b"400" => "The request is not valid HTTP",
            b"414" => "The address of the request is too long",
            b"431" => "The headers of the request are too many or too long",
            _ => return None,
        };
        let (first, last) = std::str::from_utf8(head).ok()?.split_once("content-length: 0\r\n")?;
        let status = StatusCode::from_bytes(code).ok()?;
        let body = (self.misfit)(self.path(), status, sentence);
        let length = body.len();
        let told =
            format!("{first}content-type: application/json\r\ncontent-length: {length}\r\n{last}{body}");
        Some(told.into_bytes())
    }
}

impl<S: AsyncWrite + Unpin> Guarded<S> {
    fn poll_words(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.words.len() {
            let rest = &self.words[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => self.written += more,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                if self.begun < PREFACE.len() {
                    self.note_read(&buffer.filled()[before..]);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => match &mut self.deadline {
                Some(deadline) => {
                    ready!(deadline.as_mut().poll(cx));
                    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                }
                None => Poll::Pending,
            },
            failed => failed,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_words(cx))?;
        if let Some(words) = self.in_words(bytes) {
            (self.words, self.written) = (words, 0);
            return Poll::Ready(Ok(bytes.len()));
        }
        self.begun = 0;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_words(cx))?;
        let first = slices.iter().find(|slice| !slice.is_empty());
        if let Some(words) = first.and_then(|head| self.in_words(head)) {
            (self.words, self.written) = (words, 0);
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        self.begun = 0;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_words(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_words(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
