//! What a check finds, as sentences.

use std::fmt;

use claviger_model::Position;

/// Findings that are kept; beyond it they are only counted. Nobody reads more, and a table that was emptied gives
/// a million.
const FINDINGS_MAX: usize = 1000;

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many entries are as they were written.
    pub entries: u64,
    /// The last of them.
    pub head: Option<Position>,
    /// How many checkpoints met their entry.
    pub checkpoints: u64,
    /// How many rows were compared.
    pub rows: u64,
    /// What is wrong, as it was come upon; no more than a thousand of them.
    pub findings: Vec<Finding>,
    /// How much is wrong in all.
    pub found: u64,
    /// What is worth knowing, and not wrong.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.found == 0
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.found += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    pub(super) fn note_lost_in_restore(&mut self, end: Position, signed: Position) {
        if self.notes.len() < FINDINGS_MAX {
            self.notes.push(format!(
                "the checkpoint at {signed} lies beyond {end}, the last entry of its epoch that a recorded restore \
                 brought back"
            ));
        }
    }
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An entry.
    Entry {
        /// Its place, as far as it can be read.
        sequence: Option<i64>,
        /// What is wrong.
        fault: Fault,
    },
    /// Entries are gone.
    Missing {
        /// From this one.
        first: i64,
        /// To this one.
        last: i64,
    },
    /// The head is not the last entry.
    Head {
        /// Where the head stands.
        head: Position,
        /// The last entry.
        last: Position,
    },
    /// There is no head, or none that can be read.
    NoHead,
    /// There are entries without a place.
    Unplaced {
        /// How many.
        count: i64,
    },
    /// A checkpoint.
    Checkpoint {
        /// What it is about.
        position: Position,
        /// What is wrong.
        fault: Fault,
    },
    /// The ledger ends before what was signed.
    Truncated {
        /// Where it ends.
        head: Position,
        /// What was signed.
        signed: Position,
    },
    /// A row.
    Row {
        /// Its table and id.
        row: String,
        /// What is wrong.
        fault: Fault,
    },
    /// The entries are not to be believed, so no row was compared with them.
    StateNotCompared,
}

/// What is wrong with something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The content of an entry, or what came before it.
    Mac,
    /// An entry stands where none belongs.
    OutOfPlace,
    /// It cannot be read.
    Damaged(String),
    /// A checkpoint that this database's keys did not sign, or that was altered.
    NotSignedByUs,
    /// Two checkpoints of one position name different entries.
    Contradiction,
    /// The entry is another than the one that was signed.
    Rewritten,
    /// It is not what the entries say.
    Differs,
    /// The entries say that it is there.
    Missing,
    /// No entry says that it is there.
    Surplus,
    /// A number is not what is counted.
    Count {
        /// What the row says.
        kept: i64,
        /// What there is.
        counted: i64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry { sequence: Some(sequence), fault } => write!(f, "entry {sequence}: {fault}"),
            Self::Entry { sequence: None, fault } => write!(f, "an entry: {fault}"),
            Self::Missing { first, last } if first == last => write!(f, "entry {first}: it is missing"),
            Self::Missing { first, last } => write!(f, "entries {first} to {last}: they are missing"),
            Self::Head { head, last } if head == last => {
                write!(f, "head: its MAC is not that of the last entry, {last}")
            }
            Self::Head { head, last } => write!(f, "head: it stands at {head}, and the last entry is {last}"),
            Self::NoHead => f.write_str("head: it is missing or cannot be read"),
            Self::Unplaced { count } => write!(f, "ledger: {count} entries stand outside the order"),
            Self::Checkpoint { position, fault } => write!(f, "checkpoint {position}: {fault}"),
            Self::Truncated { head, signed } => {
                write!(f, "head: the ledger ends at {head}, and {signed} was signed: its tail was cut off")
            }
            Self::Row { row, fault } => write!(f, "{row}: {fault}"),
            Self::StateNotCompared => {
                f.write_str("state: not compared, because the entries are not to be believed")
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac => f.write_str("its MAC does not match its content and its predecessor"),
            Self::OutOfPlace => f.write_str("no entry belongs there"),
            Self::Damaged(what) => write!(f, "it is damaged: {what}"),
            Self::NotSignedByUs => {
                f.write_str("it was altered, or signed with a key that is not this database's")
            }
            Self::Contradiction => {
                f.write_str("two checkpoints name different entries: one of them was rewritten")
            }
            Self::Rewritten => {
                f.write_str("the entry is not the one that was signed: the ledger was rewritten")
            }
            Self::Differs => f.write_str("it is not what the ledger says"),
            Self::Missing => f.write_str("the ledger says that it is there, and it is missing"),
            Self::Surplus => f.write_str("it is there, and the ledger does not say so"),
            Self::Count { kept, counted } => write!(f, "it says {kept}, and there are {counted}"),
        }
    }
}
