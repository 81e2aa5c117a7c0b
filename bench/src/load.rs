//! The load generator: kept connections, one request under way on each, no pipelining, one thread.
//!
//! It goes round its connections: take the answer, send the next request. Two system calls a request and nothing
//! else, so that it is faster than what it measures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::cpu_time;
use crate::server::Server;

/// Connections, where there are many.
pub(crate) const CONNECTIONS: usize = 64;

/// More than the longest answer that is asked for.
const BUFFER_BYTES: usize = 256 * 1024;

/// Requests of one form that differ in their credentials only.
pub(crate) struct Requests {
    text: Vec<u8>,
    ends: Vec<usize>,
    next: usize,
    /// The status that every answer must have.
    pub(crate) status: u16,
}

impl Requests {
    pub(crate) fn new(texts: impl IntoIterator<Item = String>, status: u16) -> Self {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for one in texts {
            text.extend_from_slice(one.as_bytes());
            ends.push(text.len());
        }
        Self { text, ends, next: 0, status }
    }

    fn next(&mut self) -> &[u8] {
        let start = self.next.checked_sub(1).map_or(0, |before| self.ends[before]);
        let end = self.ends[self.next];
        self.next = (self.next + 1) % self.ends.len();
        &self.text[start..end]
    }
}

/// What a server did in its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// Answers in a second.
    pub(crate) per_second: f64,
    /// Time on a core for each answer, in microseconds.
    pub(crate) cpu_micros: f64,
}

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], filled: 0 })
    }

    pub(crate) fn send(&mut self, request: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(request)?)
    }

    /// The answer, if all of it is there, on a connection that does not wait.
    fn received(&mut self) -> Result<Option<&[u8]>> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => Err("the server closed a connection, or its answer is too long".into()),
            Ok(count) => {
                self.filled += count;
                let length = answer_length(&self.buffer[..self.filled]);
                Ok(length.filter(|length| *length <= self.filled).map(|length| &self.buffer[..length]))
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The next answer, whole.
    pub(crate) fn receive(&mut self) -> Result<&[u8]> {
        receive(&mut self.stream, &mut self.buffer)
    }
}

/// The next answer on a connection, whole.
fn receive<'b>(stream: &mut TcpStream, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
    let (mut filled, mut length) = (0, None);
    loop {
        let count = stream.read(&mut buffer[filled..])?;
        if count == 0 {
            return Err("the server closed a connection, or its answer is too long".into());
        }
        filled += count;
        length = length.or_else(|| answer_length(&buffer[..filled]));
        if let Some(length) = length.filter(|length| *length <= filled) {
            return Ok(&buffer[..length]);
        }
    }
}

/// The length of an answer whose headers are there.
fn answer_length(bytes: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let is_length = |window: &[u8]| window.starts_with(b"\r\n") && window.eq_ignore_ascii_case(LENGTH);
    let place = bytes[..head].windows(LENGTH.len()).position(is_length);
    let digits = |place: usize| bytes[place + LENGTH.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let body = place
        .map_or(0, |place| digits(place).fold(0, |number, digit| number * 10 + usize::from(digit - b'0')));
    Some(head + 4 + body)
}

/// The status of an answer.
pub(crate) fn status(answer: &[u8]) -> u16 {
    let digits = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Sends every request once.
pub(crate) fn run_through(server: &Server, requests: &mut Requests) -> Result<()> {
    let mut connection = Connection::open(server.address)?;
    for _ in 0..requests.ends.len() {
        connection.send(requests.next())?;
        expect(connection.receive()?, requests.status)?;
    }
    Ok(())
}

/// Loads a server for a time.
pub(crate) fn run(server: &Server, requests: &mut Requests, time: Duration) -> Result<Turn> {
    let mut connections =
        (0..CONNECTIONS).map(|_| Connection::open(server.address)).collect::<Result<Vec<_>>>()?;
    // One for all: with one each, long answers would go through more memory than the caches hold.
    let mut buffer = vec![0; BUFFER_BYTES];
    let (before, started) = (cpu_time(server.pid())?, Instant::now());
    for connection in &mut connections {
        connection.send(requests.next())?;
    }
    let mut answers = 0;
    while started.elapsed() < time {
        for connection in &mut connections {
            expect(receive(&mut connection.stream, &mut buffer)?, requests.status)?;
            connection.send(requests.next())?;
            answers += 1;
        }
    }
    for connection in &mut connections {
        expect(receive(&mut connection.stream, &mut buffer)?, requests.status)?;
        answers += 1;
    }
    let elapsed = started.elapsed();
    let cpu = cpu_time(server.pid())? - before;
    Ok(Turn {
        per_second: f64::from(answers) / elapsed.as_secs_f64(),
        cpu_micros: cpu.as_secs_f64() * 1e6 / f64::from(answers),
    })
}

fn expect(answer: &[u8], wanted: u16) -> Result<()> {
    if status(answer) == wanted {
        return Ok(());
    }
    Err(format!("an answer was not {wanted}: {}", String::from_utf8_lossy(answer)).into())
}

/// The latencies of requests on one connection, sorted.
pub(crate) fn latencies(address: SocketAddr, requests: &mut Requests, count: usize) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address)?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        connection.send(requests.next())?;
        expect(connection.receive()?, requests.status)?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// The latencies of requests that come at a steady rate, whether those before are answered or not, sorted. Each is
/// counted from when it was due, so that one that had to wait for another is not told as a quick one. One thread that never
/// sleeps asks and listens, so that what is measured is the server and not who wakes up when.
pub(crate) fn paced(
    address: SocketAddr,
    texts: &[String],
    per_second: f64,
    time: Duration,
) -> Result<Vec<Duration>> {
    let mut idle = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let connection = Connection::open(address)?;
        connection.stream.set_nonblocking(true)?;
        idle.push(connection);
    }
    let mut busy: Vec<(Connection, Instant)> = Vec::with_capacity(CONNECTIONS);
    let mut times = Vec::new();
    let (started, mut number) = (Instant::now(), 0);
    loop {
        let due = started + Duration::from_secs_f64(f64::from(number) / per_second);
        let is_over = due >= started + time;
        if is_over && busy.is_empty() {
            break;
        }
        if !is_over
            && due <= Instant::now()
            && let Some(mut connection) = idle.pop()
        {
            connection.filled = 0;
            connection.send(texts[number as usize % texts.len()].as_bytes())?;
            busy.push((connection, due));
            number += 1;
        }
        let mut place = 0;
        while place < busy.len() {
            match busy[place].0.received()? {
                None => place += 1,
                Some(answer) => {
                    expect(answer, 200)?;
                    let (connection, due) = busy.swap_remove(place);
                    times.push(due.elapsed());
                    idle.push(connection);
                }
            }
        }
    }
    times.sort_unstable();
    Ok(times)
}

/// One answer, as it comes over the wire.
pub(crate) fn one(address: SocketAddr, requests: &mut Requests) -> Result<Vec<u8>> {
    let mut connection = Connection::open(address)?;
    connection.send(requests.next())?;
    let answer = connection.receive()?;
    expect(answer, requests.status)?;
    Ok(answer.to_vec())
}
