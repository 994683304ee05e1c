pub(crate) mod dice;
mod simulation;
