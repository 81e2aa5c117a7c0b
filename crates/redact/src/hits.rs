//! What was found: which parts of the text are to be masked, and how often each secret occurred.

use std::ops::Range;

/// How often a secret occurred.
#[derive(Clone, Copy, Default)]
struct Count {
    times: u64,
    /// Where the last occurrence ends; what overlaps it is not counted again.
    end: u64,
}

#[derive(Default)]
pub(crate) struct Hits {
    /// To be masked; in order, and apart from each other.
    spans: Vec<Range<u64>>,
    /// By secret, as far as the last of those that occurred.
    counts: Vec<Count>,
}

impl Hits {
    /// Adds an occurrence that ends no earlier than any before.
    pub(crate) fn add(&mut self, secret: usize, start: u64, end: u64) {
        if let Some(count) = self.count_of(secret) {
            count.times += u64::from(count.times == 0 || start >= count.end);
            count.end = end;
        }
        self.mask_too(start, end);
    }

    /// Masks what ends no earlier than anything before, whatever it is.
    pub(crate) fn mask_too(&mut self, mut start: u64, end: u64) {
        while let Some(last) = self.spans.pop_if(|last| last.end >= start) {
            start = start.min(last.start);
        }
        self.spans.push(start..end);
    }

    /// Takes over the counts of another text.
    pub(crate) fn count(&mut self, other: &Self) {
        for (secret, times) in other.counts() {
            self.count_of(secret).into_iter().for_each(|own| own.times += times);
        }
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = self.counts.iter().enumerate();
        counts.filter(|(_, count)| count.times > 0).map(|(secret, count)| (secret, count.times))
    }

    fn count_of(&mut self, secret: usize) -> Option<&mut Count> {
        if self.counts.len() <= secret {
            self.counts.resize(secret + 1, Count::default());
        }
        self.counts.get_mut(secret)
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
