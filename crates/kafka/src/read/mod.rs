//! Reading: ranges that end, and partitions as a member of a group.

mod group_consumer;
mod messages;
mod probe;
mod range_reader;
mod ranges;
mod statistics;

pub use group_consumer::{GroupConsumer, Polled, Rebalance, Wake};
pub use messages::{Message, Messages};
pub use probe::is_at_end;
pub use range_reader::RangeReader;
pub use ranges::{PartitionRange, Wanted, find_ranges};
