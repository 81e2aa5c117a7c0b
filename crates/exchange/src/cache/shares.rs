//! What each org has of what all share. An org has as many connections as it likes, and some of them as many hosts: without
//! this, one that asks for many would let the others' tokens go, and leave none of them an exchange.

use std::collections::HashMap;

use claviger_model::OrgId;

use super::FLIGHTS_MAX;

/// Exchanges of one org that are under way at once: so that it takes four that wait for slow providers to leave nothing to
/// the others.
pub const FLIGHTS_OF_ONE_MAX: usize = FLIGHTS_MAX / 4;

/// See the module's documentation. There is one for each org that has anything.
#[derive(Default)]
pub(super) struct Shares(HashMap<OrgId, Share>);

#[derive(Clone, Copy, Default)]
struct Share {
    kept: usize,
    flights: usize,
}

impl Shares {
    fn of(&self, org: OrgId) -> Share {
        self.0.get(&org).copied().unwrap_or_default()
    }

    fn change(&mut self, org: OrgId, change: impl FnOnce(&mut Share)) {
        let share = self.0.entry(org).or_default();
        change(share);
        if share.kept == 0 && share.flights == 0 {
            self.0.remove(&org);
        }
    }

    /// Whether an org may not have another exchange under way.
    pub(super) fn is_used_up(&self, org: OrgId) -> bool {
        self.of(org).flights >= FLIGHTS_OF_ONE_MAX
    }

    pub(super) fn took_off(&mut self, org: OrgId) {
        self.change(org, |share| share.flights += 1);
    }

    pub(super) fn landed(&mut self, org: OrgId) {
        self.change(org, |share| share.flights = share.flights.saturating_sub(1));
    }

    pub(super) fn keeps(&mut self, org: OrgId) {
        self.change(org, |share| share.kept += 1);
    }

    pub(super) fn let_go(&mut self, org: OrgId) {
        self.change(org, |share| share.kept = share.kept.saturating_sub(1));
    }

    /// How many keys an org has.
    pub(super) fn kept(&self, org: OrgId) -> usize {
        self.of(org).kept
    }

    /// The most that any has: whoever has them makes room.
    pub(super) fn largest(&self) -> usize {
        self.0.values().map(|share| share.kept).max().unwrap_or_default()
    }
}
