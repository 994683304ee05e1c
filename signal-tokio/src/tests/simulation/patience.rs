//! Finds a run in which something goes on for ever without that time passes, which would hang with no word of its seed.
//!
//! Time stands still for as long as any task has something to do. Whatever the tasks do passes by `step`.

use std::{cell::Cell, future::Future, rc::Rc};

use tokio::{select, sync::Notify, time::Instant};

/// So many steps are never taken in one moment: a hundred times what happens at the most.
const MOST: u64 = 100_000;

thread_local! {
    /// The moment, and how many steps there were in it.
    static STEPS: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
    static IS_OVER: Rc<Notify> = Rc::default();
}

/// Something is done.
pub(super) fn step() {
    let now = Instant::now();
    let before = STEPS.get().filter(|(moment, _)| *moment == now);
    let steps = before.map_or(0, |(_, steps)| steps) + 1;
    STEPS.set(Some((now, steps)));
    if steps == MOST {
        IS_OVER.with(|is_over| is_over.notify_one());
    }
    // One task alone does it, and lets no other have its turn.
    assert!(steps < 2 * MOST, "time stands still");
}

/// Plays the run on this thread that `run` is, and fails when time stands still in it.
pub(super) async fn watch(run: impl Future<Output = ()>) {
    STEPS.set(None);
    let is_over = IS_OVER.with(Rc::clone);
    select! {
        biased;
        () = is_over.notified() => panic!("time stands still"),
        () = run => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::{task::yield_now, time};

    use super::*;

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "time stands still")]
    async fn two_who_never_rest_are_found() {
        watch(async {
            let restless = || async {
                loop {
                    step();
                    yield_now().await;
                }
            };
            tokio::join!(tokio::spawn(restless()), tokio::spawn(restless())).0.expect("it never ends");
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "time stands still")]
    async fn one_who_lets_no_other_have_its_turn_is_found() {
        watch(async {
            loop {
                step();
            }
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_rest_may_go_on() {
        watch(async {
            for _ in 0..3 {
                (1..MOST).for_each(|_| step());
                time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}
