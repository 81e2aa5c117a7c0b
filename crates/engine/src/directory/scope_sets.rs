//! Scopes that many credentials have in common.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use claviger_model::Scopes;

/// One copy of each set of scopes, shared by all credentials that have it.
#[derive(Default)]
pub(super) struct ScopeSets(Mutex<SharedScopes>);

#[derive(Default)]
struct SharedScopes {
    sets: HashMap<String, Arc<Scopes>>,
    /// At so many sets, those that nobody has any more are dropped.
    sweep_at: usize,
}

/// The fewest sets at which it is worth looking for unused ones.
const SCOPE_SETS_MIN: usize = 1024;

impl ScopeSets {
    pub(super) fn shared(&self, scopes: Scopes) -> Arc<Scopes> {
        let mut shared = self.0.lock().expect("nothing panics while it holds this lock");
        if shared.sets.len() >= shared.sweep_at.max(SCOPE_SETS_MIN) {
            shared.sets.retain(|_, set| Arc::strong_count(set) > 1);
            shared.sweep_at = 2 * shared.sets.len();
        }
        shared.sets.entry(scopes.to_list()).or_insert_with(|| Arc::new(scopes)).clone()
    }
}
