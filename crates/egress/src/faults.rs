//! Guards by name: a test build can switch each off, to show that the tests would notice. Without the feature `faults` all
//! of them stand, and nothing can be switched.

/// A guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "faults"),
    expect(unreachable_pub, reason = "told of only where it can be switched off")
)]
pub enum Guard {
    /// The addresses that were checked are those that are dialled: a name is looked up once.
    Resolution,
    /// Only private hosts that it is allowed for are called in clear.
    Clear,
}

/// Which guards are switched off.
#[derive(Debug, Clone, Default)]
pub struct Faults(#[cfg(feature = "faults")] std::sync::Arc<std::sync::atomic::AtomicU32>);

#[cfg(feature = "faults")]
impl Faults {
    /// Switches one off, and all others on.
    pub fn switch_off(&self, guard: Guard) {
        self.0.store(1 << guard as u32, std::sync::atomic::Ordering::SeqCst);
    }

    /// Switches all on.
    pub fn switch_on(&self) {
        self.0.store(0, std::sync::atomic::Ordering::SeqCst);
    }

    pub(crate) fn stands(&self, guard: Guard) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst) & 1 << guard as u32 == 0
    }
}

#[cfg(not(feature = "faults"))]
impl Faults {
    #[expect(clippy::unused_self, reason = "what is asked can have another answer with the feature")]
    pub(crate) fn stands(&self, _guard: Guard) -> bool {
        true
    }
}
