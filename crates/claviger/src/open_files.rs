//! How many files the process may have open, which connections are too.
//!
//! Where there are too few of them, nobody is served any more: neither is a connection accepted, nor the database or the dead
//! list opened. So as many are asked for as the system gives, and whoever runs the server is told where its own bounds
//! allow for more than that.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open beside connections of callers and to third parties that are called: the database, files, webhooks, exchanges of
/// tokens, lookups of names. Each of these is bounded in its own place, and all of them together by less than this.
const OTHERS: u64 = 512;

/// Sees to it that so many connections can be open, as far as the system lets it.
pub(crate) fn provide(connections: usize) {
    let needed = connections as u64 + OTHERS;
    let allowed = raised();
    match allowed {
        Some(allowed) if allowed < needed => tracing::warn!(
            allowed,
            needed,
            "the server may open fewer files than its bounds add up to: raise the limit (LimitNOFILE), or lower \
             --broker-calls-max"
        ),
        _ => tracing::debug!(allowed, needed, "open files"),
    }
}

/// Raises the limit as far as it goes, and tells it; none for no limit.
fn raised() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(error = claviger_model::chain(&error), "the limit of open files cannot be raised");
            current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(raised(), maximum);
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: maximum, maximum }, "it was {current:?}");
    }
}
