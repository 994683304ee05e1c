pub(crate) mod dice;
mod simulation;
mod task;
