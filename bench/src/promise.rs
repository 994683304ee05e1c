//! What figures are held to.

/// A bound that is promised for a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Promise {
    pub(crate) bound: Bound,
    pub(crate) steadiness: Steadiness,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// Whether others on the same machine can spoil a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steadiness {
    /// They cannot: it is kept in each round.
    Steady,
    /// They can, since it is a matter of time: it is kept if it is in one round of [`ROUNDS`], and only looked at where the
    /// server is built as for use.
    Timed,
}

/// How many rounds there are at most to keep a promise that others can spoil.
pub(crate) const ROUNDS: u32 = 3;

impl Bound {
    pub(crate) fn is_kept_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    /// The value that is nearer to breaking it.
    pub(crate) fn worse(self, a: f64, b: f64) -> f64 {
        match self {
            Self::AtMost(_) => a.max(b),
            Self::AtLeast(_) => a.min(b),
        }
    }

    pub(crate) fn words(self) -> (&'static str, f64) {
        match self {
            Self::AtMost(most) => ("at most", most),
            Self::AtLeast(least) => ("at least", least),
        }
    }
}
