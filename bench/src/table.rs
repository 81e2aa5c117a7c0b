//! Figures, printed as they come, and verdicts at the end.

use crate::load::Turn;

/// What was measured against what is wanted.
struct Verdict {
    what: String,
    measured: String,
    wanted: String,
    is_met: bool,
}

/// The verdicts so far.
#[derive(Default)]
pub(crate) struct Report(Vec<Verdict>);

impl Report {
    /// A figure that must be at least so much.
    pub(crate) fn at_least(&mut self, what: &str, measured: f64, wanted: f64, unit: &str) {
        self.add(what, (measured, wanted), "≥", unit, measured >= wanted);
    }

    /// A figure that must be at most so much.
    pub(crate) fn at_most(&mut self, what: &str, measured: f64, wanted: f64, unit: &str) {
        self.add(what, (measured, wanted), "≤", unit, measured <= wanted);
    }

    fn add(&mut self, what: &str, (measured, wanted): (f64, f64), sign: &str, unit: &str, is_met: bool) {
        self.0.push(Verdict {
            what: what.to_owned(),
            measured: format!("{measured:.2}{unit}"),
            wanted: format!("{sign} {wanted}{unit}"),
            is_met,
        });
    }

    /// Prints all, as a table in Markdown, and tells how many are missed.
    pub(crate) fn print_verdicts(&self) -> usize {
        println!("\n| what | measured | wanted | |\n|---|--:|--:|---|");
        for Verdict { what, measured, wanted, is_met } in &self.0 {
            println!("| {what} | {measured} | {wanted} | {} |", if *is_met { "met" } else { "**missed**" });
        }
        self.0.iter().filter(|verdict| !verdict.is_met).count()
    }
}

/// A heading above figures.
pub(crate) fn heading(text: &str) {
    println!("\n## {text}");
}

/// The middle one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The medians of turns.
pub(crate) fn middle(turns: &[Turn]) -> Turn {
    Turn {
        per_second: median(turns.iter().map(|turn| turn.per_second)),
        cpu_micros: median(turns.iter().map(|turn| turn.cpu_micros)),
    }
}
