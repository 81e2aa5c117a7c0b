//! The guards that keep a secret where it belongs, by name: a test build can switch each off, to show that the tests
//! would notice. Without the feature `faults` all of them stand, and nothing can be switched.

/// A guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "faults"),
    expect(unreachable_pub, reason = "told of only where it can be switched off")
)]
pub enum Guard {
    /// A call goes to hosts that the connection allows.
    Host,
    /// And to addresses that its org may reach.
    Address,
    /// Paths that can be read in two ways are refused.
    Path,
    /// What of the caller's headers is ours, or the connection's to say, goes no further.
    HeaderStrip,
    /// The same of the query.
    QueryStrip,
    /// What of an answer speaks for us, or for all of our host, goes no further.
    AnswerStrip,
    /// An org's open connections are its own.
    #[cfg(feature = "faults")]
    Pool,
    /// Only a connection's own texts are templates.
    #[cfg(feature = "faults")]
    Template,
    /// A redirect is handed back.
    #[cfg(feature = "faults")]
    Redirect,
    /// What an answer echoes of a secret is masked.
    Redaction,
    /// An integration token reaches its own integration's connections.
    #[cfg(feature = "faults")]
    Binding,
    /// A connection's restriction says who may use it.
    #[cfg(feature = "faults")]
    Restriction,
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
