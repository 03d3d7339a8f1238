//! The loop: poll, process, deliver. It holds the guarantee, and nothing else holds state.

mod dead_letter_rate;
mod drain;
mod in_flight;
mod partition_state;
mod rebalance;
mod run;
#[cfg(test)]
mod tests;
mod uncommitted;
mod until_end;
mod write;

pub(crate) use in_flight::Process;
pub(crate) use run::{FlowLimits, LoopOptions, run};
