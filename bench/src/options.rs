//! What to measure, and how much of it.

use std::path::PathBuf;
use std::time::Duration;

use crate::Result;

/// Where a PostgreSQL is that syncs to disk.
const POSTGRES: &str = "CLAVIGER_TEST_POSTGRES";

/// One of the things that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Size, start and memory.
    Start,
    /// Verification.
    Verify,
    /// Durable creates.
    Creates,
    /// Lists.
    Lists,
    /// Changes of a role that many users have.
    Roles,
    /// Connections: making and getting them.
    Connections,
    /// Calls through a connection, beside nginx.
    Broker,
}

impl Part {
    const ALL: [(&'static str, Self); 7] = [
        ("start", Self::Start),
        ("verify", Self::Verify),
        ("creates", Self::Creates),
        ("lists", Self::Lists),
        ("roles", Self::Roles),
        ("connections", Self::Connections),
        ("broker", Self::Broker),
    ];
}

/// What the developer asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// The built `claviger`.
    pub(crate) server: PathBuf,
    /// Where filled databases are kept between runs.
    pub(crate) folder: PathBuf,
    /// What to measure, in this order.
    pub(crate) parts: Vec<Part>,
    /// Only to see that it works: small numbers, short rounds.
    pub(crate) is_quick: bool,
    /// A PostgreSQL to measure too.
    pub(crate) postgres: Option<String>,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            server: PathBuf::new(),
            folder: std::env::temp_dir(),
            parts: Part::ALL.map(|(_, part)| part).to_vec(),
            is_quick: false,
            postgres: std::env::var(POSTGRES).ok(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--server" => options.server = value()?.into(),
                "--folder" => options.folder = value()?.into(),
                "--only" => options.parts = value()?.split(',').map(part).collect::<Result<_>>()?,
                "--quick" => options.is_quick = true,
                _ => return Err(format!("unknown option {argument}").into()),
            }
        }
        Ok(options)
    }

    /// How many keys the directory has.
    pub(crate) fn directory_keys(&self) -> usize {
        if self.is_quick { 20_000 } else { 1_000_000 }
    }

    /// How many users have the role that is changed.
    pub(crate) fn users_of_role(&self) -> usize {
        if self.is_quick { 2_000 } else { 100_000 }
    }

    /// How often it is changed.
    pub(crate) fn role_changes(&self) -> usize {
        if self.is_quick { 10 } else { 200 }
    }

    /// How many keys the listed org has.
    pub(crate) fn listed_keys(&self) -> usize {
        if self.is_quick { 5_000 } else { 100_000 }
    }

    /// How many streams are open at once through the broker.
    pub(crate) fn streams(&self) -> usize {
        if self.is_quick { 100 } else { 1_000 }
    }

    /// How many calls are made on one connection in a turn.
    pub(crate) fn calls_alone(&self) -> usize {
        if self.is_quick { 500 } else { 5_000 }
    }

    /// How long each side is measured before it is the other's turn.
    pub(crate) fn turn(&self) -> Duration {
        Duration::from_millis(if self.is_quick { 300 } else { 2_000 })
    }

    /// How many turns each side has.
    pub(crate) fn rounds(&self) -> usize {
        if self.is_quick { 1 } else { 5 }
    }

    /// How many times each list is asked for on PostgreSQL, which has no target and takes longer.
    pub(crate) fn list_requests_on_postgres(&self) -> usize {
        self.list_requests().min(100)
    }

    /// How many times each list is asked for.
    pub(crate) fn list_requests(&self) -> usize {
        if self.is_quick { 30 } else { 500 }
    }
}

fn part(name: &str) -> Result<Part> {
    let found = Part::ALL.iter().find(|(known, _)| *known == name);
    let names = || Part::ALL.map(|(name, _)| name).join(", ");
    Ok(found.ok_or_else(|| format!("{name} is not measured; there are: {}", names()))?.1)
}
