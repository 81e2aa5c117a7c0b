//! Attempts to move a connection's secret: none arrives anywhere but at the connection's own host, in its own place.
//!
//! Each attempt stands beside a control, the same call without the twist, which reaches the right third party with the
//! secret. The listener is every host there is, and sees every byte.

mod call;
mod framing;
mod guards;
mod headers;
mod hosts;
mod judge;
mod made;
mod names;
mod paths;
mod redirects;
mod rights;
mod suite;
mod templates;

use std::collections::BTreeMap;

pub(crate) use call::Call;
pub(crate) use suite::{Kind, Suite};

use super::{Scene, with_a_world};
use crate::support::third_party::Reply;

/// Whose host the attempts aim at.
pub(crate) const THIEF: &str = "thief.example";

/// One attempt.
pub(crate) struct Case {
    pub(crate) technique: &'static str,
    pub(crate) what: String,
    pub(crate) kind: Kind,
    pub(crate) attempt: Call,
    pub(crate) control: Call,
    /// How third parties answer the attempt, if not with `ok`.
    pub(crate) answer: Option<fn() -> Reply>,
    /// What names resolve to when the attempt is made, in turn.
    pub(crate) names: Vec<(&'static str, Vec<Vec<&'static str>>)>,
}

impl Case {
    pub(crate) fn new(technique: &'static str, what: impl Into<String>, kind: Kind, attempt: Call) -> Self {
        let control = Call::plain(kind);
        Self { technique, what: what.into(), kind, attempt, control, answer: None, names: Vec::new() }
    }
}

/// All attempts.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for more in [
        hosts::cases,
        paths::cases,
        headers::cases,
        framing::cases,
        templates::cases,
        redirects::cases,
        names::cases,
        rights::cases,
    ] {
        cases.extend(more());
    }
    cases
}

/// Makes each attempt and its control.
async fn check(scene: &Scene, cases: &[Case]) {
    let suite = Suite::new(scene).await;
    let mut techniques = BTreeMap::<_, usize>::new();
    let mut leaks = Vec::new();
    for case in cases {
        *techniques.entry(case.technique).or_default() += 1;
        leaks.extend(suite.attempt(case).await);
        leaks.extend(suite.control(case).await.err());
    }
    println!("{} attempts by {} techniques", cases.len(), techniques.len());
    assert!(leaks.is_empty(), "{} leaks or broken controls:\n{}", leaks.len(), leaks.join("\n"));
    assert!(cases.len() >= 1000 && techniques.len() >= 40, "{} {techniques:?}", cases.len());
}

with_a_world! {
    async fn nothing_moves_a_secret(scene: &Scene) {
        check(scene, &all()).await;
    }

    async fn nothing_moves_what_is_made_of_a_secret(scene: &Scene) {
        check(scene, &made::cases(&all())).await;
    }
}
