//! What a run of the tests leaves out: it says so, first and last, and what is not said is not left out.

use std::process::{Command, Stdio};

/// `sqlite` leaves PostgreSQL out.
const ENGINES: &str = "CLAVIGER_TEST_ENGINES";
/// `absent` leaves out what needs namespaces of its own.
const NAMESPACES: &str = "CLAVIGER_TEST_NAMESPACES";
const ABSENT: &str = "absent";

/// What is left out, and why.
pub(crate) struct Waived {
    said: Vec<String>,
    variables: Vec<(&'static str, &'static str)>,
}

impl Waived {
    /// What the developer leaves out, and what this machine cannot do.
    pub(crate) fn here() -> Self {
        let mut waived = Self { said: Vec::new(), variables: Vec::new() };
        if let Some(engines) = std::env::var_os(ENGINES) {
            waived.said.push(format!("other engines than {engines:?}, by {ENGINES}"));
        }
        if !has_namespaces() {
            waived.variables.push((NAMESPACES, ABSENT));
            let what = "names and addresses as the system's own resolver and network have them (broker::dns)";
            waived.said.push(format!("{what}: this machine gives no namespaces"));
        }
        waived
    }

    /// By which the tests know of it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.variables.iter().copied()
    }

    pub(crate) fn print(&self) {
        for said in &self.said {
            println!("\n!!! NOT TESTED: {said}");
        }
    }
}

/// Whether a program may have users, mounts and a network of its own.
fn has_namespaces() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--net", "--", "true"]);
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
