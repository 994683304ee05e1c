pub(crate) mod dice;
mod identities;
mod simulation;
mod task;
mod tcp;
