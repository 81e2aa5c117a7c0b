//! What was found: which parts of the text are to be masked, and how often each secret occurred.

use std::ops::Range;

/// How often a secret occurred.
struct Count {
    secret: usize,
    times: u64,
    /// Where the last occurrence ends; what overlaps it is not counted again.
    end: u64,
}

#[derive(Default)]
pub(crate) struct Hits {
    /// To be masked; in order, and apart from each other.
    spans: Vec<Range<u64>>,
    counts: Vec<Count>,
}

impl Hits {
    /// Adds an occurrence that ends no earlier than any before.
    pub(crate) fn add(&mut self, secret: usize, start: u64, end: u64) {
        match self.counts.iter_mut().find(|count| count.secret == secret) {
            Some(count) => {
                count.times += u64::from(start >= count.end);
                count.end = end;
            }
            None => self.counts.push(Count { secret, times: 1, end }),
        }
        let mut start = start;
        while let Some(last) = self.spans.pop_if(|last| last.end >= start) {
            start = start.min(last.start);
        }
        self.spans.push(start..end);
    }

    /// Takes over the counts of another text.
    pub(crate) fn count(&mut self, other: &Self) {
        for count in &other.counts {
            match self.counts.iter_mut().find(|own| own.secret == count.secret) {
                Some(own) => own.times += count.times,
                None => self.counts.push(Count { end: 0, ..*count }),
            }
        }
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (usize, u64)> {
        self.counts.iter().map(|count| (count.secret, count.times))
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.spans.is_empty()
    }

    /// From the first byte to be masked to the last, of a part of the text that begins at `start`.
    pub(crate) fn stretch(&self, start: u64, length: usize) -> Option<Range<usize>> {
        let mut within = self.within(start, length);
        let first = within.next()?;
        let last = within.last().unwrap_or(first.clone());
        Some(first.start..last.end)
    }

    /// Masks a part of the text that begins at `start`.
    pub(crate) fn mask(&self, start: u64, text: &mut [u8]) {
        for span in self.within(start, text.len()) {
            if let Some(span) = text.get_mut(span) {
                span.fill(b'*');
            }
        }
    }

    /// Forgets spans that end by here.
    pub(crate) fn drop_before(&mut self, end: u64) {
        let after = self.spans.partition_point(|span| span.end <= end);
        self.spans.drain(..after);
    }

    /// The spans of a part of the text, as places in it.
    fn within(&self, start: u64, length: usize) -> impl Iterator<Item = Range<usize>> {
        let end = start + length as u64;
        let first = self.spans.partition_point(|span| span.end <= start);
        self.spans
            .iter()
            .skip(first)
            .take_while(move |span| span.start < end)
            .map(move |span| (span.start.max(start) - start) as usize..(span.end.min(end) - start) as usize)
    }
}
