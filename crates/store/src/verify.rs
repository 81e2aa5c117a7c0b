//! Checking the record: the chain of the ledger, what was signed about it, and what it says about the rows.
//!
//! What is not checked, because the ledger does not say it: names and addresses of orgs, users and roles, limits,
//! moments and revisions of rows, invitations, when a credential was last used. Sealed values and wrapped keys are bound to their places
//! by the vault, and do not open elsewhere or altered; those of connections are tried.

mod finding;
mod state;

use std::collections::BTreeMap;

use claviger_model::Position;
use claviger_vault::Vault;

use crate::ledger::{Head, SELECT_AFTER};
use crate::value::params;
use crate::{Checkpoint, Entry, Snapshot, StoreError};

pub use finding::{Fault, Finding, Report};
use state::Fold;
pub(crate) use state::Tombstones;

/// Entries that are held at once.
const PAGE: u32 = 1000;

/// What to check.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// The keys of the database.
    pub vault: &'a Vault,
    /// What was signed about it, in any order.
    pub checkpoints: &'a [Checkpoint],
    /// Whether the rows are compared with what the entries say.
    pub is_state_wanted: bool,
}

impl Snapshot {
    /// Checks the ledger from its first entry to its head. It goes as far as the first entry that is not as it was
    /// written: nothing after that is to be believed.
    ///
    /// # Errors
    /// Only where the database cannot be read. What is wrong with what it holds is in the report.
    pub async fn verify_ledger(&self, check: &Check<'_>) -> Result<Report, StoreError> {
        let mut walk = Walk::new(check);
        while let Step::Page = self.walk_page(&mut walk).await? {}
        if walk.report.is_clean() {
            self.verify_end(&mut walk).await?;
        }
        walk.verify_unmet();
        if check.is_state_wanted {
            match walk.is_chain_whole {
                true => self.compare_state(walk.fold, check.vault, &mut walk.report).await?,
                false => walk.report.add(Finding::StateNotCompared),
            }
        }
        Ok(walk.report)
    }

    async fn walk_page(&self, walk: &mut Walk<'_>) -> Result<Step, StoreError> {
        let mut read = 0;
        let mut is_broken = false;
        // From before the first possible place, so that an entry put before the first is seen.
        let after = if walk.report.entries == 0 { i64::MIN } else { walk.head.position.sequence };
        self.each(SELECT_AFTER, &params![after, PAGE], |row| {
            read += 1;
            if !is_broken {
                is_broken = match Entry::read(row) {
                    Ok(entry) => !walk.meet(&entry),
                    Err(StoreError::Damaged(what)) => walk.break_at(Finding::Entry {
                        sequence: row.int(0).ok().flatten(),
                        fault: Fault::Damaged(what),
                    }),
                    Err(error) => return Err(error),
                };
            }
            Ok(())
        })
        .await?;
        Ok(if is_broken || read < PAGE { Step::End } else { Step::Page })
    }

    /// The head must be the last entry, and there must be no entry that the walk could not come upon.
    async fn verify_end(&self, walk: &mut Walk<'_>) -> Result<(), StoreError> {
        match self.find_head().await {
            Ok(head) if head == walk.head => {}
            Ok(head) => {
                walk.break_at(Finding::Head { head: head.position, last: walk.head.position });
            }
            Err(StoreError::Damaged(_)) => {
                walk.break_at(Finding::NoHead);
            }
            Err(error) => return Err(error),
        }
        let mut count = 0;
        self.each("SELECT COUNT(*) FROM ledger", &[], |row| Ok(count = row.get::<i64>(0)?)).await?;
        if count != walk.report.entries as i64 {
            walk.break_at(Finding::Unplaced { count: count - walk.report.entries as i64 });
        }
        Ok(())
    }
}

enum Step {
    Page,
    End,
}

/// How far the check has come.
struct Walk<'a> {
    check: &'a Check<'a>,
    /// The last entry met.
    head: Head,
    is_chain_whole: bool,
    /// Those genuine checkpoints that no entry has met yet.
    unmet: BTreeMap<Position, &'a Checkpoint>,
    /// Where each epoch but the last ended.
    epoch_ends: BTreeMap<i64, i64>,
    fold: Fold,
    report: Report,
}

impl<'a> Walk<'a> {
    fn new(check: &'a Check<'a>) -> Self {
        let mut walk = Self {
            check,
            head: Head::ORIGIN,
            is_chain_whole: true,
            unmet: BTreeMap::new(),
            epoch_ends: BTreeMap::new(),
            fold: Fold::default(),
            report: Report::default(),
        };
        for checkpoint in check.checkpoints {
            walk.take(checkpoint);
        }
        walk
    }

    fn take(&mut self, checkpoint: &'a Checkpoint) {
        let position = checkpoint.position;
        if !checkpoint.is_genuine(self.check.vault) {
            return self.report.add(Finding::Checkpoint { position, fault: Fault::NotSignedByUs });
        }
        let earlier = self.unmet.insert(position, checkpoint);
        if earlier.is_some_and(|earlier| earlier.mac != checkpoint.mac) {
            self.report.add(Finding::Checkpoint { position, fault: Fault::Contradiction });
        }
    }

    /// Takes the next entry. False where the chain breaks at it.
    fn meet(&mut self, entry: &Entry) -> bool {
        let Position { epoch, sequence } = entry.position;
        let expected = self.head.position.sequence + 1;
        if sequence != expected {
            return !self.break_at(match sequence > expected {
                true => Finding::Missing { first: expected, last: sequence - 1 },
                false => Finding::Entry { sequence: Some(sequence), fault: Fault::OutOfPlace },
            });
        }
        if !entry.is_intact(&self.head.mac, self.check.vault) {
            return !self.break_at(Finding::Entry { sequence: Some(sequence), fault: Fault::Mac });
        }
        if epoch != self.head.position.epoch && self.report.entries > 0 {
            self.epoch_ends.insert(self.head.position.epoch, sequence - 1);
        }
        self.head = Head { position: entry.position, mac: entry.mac.clone() };
        self.report.entries += 1;
        self.report.head = Some(entry.position);
        if let Some(checkpoint) = self.unmet.remove(&entry.position) {
            self.report.checkpoints += 1;
            if checkpoint.mac != entry.mac {
                self.report.add(Finding::Checkpoint { position: entry.position, fault: Fault::Rewritten });
            }
        }
        if self.check.is_state_wanted {
            self.fold.take(entry);
        }
        true
    }

    /// Always true, to be handed on.
    fn break_at(&mut self, finding: Finding) -> bool {
        self.is_chain_whole = false;
        self.report.add(finding);
        true
    }

    /// Checkpoints that no entry has met: the ledger is shorter than it was, unless a restore says why.
    fn verify_unmet(&mut self) {
        for position in std::mem::take(&mut self.unmet).into_keys() {
            match self.epoch_ends.get(&position.epoch) {
                Some(end) if *end < position.sequence => {
                    self.report.note_lost_in_restore(Position { sequence: *end, ..position }, position);
                }
                // The chain broke before it; that is told already.
                _ if !self.is_chain_whole => {}
                _ => self.report.add(Finding::Truncated { head: self.head.position, signed: position }),
            }
        }
    }
}
