//! Streams of events through the broker, many at once: each gets all of its events, and all together take so much memory.
//! Not pinned.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::events::Events;
use super::user::User;
use crate::Result;
use crate::options::Options;
use crate::process::{ANY_CORE, allow_open_files, anonymous_megabytes, resident_megabytes};
use crate::table::{Report, heading};

/// How many events each stream gets.
const EVENTS: usize = 5;
/// What passes between them: more than the broker lets pass before it asks whether a stream may go on.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What one process opens beside streams: few of these are used.
const OTHER_FILES: usize = 256;

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let count = options.streams();
    heading(&format!("Broker: {count} streams of events at once"));
    // Both ends of them on our side; the product has as many.
    allow_open_files(2 * count + OTHER_FILES)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let events = Events::start(count)?;
    let user = User::start(options, ANY_CORE, folder.path(), events.address)?;
    let pid = user.product.pid();
    let before = (anonymous_megabytes(pid)?, resident_megabytes(pid)?);

    let request = user.call("/events");
    let open = |_| Stream::open(user.product.address, &request);
    let mut streams = (0..count).map(open).collect::<Result<Vec<_>>>()?;
    let (mut expected, mut most) = (String::new(), before);
    for number in 0..EVENTS {
        std::thread::sleep(PAUSE);
        let event = format!(
            "id: {number}\nevent: tick\ndata: {{\"number\":{number},\"text\":\"something happened\"}}\n\n"
        );
        events.send(&event)?;
        expected.push_str(&event);
        streams.iter_mut().try_for_each(|stream| stream.read_until(&expected, false))?;
        most = (most.0.max(anonymous_megabytes(pid)?), most.1.max(resident_megabytes(pid)?));
    }
    events.end()?;
    streams.iter_mut().try_for_each(|stream| stream.read_until(&expected, true))?;
    user.product.stop()?;

    let (anonymous, resident) = (most.0 - before.0, most.1 - before.1);
    println!("each got its {EVENTS} events");
    println!(
        "RssAnon {:.0} MB before, {:.0} MB with them: {:.1} KB each",
        before.0,
        most.0,
        anonymous * 1e3 / count as f64
    );
    println!("all resident memory {:.0} MB before, {:.0} MB with them", before.1, most.1);
    report.at_most(&format!("memory of {count} streams"), resident, 100.0, " MB");
    report.at_most(&format!("RssAnon of the whole process with {count} streams"), most.0, 100.0, " MB");
    Ok(())
}

/// A stream as its caller sees it.
struct Stream {
    stream: TcpStream,
    /// What came of the body, in chunks.
    body: Vec<u8>,
}

impl Stream {
    /// Asks for it, and awaits its beginning.
    fn open(address: SocketAddr, request: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut opened = Self { stream, body: Vec::new() };
        loop {
            opened.read()?;
            let end = opened.body.windows(4).position(|window| window == b"\r\n\r\n");
            let Some(end) = end else { continue };
            if !opened.body.starts_with(b"HTTP/1.1 200 ") {
                return Err(format!("no stream: {}", String::from_utf8_lossy(&opened.body)).into());
            }
            opened.body.drain(..end + 4);
            return Ok(opened);
        }
    }

    fn read(&mut self) -> Result<()> {
        let mut part = [0; 4096];
        match self.stream.read(&mut part)? {
            0 => Err("a stream broke off".into()),
            count => Ok(self.body.extend_from_slice(&part[..count])),
        }
    }

    /// Reads until so much was said since the beginning, and, where that is asked for, the end as well.
    fn read_until(&mut self, expected: &str, is_over: bool) -> Result<()> {
        loop {
            let (said, is_ended) = dechunked(&self.body)?;
            if said == expected.as_bytes() && is_ended == is_over {
                return Ok(());
            }
            if !expected.as_bytes().starts_with(&said) || is_ended {
                return Err(format!("a stream said {:?}", String::from_utf8_lossy(&said)).into());
            }
            self.read()?;
        }
    }
}

/// What stands in chunks as far as they are whole, and whether the last one is there.
fn dechunked(mut body: &[u8]) -> Result<(Vec<u8>, bool)> {
    let mut said = Vec::new();
    loop {
        let Some(end) = body.windows(2).position(|window| window == b"\r\n") else {
            return Ok((said, false));
        };
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end])?, 16)?;
        let rest = &body[end + 2..];
        if rest.len() < length + 2 {
            return Ok((said, false));
        }
        if length == 0 {
            return Ok((said, true));
        }
        said.extend_from_slice(&rest[..length]);
        body = &rest[length + 2..];
    }
}
