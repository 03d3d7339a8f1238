//! What a stream counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::delivery::Batch;
use super::taken::Counts;
use lexstream_kafka::{Offsets, Partition};

/// What a stream counts, from its start.
#[derive(Debug)]
pub struct Metrics {
    counts: Mutex<Counts>,
    transactions: AtomicU64,
    aborts: AtomicU64,
    renewals: AtomicU64,
    rebalances: AtomicU64,
    held_bytes: AtomicUsize,
    is_ready: AtomicBool,
    /// When it was told first what to read.
    began: OnceLock<Instant>,
    /// The offset that comes next in each partition that is read.
    done: Mutex<Offsets>,
    /// Where partitions end, as far as it is known.
    ends: Mutex<Offsets>,
    /// Seconds from taking a batch to its scores.
    pub(super) batch_seconds: Histogram,
    /// Seconds of a transaction.
    pub(super) commit_seconds: Histogram,
    /// Seconds from a message's timestamp to the commit of what it became.
    pub(super) latency_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        Self {
            counts: Mutex::default(),
            transactions: AtomicU64::new(0),
            aborts: AtomicU64::new(0),
            renewals: AtomicU64::new(0),
            rebalances: AtomicU64::new(0),
            held_bytes: AtomicUsize::new(0),
            is_ready: AtomicBool::new(false),
            began: OnceLock::new(),
            done: Mutex::default(),
            ends: Mutex::default(),
            batch_seconds: histogram(),
            commit_seconds: histogram(),
            latency_seconds: histogram(),
        }
    }
}

impl Metrics {
    /// Returns how many messages became what.
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the transactions that were committed, and those that were aborted.
    pub fn transactions(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.transactions), read(&self.aborts))
    }

    /// Returns how often a new producer was needed.
    pub fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Returns how often the group changed what this member reads.
    pub fn rebalances(&self) -> u64 {
        self.rebalances.load(Ordering::Relaxed)
    }

    /// Returns the bytes of messages that are held, and of their results.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Returns the partitions that are read, and the offset that comes next.
    pub fn done(&self) -> Offsets {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns how many offsets lie between what is done and the end of each partition that is read.
    pub fn lags(&self) -> BTreeMap<Partition, i64> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.done().into_iter();
        done.filter_map(|(partition, done)| {
            let end = *ends.get(&partition)?;
            Some((partition, (end - done).max(0)))
        })
        .collect()
    }

    /// Tells whether the group has said what this process reads, and it does.
    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    /// Returns how long ago the group said first what this process reads.
    pub fn reading_for(&self) -> Option<Duration> {
        self.began.get().map(Instant::elapsed)
    }

    /// Notes where partitions end.
    pub(super) fn end(&self, ends: Offsets) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }

    /// Notes that the stream reads, or does no longer.
    pub(super) fn set_ready(&self, is_ready: bool) {
        if is_ready {
            self.began.get_or_init(Instant::now);
        }
        self.is_ready.store(is_ready, Ordering::Relaxed);
    }

    pub(super) fn batch_scored(&self, time: Duration) {
        self.batch_seconds.observe(time.as_secs_f64());
    }

    pub(super) fn rebalanced(&self) {
        self.rebalances.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes the partitions that are read now, and what of them is done.
    pub(super) fn reads(&self, partitions: impl Iterator<Item = (Partition, i64)>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done = partitions.collect();
    }

    pub(super) fn holds(&self, bytes: usize) {
        self.held_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn committed(&self, time: Duration) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        self.commit_seconds.observe(time.as_secs_f64());
    }

    pub(super) fn add(&self, batch: &impl Batch) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs_f64();
        for timestamp in batch.timestamps() {
            // Milliseconds since 1970 are far below 2^52.
            let latency = now - timestamp as f64 / 1000.0;
            self.latency_seconds.observe(latency.max(0.0));
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts += batch.counts();
    }

    pub(super) fn aborted(&self) {
        self.aborts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn renewed(&self) {
        self.renewals.fetch_add(1, Ordering::Relaxed);
    }
}
