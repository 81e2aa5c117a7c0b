//! Builds what is measured and what measures it, and lends them a PostgreSQL that syncs to disk.

use crate::Result;
use crate::postgres::{Cluster, Durability, URL_VARIABLE};
use crate::process::{at_root, cargo, root, run as run_command};

pub(crate) fn run(options: &[&str]) -> Result<()> {
    run_command(cargo().args([
        "build",
        "--release",
        "--package",
        "claviger",
        "--package",
        "claviger-bench",
    ]))?;
    // Beside this program's own profile, wherever the developer lets cargo build.
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).ok_or("this program does not run from cargo's target directory")?;
    let cluster = Cluster::start(Durability::Full)?;
    let mut command = at_root(&target.join("release/claviger-bench").to_string_lossy());
    command.arg("--server").arg(target.join("release/claviger"));
    command.arg("--folder").arg(root().join("target/bench"));
    run_command(command.args(options).env(URL_VARIABLE, cluster.url()))?;
    cluster.stop()
}
