//! A task that panics tells nobody but whoever waits for it, and nobody waits for those of a server.

use std::{
    cell::RefCell,
    panic,
    sync::{Arc, Mutex, Once, PoisonError},
};

use crate::policy;

/// The panics on the threads of one rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panics(Arc<Mutex<Vec<String>>>);

thread_local! {
    static WATCHED_BY: RefCell<Option<Panics>> = const { RefCell::new(None) };
}

impl Panics {
    /// Takes note of all that panics on this thread from now on, but for what a rule wants to panic.
    pub(crate) fn watch_this_thread(&self) {
        static HOOKED: Once = Once::new();
        HOOKED.call_once(|| {
            let hook = panic::take_hook();
            panic::set_hook(Box::new(move |panicked| {
                let watch = WATCHED_BY.with_borrow(Clone::clone);
                let is_wanted = panicked.to_string().ends_with(policy::PANIC);
                if let Some(Self(panics)) = watch.filter(|_| !is_wanted) {
                    panics.lock().unwrap_or_else(PoisonError::into_inner).push(panicked.to_string());
                }
                hook(panicked);
            }));
        });
        WATCHED_BY.set(Some(self.clone()));
    }

    pub(crate) fn check(&self) {
        let panics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(panics.is_empty(), "a task has panicked: {}", panics.join("; "));
    }
}
