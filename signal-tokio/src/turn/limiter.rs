//! So many for each in any stretch of time of one length.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
    time::{Duration, Instant},
};

/// So many are remembered, of all together; the oldest is forgotten before its time then. With 100 bytes each, that is
/// 10 MB, and enough for ten thousand who take all that they may.
const REMEMBERED: usize = 100_000;

/// Remembers each time, so that it is exact: a bucket that fills up again would give twice as much after a pause.
#[derive(Debug)]
pub(super) struct Limiter {
    most: usize,
    window: Duration,
    remembered: usize,
    /// Who took something and when, oldest first.
    taken: VecDeque<(Instant, Arc<str>)>,
    /// The same for each of them; nobody is here without having taken something.
    by: HashMap<Arc<str>, VecDeque<Instant>>,
}

impl Limiter {
    pub(super) fn new(most: usize, window: Duration) -> Self {
        let (taken, by) = (VecDeque::new(), HashMap::new());
        Self { most, window, remembered: REMEMBERED.max(most), taken, by }
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// When there is one again, if there is none now.
    pub(super) fn take(&mut self, who: &str, now: Instant) -> Result<(), Instant> {
        let window = self.window;
        let is_over = |(at, _): &(Instant, _)| *at + window <= now;
        while self.taken.len() >= self.remembered || self.taken.front().is_some_and(is_over) {
            self.forget_oldest();
        }
        if let Some(times) = self.by.get(who)
            && times.len() >= self.most
        {
            return Err(times[0] + self.window);
        }
        let known = self.by.get_key_value(who).map(|(who, _)| Arc::clone(who));
        let who = known.unwrap_or_else(|| Arc::from(who));
        self.taken.push_back((now, Arc::clone(&who)));
        self.by.entry(who).or_default().push_back(now);
        Ok(())
    }

    fn forget_oldest(&mut self) {
        let Some((_, who)) = self.taken.pop_front() else { return };
        let Entry::Occupied(mut times) = self.by.entry(who) else { return };
        times.get_mut().pop_front();
        if times.get().is_empty() {
            times.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn ten_in_ten_minutes() -> (Limiter, Instant) {
        (Limiter::new(10, 10 * MINUTE), Instant::now())
    }

    #[test]
    fn nobody_ever_gets_more_than_ten_in_ten_minutes() {
        let (mut limiter, start) = ten_in_ten_minutes();
        let mut given = Vec::new();
        // Now and then many at once, and now and then a pause.
        for step in 0..10_000u32 {
            let now = start + Duration::from_secs(u64::from(step) + u64::from(step / 97 * 211));
            match limiter.take("ann", now) {
                Ok(()) => given.push(now),
                Err(again) => assert_eq!(again, given[given.len() - 10] + 10 * MINUTE),
            }
        }
        assert!(given.len() > 500);
        assert!(given.windows(11).all(|eleven| eleven[10] - eleven[0] >= 10 * MINUTE));
    }

    #[test]
    fn everybody_has_an_own_number() {
        let (mut limiter, now) = ten_in_ten_minutes();
        for who in ["ann", "bob"] {
            (0..10).for_each(|_| assert_eq!(limiter.take(who, now), Ok(())));
        }
        for (later, expected) in [(Duration::ZERO, Err(now + 10 * MINUTE)), (10 * MINUTE, Ok(()))] {
            assert_eq!(limiter.take("ann", now + later), expected);
            assert_eq!(limiter.take("bob", now + later), expected);
        }
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let (mut limiter, now) = ten_in_ten_minutes();
        for number in 0..1000 {
            limiter.take(&number.to_string(), now).unwrap();
        }
        limiter.take("ann", now + 10 * MINUTE).unwrap();
        assert_eq!((limiter.taken.len(), limiter.by.len()), (1, 1));
    }

    #[test]
    fn no_more_is_remembered_than_may_be() {
        let (mut limiter, now) = ten_in_ten_minutes();
        limiter.remembered = 100;
        for number in 0..1000 {
            limiter.take(&number.to_string(), now).unwrap();
            assert!(limiter.taken.len() <= 100 && limiter.by.len() <= 100);
        }
    }
}
