//! The binary's size, how soon the server is ready, and what a full directory weighs.

use crate::Result;
use crate::fill::{self, Shape};
use crate::options::Options;
use crate::process::{ANY_CORE, anonymous_megabytes};
use crate::server::Server;
use crate::table::{Report, heading, median};

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    heading("Size, start and memory");
    let size = std::fs::metadata(&options.server)?.len() as f64 / 1e6;
    println!("binary: {size:.1} MB");
    report.at_most("release binary", size, 30.0, " MB");

    let small = fill::directory(options, Shape::users(1))?;
    let mut ready = Vec::new();
    for _ in 0..2 * options.rounds() + 1 {
        let server = Server::product(options, ANY_CORE, &small.data, None)?;
        ready.push(server.ready_after.as_secs_f64() * 1e3);
        server.stop()?;
    }
    println!("ready with a small database: {ready:.0?} ms");
    report.at_most("ready with a small database", median(ready), 300.0, " ms");

    let keys = options.directory_keys();
    let full = fill::directory(options, Shape::mixed(keys))?;
    let (mut ready, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds().min(3) {
        let server = Server::product(options, ANY_CORE, &full.data, None)?;
        ready.push(server.ready_after.as_secs_f64());
        memory.push(anonymous_megabytes(server.pid())?);
        server.stop()?;
    }
    println!("ready with {keys} keys: {ready:.2?} s; RssAnon {memory:.0?} MB");
    report.at_most(&format!("ready with {keys} keys"), median(ready), 5.0, " s");
    report.at_most(&format!("RssAnon at {keys} keys"), median(memory), 250.0, " MB");
    Ok(())
}
