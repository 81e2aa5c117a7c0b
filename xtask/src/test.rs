//! Every check of this repository, in order, stopping at the first that fails.

use std::time::{Duration, Instant};

use crate::Result;
use crate::conformance::{self, Profile};
use crate::postgres::{Cluster, Durability, URL_VARIABLE};
use crate::process::{cargo, run};
use crate::waived::Waived;
use crate::{fuzz, setup};

/// What the README calls the test command, and what continuous integration runs.
pub(crate) fn everything() -> Result<()> {
    let (mut steps, waived) = (Steps::default(), Waived::here());
    waived.print();
    let result = all_steps(&mut steps, &waived);
    steps.print();
    waived.print();
    result
}

/// Only `cargo test`, for the minutes between two edits.
pub(crate) fn quick() -> Result<()> {
    let (cluster, waived) = (Cluster::start(Durability::None)?, Waived::here());
    let result = cargo_test(&cluster, &waived);
    waived.print();
    result?;
    cluster.stop()
}

fn all_steps(steps: &mut Steps, waived: &Waived) -> Result<()> {
    steps.run("setup", setup::run)?;
    steps.run("format", || {
        run(cargo().args(["fmt", "--all", "--check"]))?;
        run(cargo().args(["fmt", "--check", "--manifest-path", fuzz::MANIFEST]))
    })?;
    steps.run("clippy", || {
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
        // As it ships: the tests' needs switch features on everywhere, the faults that they must notice among them.
        run(cargo().args(["clippy", "--package", "claviger", "--", "-D", "warnings"]))
    })?;
    steps.run("dependencies", || {
        run(cargo().args(["deny", "check", "bans", "licenses", "sources"]))?;
        run(cargo().args(["deny", "--manifest-path", fuzz::MANIFEST, "check", "bans", "licenses", "sources"]))
    })?;
    let cluster = steps.run("start PostgreSQL", || Cluster::start(Durability::None))?;
    steps.run("test", || cargo_test(&cluster, waived))?;
    // A minute in all; what merges with what is kept has the larger share of it.
    steps.run("fuzz", || {
        fuzz::run(&["connections", "--seconds", "40"])?;
        fuzz::run(&["zis", "--seconds", "20"])
    })?;
    steps.run("conformance", || conformance::run_with(&cluster, Profile::Dev, None))?;
    steps.run("stop PostgreSQL", || cluster.stop())
}

fn cargo_test(cluster: &Cluster, waived: &Waived) -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--workspace"]).env(URL_VARIABLE, cluster.url()).envs(waived.variables());
    run(&mut command)
}

/// The steps that ran, and the time that each took.
#[derive(Default)]
struct Steps {
    finished: Vec<(&'static str, Duration, &'static str)>,
}

impl Steps {
    fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n==> {name}");
        let start = Instant::now();
        let result = step();
        let outcome = if result.is_ok() { "ok" } else { "FAILED" };
        self.finished.push((name, start.elapsed(), outcome));
        println!("    {outcome}, {:.1} s", start.elapsed().as_secs_f64());
        result
    }

    fn print(&self) {
        println!("\n{:<20} {:>9}", "step", "seconds");
        for (name, duration, outcome) in &self.finished {
            println!("{name:<20} {:>9.1}  {outcome}", duration.as_secs_f64());
        }
        let total: Duration = self.finished.iter().map(|(_, duration, _)| duration).sum();
        println!("{:<20} {:>9.1}", "total", total.as_secs_f64());
    }
}
