use std::time::{Duration, Instant};

use super::{Budget, Cost, Pace, Rates};

/// A client, and the clock that it lives by.
struct Client {
    rates: Rates,
    budget: Budget,
    start: Instant,
    now: Instant,
}

impl Client {
    fn new(rates: Rates) -> Self {
        let now = Instant::now();
        Self { budget: Budget::full(&rates, now), rates, start: now, now }
    }

    fn pay(&mut self, bytes: usize) -> Pace {
        self.budget.pay(&self.rates, Cost::message(bytes), self.now)
    }

    fn introduce(&mut self) {
        self.budget.introduce(&self.rates, self.now);
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// How many messages are read before a pause.
    fn at_once(&mut self, bytes: usize) -> u32 {
        let mut read = 1;
        while self.pay(bytes) == Pace::Read {
            read += 1;
        }
        read
    }

    /// Sends as fast as it is read, with pauses `late` ms longer than they have to be. How many messages have been read
    /// before it is closed.
    fn flood(&mut self, bytes: usize, late: u64, most: u32) -> Option<u32> {
        for read in 1..=most {
            let mut pace = self.pay(bytes);
            while let Pace::Wait(until) = pace {
                self.now = until + Duration::from_millis(late);
                pace = self.budget.pay(&self.rates, Cost::default(), self.now);
            }
            if pace == Pace::Over {
                return Some(read);
            }
        }
        None
    }
}

#[test]
fn a_burst_is_read_at_once_and_then_the_rate() {
    let mut client = Client::new(Rates::default());
    assert_eq!(client.at_once(100), 200);
    let Pace::Wait(until) = client.pay(100) else { panic!("the burst is over") };
    // One message too many, and the next one.
    assert_eq!((until - client.now).as_millis(), 40);
    client.wait(1040);
    assert_eq!(client.at_once(100), 51);
}

#[test]
fn large_messages_are_charged_by_their_bytes() {
    let mut client = Client::new(Rates::default());
    // The last one overdraws the budget by itself.
    assert_eq!(client.at_once(64 << 10), 17);
    client.wait(500);
    assert_eq!(client.at_once(32 << 10), 3);
}

#[test]
fn a_long_pause_fills_no_more_than_the_burst() {
    let mut client = Client::new(Rates::default());
    client.at_once(0);
    client.wait(3_600_000);
    assert_eq!(client.at_once(0), 200);
}

#[test]
fn an_introduction_adds_on_top_of_the_burst_and_is_not_filled_up_again() {
    let mut client = Client::new(Rates::default());
    for _ in 0..63 {
        client.introduce();
    }
    client.wait(10_000);
    assert_eq!(client.at_once(0), 200 + 63 * 64);
    client.wait(3_600_000);
    assert_eq!(client.at_once(0), 200);
}

#[test]
fn an_introduction_ends_a_pause() {
    let mut client = Client::new(Rates::default());
    client.at_once(0);
    client.introduce();
    assert_eq!(client.budget.pay(&client.rates, Cost::default(), client.now), Pace::Read);
    assert_eq!(client.at_once(0), 64);
}

#[test]
fn who_is_introduced_all_the_time_has_a_rate_still() {
    let mut client = Client::new(Rates::default());
    for _ in 0..100_000 {
        client.introduce();
    }
    assert_eq!(client.at_once(0), 200 + 1024 * 64);
    client.wait(1000);
    for _ in 0..1000 {
        client.introduce();
    }
    assert_eq!(client.at_once(0), 50 + 5 * 64);
}

#[test]
fn what_introductions_add_is_not_saved_up_without_end() {
    let mut client = Client::new(Rates::default());
    for _ in 0..3600 {
        client.introduce();
        client.wait(1000);
    }
    assert_eq!(client.at_once(0), 200 + 1024 * 64);
}

#[test]
fn who_floods_is_closed_after_10_s() {
    for late in [0, 1, 20, 100] {
        let mut client = Client::new(Rates::default());
        let read = client.flood(100, late, 10_000).expect("it is closed");
        let seconds = client.elapsed().as_secs_f64();
        assert!((10.0..10.5).contains(&seconds), "{seconds} s with {late} ms");
        assert!((690..=710).contains(&read), "{read} messages with {late} ms");
    }
}

#[test]
fn who_floods_with_bytes_is_closed_after_10_s() {
    let mut client = Client::new(Rates::default());
    client.flood(128 << 10, 1, 1000).expect("it is closed");
    assert!((10.0..11.0).contains(&client.elapsed().as_secs_f64()), "{:?}", client.elapsed());
}

#[test]
fn who_has_sent_too_much_at_once_and_then_keeps_to_the_rate_is_not_closed() {
    let mut client = Client::new(Rates::default());
    assert_eq!(client.flood(100, 1, 400), None);
    // Below the rate by a little, for an hour.
    for _ in 0..45 * 3600 {
        client.now += Duration::from_nanos(1_000_000_000 / 45);
        let mut pace = client.pay(100);
        while let Pace::Wait(until) = pace {
            client.now = client.now.max(until);
            pace = client.budget.pay(&client.rates, Cost::default(), client.now);
        }
        assert_eq!(pace, Pace::Read, "after {:?}", client.elapsed());
    }
}

#[test]
fn a_break_starts_the_patience_anew() {
    let mut client = Client::new(Rates::default());
    for _ in 0..10 {
        // 8 s of it each time.
        assert_eq!(client.flood(100, 1, 400), None);
        client.wait(1000);
    }
    client.flood(100, 1, 1000).expect("it is closed");
}

#[test]
fn without_bounds_nobody_waits() {
    let mut client = Client::new(Rates::unlimited());
    for _ in 0..100_000 {
        assert_eq!(client.pay(128 << 10), Pace::Read);
        client.now += Duration::from_micros(100);
    }
}

#[test]
fn the_smallest_rates_close_whoever_floods() {
    let rates = Rates { messages: 1, burst: 2, bytes: 1, burst_bytes: 1, ..Rates::default() };
    let mut client = Client::new(rates);
    client.flood(1, 1, 1000).expect("it is closed");
    assert!(client.elapsed() < Duration::from_secs(12));
}
