//! Hashing of passwords: slow and large on purpose, and therefore a few at once, away from the threads that answer.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// Passwords that are hashed at once: 38 MiB, and no more of the processors than a small machine can spare.
const AT_ONCE: usize = 2;
/// Passwords that are hashed or wait for it: about half a second's work. Beyond it, whoever asks is told to come again.
const ROOM: usize = 32;

/// The places for hashing.
pub(crate) struct Hashing {
    places: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), room: Arc::new(Semaphore::new(ROOM)) }
    }
}

impl Hashing {
    /// Does a piece of work once there is a place for it. A caller that is given up leaves work that has begun to its
    /// end, and its place taken until then.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where too many wait already.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let room = self.room.clone().try_acquire_owned().map_err(|_| Error::Unavailable(None))?;
        let place = self.places.clone().acquire_owned().await;
        let held: (OwnedSemaphorePermit, _) = (room, place.map_err(|error| Error::Internal(error.into()))?);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        done.await.map_err(|error| Error::Internal(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// How long a busy machine may take to begin.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

    /// A gate that the work waits behind, so that all of a flood is there at once.
    #[derive(Default)]
    struct Gate {
        is_open: Mutex<bool>,
        opened: Condvar,
        running: AtomicUsize,
        most: AtomicUsize,
    }

    impl Gate {
        fn pass(&self) {
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            let is_open = self.is_open.lock().unwrap();
            drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
            self.running.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_flood_takes_a_few_places_and_the_rest_is_refused() {
        let (hashing, gate) = (Arc::new(Hashing::default()), Arc::new(Gate::default()));
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..ROOM + 100 {
            let (hashing, gate) = (hashing.clone(), gate.clone());
            asked.spawn(async move { hashing.run(move || gate.pass()).await });
        }
        // Those beyond the room are refused while the others still wait.
        for _ in 0..100 {
            let refused = asked.join_next().await.unwrap().unwrap();
            assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        }
        // Whoever has a place may still be waiting for a thread.
        let all_begun = async {
            while gate.running.load(Ordering::SeqCst) < AT_ONCE {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, all_begun).await.expect("every place is taken");
        assert_eq!(gate.most.load(Ordering::SeqCst), AT_ONCE);
        *gate.is_open.lock().unwrap() = true;
        gate.opened.notify_all();
        while let Some(done) = asked.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!(gate.most.load(Ordering::SeqCst), AT_ONCE);
        hashing.run(|| ()).await.expect("there is room again");
    }
}
