//! A value that is loaded when it is first used.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lexstream_columns::model::{ModelError, Unusable};

/// What of a model is large: loaded at first use, once, by whichever thread comes first, while the others wait.
///
/// A load that fails is tried again by the next call; a value that is there costs no lock.
#[derive(Debug)]
pub struct Lazy<T> {
    value: OnceLock<Arc<T>>,
    loading: Mutex<()>,
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self {
            value: OnceLock::new(),
            loading: Mutex::new(()),
        }
    }
}

impl<T> Lazy<T> {
    /// Returns the value; the first call loads it.
    ///
    /// # Errors
    ///
    /// Where `load` fails: its error, marked as [`Unusable`], since no row is to blame.
    pub fn load(&self, load: impl FnOnce() -> Result<T, ModelError>) -> Result<Arc<T>, ModelError> {
        if let Some(value) = self.peek() {
            return Ok(value);
        }
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.peek() {
            return Ok(value);
        }
        let value = Arc::new(load().map_err(Unusable::mark)?);
        Ok(Arc::clone(self.value.get_or_init(|| value)))
    }

    /// Returns the value if it has been loaded.
    pub fn peek(&self) -> Option<Arc<T>> {
        self.value.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn many_threads_load_it_once() {
        let (lazy, loads) = (Lazy::default(), AtomicUsize::new(0));
        let load = || lazy.load(|| Ok(loads.fetch_add(1, Ordering::Relaxed)));
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
            for thread in threads {
                let value = thread.join().expect("a thread");
                assert_eq!(*value.expect("a value"), 0);
            }
        });
        assert_eq!(loads.into_inner(), 1);
    }

    #[test]
    fn a_load_that_failed_is_tried_again() {
        let lazy = Lazy::default();
        let failed = lazy.load(|| Err("no such file".into())).expect_err("fails");
        assert!(failed.is::<Unusable>());
        assert_eq!(
            (failed.to_string().as_str(), lazy.peek()),
            ("no such file", None)
        );
        assert_eq!(*lazy.load(|| Ok(7)).expect("a value"), 7);
    }
}
