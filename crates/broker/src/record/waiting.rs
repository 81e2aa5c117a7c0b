//! Lines that wait to be written, and how many they may be.

use std::collections::HashMap;

use claviger_engine::CallBatch;
use claviger_model::{ConnectionId, OrgId, Timestamp};
use uuid::Uuid;

use super::strict::Begun;

/// Lines that wait, those that are being written included: a few seconds' worth of the fastest traffic. Beyond, calls are
/// refused.
const WAITING_MAX: usize = 200_000;
/// And the memory that they take. Most lines have some 200 bytes; ten times that is the longest, whose path is of quotes, each
/// of which is written as an escape.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Lines of one row.
const BATCH_MAX: u32 = 1000;
/// A row that is as long takes no further line: whoever lists calls reads several at once.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Waiting {
    batches: HashMap<ConnectionId, Vec<CallBatch>>,
    /// How many calls there are in these, and in what is being written.
    calls: usize,
    /// And the memory that all of it takes.
    bytes: usize,
}

impl Waiting {
    /// Whether no call may begin.
    pub(super) fn is_full(&self) -> bool {
        self.calls >= WAITING_MAX || self.bytes >= WAITING_BYTES_MAX
    }

    /// `begun` is what the line takes the place of.
    pub(super) fn add(
        &mut self,
        org: OrgId,
        connection: ConnectionId,
        at: Timestamp,
        line: &str,
        begun: Option<Begun>,
    ) {
        let batches = self.batches.entry(connection).or_default();
        let is_full = |last: &CallBatch| last.calls >= BATCH_MAX || last.lines.len() >= BATCH_BYTES_MAX;
        if begun.is_some() || batches.last().is_none_or(|last| is_full(last) || !last.id.is_nil()) {
            let lines = String::with_capacity(if begun.is_some() { line.len() + 1 } else { 512 });
            let batch = CallBatch {
                id: begun.map_or(Uuid::nil(), |begun| begun.row),
                org,
                connection,
                begun_at: begun.map(|begun| begun.at),
                first_at: at,
                last_at: at,
                calls: 0,
                lines,
            };
            self.bytes += memory(&batch);
            batches.push(batch);
        }
        if let Some(batch) = batches.last_mut() {
            let before = memory(batch);
            batch.calls += 1;
            batch.last_at = batch.last_at.max(at);
            batch.lines.push_str(line);
            batch.lines.push('\n');
            self.calls += 1;
            self.bytes += memory(batch) - before;
        }
    }

    /// All rows. They count until they are [written](Self::written), or [taken back](Self::take_back).
    pub(super) fn take(&mut self) -> Vec<CallBatch> {
        std::mem::take(&mut self.batches).into_values().flatten().collect()
    }

    pub(super) fn written(&mut self, rows: impl Iterator<Item = CallBatch>) {
        for row in rows {
            self.calls = self.calls.saturating_sub(row.calls as usize);
            self.bytes = self.bytes.saturating_sub(memory(&row));
        }
    }

    pub(super) fn take_back(&mut self, rows: Vec<CallBatch>) {
        for row in rows {
            // Before those that came meanwhile, so that no line is added to what may be written already.
            self.batches.entry(row.connection).or_default().insert(0, row);
        }
    }
}

/// The memory that a row takes.
fn memory(batch: &CallBatch) -> usize {
    size_of::<CallBatch>() + batch.lines.capacity()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(waiting: &mut Waiting, connection: u128, line: &str, begun: Option<Begun>) {
        let (org, at) = (OrgId::from_uuid(Uuid::nil()), Timestamp::from_micros(17));
        waiting.add(org, ConnectionId::from_uuid(Uuid::from_u128(connection)), at, line, begun);
    }

    #[test]
    fn what_waits_is_bounded_by_lines_and_by_memory() {
        for (length, expected) in [(1, WAITING_MAX), (2_000, WAITING_BYTES_MAX / 4_000)] {
            let (mut waiting, line) = (Waiting::default(), "x".repeat(length));
            let mut count = 0;
            while !waiting.is_full() {
                add(&mut waiting, 1, &line, None);
                count += 1;
            }
            // A text may have twice the memory that it needs.
            assert!((expected..=2 * expected).contains(&count), "{count} of {length}");
            let rows = waiting.take();
            assert!(waiting.is_full(), "what is being written counts");
            let longest = rows.iter().map(|row| row.lines.len()).max();
            assert!(
                longest <= Some(BATCH_BYTES_MAX + length) && rows.iter().all(|row| row.calls <= BATCH_MAX)
            );
            waiting.take_back(rows);
            assert!(waiting.is_full());
            let rows = waiting.take();
            waiting.written(rows.into_iter());
            assert_eq!((waiting.calls, waiting.bytes, waiting.is_full()), (0, 0, false));
        }
    }

    #[test]
    fn rows_of_one_line_take_more_than_their_line() {
        let mut waiting = Waiting::default();
        for number in 0..200 {
            let begun = (number % 2 == 0)
                .then(|| Begun { row: Uuid::from_u128(number), at: Timestamp::from_micros(1) });
            add(&mut waiting, number, "x", begun);
        }
        assert!(waiting.bytes > 200 * size_of::<CallBatch>() + 100 * 512, "{}", waiting.bytes);
    }
}
