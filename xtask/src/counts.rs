//! How often the tests that repeat something repeat it, and how large what they start is. The only place where these
//! figures stand.

/// One figure. Tests read it as the environment variable `SIGNAL_TEST_<NAME>` and have a small default of their own.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) name: &'static str,
    /// For `cargo xtask test`, which must be done within 20 minutes on two cores.
    pub(crate) reduced: u32,
    /// For `cargo xtask test --full`: what the issues demand.
    pub(crate) full: u32,
    pub(crate) what: &'static str,
}

/// The only one that the checks themselves read.
pub(crate) const FUZZ_SECONDS: Count =
    Count { name: "FUZZ_SECONDS", reduced: 4, full: 60, what: "each fuzz target runs, in s" };

pub(crate) const COUNTS: &[Count] = &[
    Count { name: "STORM_ROUNDS", reduced: 20, full: 200, what: "32 sockets join one channel at once" },
    Count { name: "INTRODUCTIONS", reduced: 100, full: 300, what: "members of one channel, all introduced" },
    Count { name: "CAPACITY_ROUNDS", reduced: 50, full: 500, what: "ten sockets race for a room of two" },
    Count { name: "STRANGERS", reduced: 200, full: 1000, what: "strangers look for each other at once" },
    Count { name: "GLARE_ROUNDS", reduced: 10, full: 50, what: "both sides add tracks in the same tick" },
    Count { name: "BYTE_CUTS", reduced: 300, full: 10_000, what: "a socket is cut at a random byte" },
    Count { name: "SOCKET_CUTS", reduced: 5, full: 20, what: "the sockets of a call are cut" },
    Count { name: "SERVER_RESTARTS", reduced: 2, full: 20, what: "the server of a call restarts" },
    Count { name: "CALL_CUTS", reduced: 4, full: 20, what: "the sockets of a call of four are cut" },
    Count { name: "SERVER_KILLS", reduced: 1, full: 3, what: "the server of a call of four is killed" },
    Count { name: "WHOLE_BROWSERS", reduced: 0, full: 1, what: "all of Chromium, where its shell would do" },
    Count { name: "CONTROL_SECONDS", reduced: 20, full: 300, what: "longest control of a call, in s" },
    Count { name: "FREEZE_SECONDS", reduced: 9, full: 60, what: "longest freeze of a browser" },
    Count { name: "JOINS_AND_LEAVES", reduced: 15, full: 100, what: "one of two joins and leaves" },
    Count { name: "SEEDS", reduced: 300, full: 10_000, what: "runs in which everything fails that can" },
    FUZZ_SECONDS,
    Count { name: "PROPTEST_CASES", reduced: 256, full: 5000, what: "random sequences for each property" },
];

/// Which of the two figures holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scale {
    Reduced,
    Full,
}

impl Scale {
    pub(crate) fn of(self, count: &Count) -> u32 {
        match self {
            Self::Reduced => count.reduced,
            Self::Full => count.full,
        }
    }

    /// The environment of the tests.
    pub(crate) fn variables(self) -> impl Iterator<Item = (String, String)> {
        let ours = COUNTS.iter().map(move |count| (format!("SIGNAL_TEST_{}", count.name), self.of(count)));
        // Proptest reads a variable of its own.
        let proptest = COUNTS.iter().filter(|count| count.name == "PROPTEST_CASES");
        ours.chain(proptest.map(move |count| (count.name.to_owned(), self.of(count))))
            .map(|(name, value)| (name, value.to_string()))
    }
}
