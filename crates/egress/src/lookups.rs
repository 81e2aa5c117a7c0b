//! Names are looked up on threads of their own, each org within its share.
//!
//! The system's resolver blocks the thread that asks for as long as a name server likes, and nobody can call it back:
//! whoever gives up waiting leaves it running. Among the runtime's blocking threads, names that one tenant's name servers
//! never answer for would stand before everything else that blocks: hashing, the database's long reads, the list of the
//! dead that every change waits for. So these threads are apart, few of them are one org's, and one is free again when
//! its look-up is over, whoever still waits for it.
//!
//! An answer is for those who asked while it was under way, and is not kept.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use claviger_model::OrgId;
use tokio::sync::watch;

use crate::{ConnectError, Resolver};

/// Names that are looked up at once, each on a thread that does nothing but wait.
const AT_ONCE_MAX: usize = 64;
/// Of these, so many are one org's. A name server nearby answers within milliseconds: they are enough for a thousand new
/// connections in a second.
const OF_ORG_AT_ONCE_MAX: usize = 8;
/// Names of one org that wait for a thread. Beyond, whoever asks is refused. How many orgs there are is for the operator to
/// say, and so how many names wait in all.
const OF_ORG_WAITING_MAX: usize = 256;

/// What became of a look-up, for all who wait for it.
type Found = Result<Arc<[IpAddr]>, Arc<io::Error>>;

/// The names that are being looked up.
#[derive(Clone)]
pub(crate) struct Lookups(Arc<Inner>);

struct Inner {
    resolver: Box<dyn Resolver>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those under way and those that wait.
    asked: HashMap<Question, watch::Sender<Option<Found>>>,
    /// Those that wait for a thread, in the order in which they came.
    waiting: VecDeque<Question>,
    running: usize,
    shares: HashMap<Option<OrgId>, Share>,
}

/// A name, and for whom it is asked. Each org has its own: none waits for what another began.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    org: Option<OrgId>,
    name: Arc<str>,
}

/// What an org has under way.
#[derive(Default)]
struct Share {
    running: usize,
    waiting: usize,
}

impl Lookups {
    pub(crate) fn new(resolver: impl Resolver) -> Self {
        Self(Arc::new(Inner { resolver: Box::new(resolver), state: Mutex::default() }))
    }

    /// All addresses of a name.
    ///
    /// # Errors
    /// [`ConnectError::Lookup`]; [`ConnectError::Busy`] where the org has too many names looked up.
    pub(crate) async fn ask(&self, org: Option<OrgId>, name: &str) -> Result<Arc<[IpAddr]>, ConnectError> {
        let mut told = self.join(Question { org, name: name.into() })?;
        let found = told.wait_for(Option::is_some).await;
        let lost = || Err(Arc::new(io::Error::other("the look-up was given up")));
        let found = found.map_or(None, |found| found.clone()).unwrap_or_else(lost);
        found.map_err(|error| ConnectError::Lookup(io::Error::new(error.kind(), error)))
    }

    /// A place among those who wait for a name, which is looked up if it is not already.
    fn join(&self, question: Question) -> Result<watch::Receiver<Option<Found>>, ConnectError> {
        let mut state = self.state();
        if let Some(asked) = state.asked.get(&question) {
            return Ok(asked.subscribe());
        }
        let (sender, receiver) = watch::channel(None);
        let has_thread = state.running < AT_ONCE_MAX && state.share(&question).running < OF_ORG_AT_ONCE_MAX;
        if has_thread {
            let (lookups, first) = (self.clone(), question.clone());
            let thread = thread::Builder::new().name("look-up".to_owned());
            thread.spawn(move || lookups.work(first)).map_err(ConnectError::Lookup)?;
            state.running += 1;
            state.share(&question).running += 1;
        } else {
            if state.share(&question).waiting >= OF_ORG_WAITING_MAX {
                state.forget_abandoned();
            }
            if state.share(&question).waiting >= OF_ORG_WAITING_MAX {
                return Err(ConnectError::Busy);
            }
            state.share(&question).waiting += 1;
            state.waiting.push_back(question.clone());
        }
        state.asked.insert(question, sender);
        Ok(receiver)
    }

    /// Looks a name up on this thread, and then whatever waits.
    fn work(self, first: Question) {
        let mut next = Some(first);
        while let Some(question) = next {
            let looked_up = catch_unwind(AssertUnwindSafe(|| self.0.resolver.lookup(&question.name)));
            let found = looked_up.unwrap_or_else(|_| Err(io::Error::other("the resolver panicked")));
            next = self.finish(&question, found.map(Arc::from).map_err(Arc::new));
        }
    }

    /// Tells all who wait, and takes what this thread looks up next; none where it may end.
    fn finish(&self, question: &Question, found: Found) -> Option<Question> {
        let mut state = self.state();
        let asked = state.asked.remove(question);
        state.share(question).running -= 1;
        let next = state.next();
        match &next {
            Some(next) => {
                let share = state.share(next);
                share.waiting -= 1;
                share.running += 1;
            }
            None => state.running -= 1,
        }
        state.shares.retain(|_, share| share.running + share.waiting > 0);
        drop(state);
        if let Some(asked) = asked {
            asked.send_replace(Some(found));
        }
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn share(&mut self, question: &Question) -> &mut Share {
        self.shares.entry(question.org).or_default()
    }

    /// The name that comes next: of whichever org has least under way, the one that waits longest.
    fn next(&mut self) -> Option<Question> {
        self.forget_abandoned();
        let running = |question: &Question| self.shares.get(&question.org).map_or(0, |share| share.running);
        let places = self.waiting.iter().enumerate();
        let free = places.map(|(place, question)| (running(question), place));
        let (_, place) = free.filter(|(running, _)| *running < OF_ORG_AT_ONCE_MAX).min()?;
        self.waiting.remove(place)
    }

    /// Takes out what waits though nobody waits for it any more.
    fn forget_abandoned(&mut self) {
        let Self { asked, waiting, shares, .. } = self;
        waiting.retain(|question| {
            let is_awaited = asked.get(question).is_some_and(|asked| asked.receiver_count() > 0);
            if !is_awaited {
                asked.remove(question);
                if let Some(share) = shares.get_mut(&question.org) {
                    share.waiting -= 1;
                }
            }
            is_awaited
        });
    }
}
