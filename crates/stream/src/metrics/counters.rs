//! Counters, gauges and histograms of a stream.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use crate::batch::{Counts, OutputBatch};
use lexstream_kafka::{Offsets, Partition};

/// Counters, gauges and histograms of a stream, from its start.
#[derive(Debug)]
pub struct Metrics {
    counts: Mutex<Counts>,
    transactions: AtomicU64,
    aborts: AtomicU64,
    renewals: AtomicU64,
    rebalances: AtomicU64,
    held_bytes: AtomicUsize,
    is_ready: AtomicBool,
    /// When partitions were first assigned.
    began: OnceLock<Instant>,
    /// Up to where each assigned partition is durable.
    done: Mutex<Offsets>,
    /// The ends of partitions, where they are known.
    ends: Mutex<Offsets>,
    /// Seconds from the start of a batch to its results.
    pub(crate) batch_seconds: Histogram,
    /// Seconds of a transaction.
    pub(crate) commit_seconds: Histogram,
    /// Seconds from a message's timestamp to the commit of what it became.
    pub(crate) latency_seconds: Histogram,
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

    /// Returns the numbers of committed and of aborted transactions.
    pub fn transactions(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.transactions), read(&self.aborts))
    }

    /// Returns how often the producer was renewed.
    pub fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Returns the number of rebalances.
    pub fn rebalances(&self) -> u64 {
        self.rebalances.load(Ordering::Relaxed)
    }

    /// Returns the bytes of buffered messages and their results.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Returns up to where each assigned partition is durable.
    pub fn done(&self) -> Offsets {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the lag of each assigned partition: offsets between what is durable and its end.
    pub fn lags(&self) -> BTreeMap<Partition, i64> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.done().into_iter();
        done.filter_map(|(partition, done)| {
            let end = *ends.get(&partition)?;
            Some((partition, (end - done).max(0)))
        })
        .collect()
    }

    /// Tells whether partitions have been assigned, be it none.
    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    /// Returns how long ago partitions were first assigned.
    pub fn reading_for(&self) -> Option<Duration> {
        self.began.get().map(Instant::elapsed)
    }

    /// Sets the ends of partitions.
    pub(crate) fn end(&self, ends: Offsets) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }

    /// Sets whether partitions have been assigned.
    pub(crate) fn set_ready(&self, is_ready: bool) {
        if is_ready {
            self.began.get_or_init(Instant::now);
        }
        self.is_ready.store(is_ready, Ordering::Relaxed);
    }

    pub(crate) fn batch_processed(&self, time: Duration) {
        self.batch_seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn rebalanced(&self) {
        self.rebalances.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the assigned partitions, and up to where each is durable.
    pub(crate) fn reads(&self, partitions: impl Iterator<Item = (Partition, i64)>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done = partitions.collect();
    }

    pub(crate) fn holds(&self, bytes: usize) {
        self.held_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn committed(&self, time: Duration) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        self.commit_seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn add(&self, batch: &impl OutputBatch) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs_f64();
        let messages = batch.input().messages.iter();
        for timestamp in messages.filter_map(|message| message.timestamp()) {
            // Milliseconds since 1970 are far below 2^52.
            let latency = now - timestamp as f64 / 1000.0;
            self.latency_seconds.observe(latency.max(0.0));
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts += batch.counts();
    }

    pub(crate) fn aborted(&self) {
        self.aborts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn renewed(&self) {
        self.renewals.fetch_add(1, Ordering::Relaxed);
    }
}
