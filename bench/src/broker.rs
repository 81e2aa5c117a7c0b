//! Calls through a connection: beside nginx, which adds the same secret on the way to the same third party; and many
//! streams at once, for the memory that they take.

mod events;
mod nginx;
mod streams;
mod user;

use std::time::Duration;

use crate::Result;
use crate::load::{self, Requests, Turn};
use crate::options::Options;
use crate::process::{ANY_CORE, LOAD_CORE, SERVER_CORE, pin_this_thread};
use crate::server::Server;
use crate::table::{Report, heading, median, middle};
use nginx::{BIG, ECHO, SMALL};
use user::{SECRET, User};

/// Longer than the server waits before it writes what it has gathered of calls.
const RECORDED_AFTER: Duration = Duration::from_secs(2);
/// How many of the last calls are looked at, whether they are recorded: no more than are made alone.
const RECORDED_LOOKED_AT: usize = 500;

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    heading(
        "Broker: 64 connections; broker or nginx on one core, third party and load generator on the other",
    );
    std::fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let third_party = nginx::third_party(LOAD_CORE, folder.path())?;
    let nginx = nginx::proxy(SERVER_CORE, folder.path(), third_party.address)?;
    let user = User::start(options, SERVER_CORE, folder.path(), third_party.address)?;
    let sides = Sides { nginx, user };
    pin_this_thread(LOAD_CORE)?;
    sides.check()?;
    println!(
        "{:<8} {:>12} {:>8} {:>9} {:>8} {:>11} {:>6} {:>7} {:>7}",
        "", "nginx req/s", "req/s", "nginx µs", "µs CPU", "nginx busy", "busy", "ratio", "by CPU"
    );
    for (name, path, wanted, goal) in [("200 B", SMALL, 0.65, 0.9), ("100 KB", BIG, 0.9, 1.0)] {
        let (theirs, ours) = sides.compare(options, path)?;
        let ratio = ours.per_second / theirs.per_second;
        println!(
            "{name:<8} {:>12.0} {:>8.0} {:>9.2} {:>8.2} {:>10.0}% {:>5.0}% {ratio:>7.2} {:>7.2}",
            theirs.per_second,
            ours.per_second,
            theirs.cpu_micros,
            ours.cpu_micros,
            busy_percent(theirs),
            busy_percent(ours),
            theirs.cpu_micros / ours.cpu_micros,
        );
        report.at_least(&format!("calls of {name}: of nginx's requests/s (goal {goal})"), ratio, wanted, "");
    }
    let (theirs, ours) = sides.compare_alone(options)?;
    println!("200 B on one connection, p50: nginx {theirs:.0} µs, broker {ours:.0} µs");
    report.at_most("call of 200 B on one connection: p50, of nginx's", ours / theirs, 1.25, "");
    pin_this_thread(ANY_CORE)?;
    sides.check_recorded()?;
    sides.user.product.stop()?;
    streams::measure(options, report)
}

/// How much of its core a side had. Where that is well below all, the other core bounds both sides, and requests per
/// second say less than the time on a core.
fn busy_percent(turn: Turn) -> f64 {
    turn.per_second * turn.cpu_micros / 1e4
}

/// Who is compared.
struct Sides {
    nginx: Server,
    user: User,
}

impl Sides {
    fn to_nginx(&self, path: &str) -> Requests {
        Requests::new([self.user.request("GET", path, "")], 200)
    }

    fn to_broker(&self, path: &str) -> Requests {
        Requests::new([self.user.call(path)], 200)
    }

    /// Both send the secret to the third party, which answers nobody without it; the broker masks it on its way back.
    fn check(&self) -> Result<()> {
        let is_echoed = |address, mut requests: Requests| -> Result<bool> {
            let answer = load::one(address, &mut requests)?;
            Ok(answer.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()))
        };
        let by_nginx = is_echoed(self.nginx.address, self.to_nginx(ECHO))?;
        let by_broker = is_echoed(self.user.product.address, self.to_broker(ECHO))?;
        match (by_nginx, by_broker) {
            (true, false) => Ok(()),
            (false, _) => Err("the third party does not give the secret back".into()),
            (true, true) => Err("the broker does not mask the secret".into()),
        }
    }

    /// Both in turns, after a short turn each that is not counted.
    fn compare(&self, options: &Options, path: &str) -> Result<(Turn, Turn)> {
        let (nginx, product) = (&self.nginx, &self.user.product);
        let (mut to_nginx, mut to_broker) = (self.to_nginx(path), self.to_broker(path));
        load::run(nginx, &mut to_nginx, options.turn() / 4)?;
        load::run(product, &mut to_broker, options.turn() / 4)?;
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            theirs.push(load::run(nginx, &mut to_nginx, options.turn())?);
            ours.push(load::run(product, &mut to_broker, options.turn())?);
        }
        Ok((middle(&theirs), middle(&ours)))
    }

    /// How long a call takes when there is no other, in microseconds.
    fn compare_alone(&self, options: &Options) -> Result<(f64, f64)> {
        let (mut to_nginx, mut to_broker) = (self.to_nginx(SMALL), self.to_broker(SMALL));
        let half_within = |address, requests: &mut Requests| -> Result<f64> {
            let times = load::latencies(address, requests, options.calls_alone())?;
            Ok(times[times.len() / 2].as_secs_f64() * 1e6)
        };
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            theirs.push(half_within(self.nginx.address, &mut to_nginx)?);
            ours.push(half_within(self.user.product.address, &mut to_broker)?);
        }
        Ok((median(theirs), median(ours)))
    }

    /// What was measured was recorded: the newest lines are those of the calls that came last.
    fn check_recorded(&self) -> Result<()> {
        std::thread::sleep(RECORDED_AFTER);
        let calls = self.user.recorded(RECORDED_LOOKED_AT)?;
        let is_measured = |call: &serde_json::Value| call["path"] == SMALL && call["status"] == 200;
        match calls.len() == RECORDED_LOOKED_AT && calls.iter().all(is_measured) {
            true => Ok(()),
            false => Err("calls that were measured are not recorded".into()),
        }
    }
}
