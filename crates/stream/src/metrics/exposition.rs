//! The metrics of running streams as OpenMetrics text, which Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

use lexstream_columns::model::Figures;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Control, Metrics};

/// A metric's name, its help text and its value.
type Number = (&'static str, &'static str, fn(&Metrics) -> u64);

/// Counters.
const COUNTERS: &[Number] = &[
    (
        "messages",
        "Messages read whose fate is committed",
        |metrics| metrics.counts().messages,
    ),
    ("outputs", "Records written and committed", |metrics| {
        metrics.counts().outputs
    }),
    ("dead_letters", "Messages that failed", |metrics| {
        metrics.counts().dead
    }),
    (
        "filtered",
        "Messages that the queries left nothing of",
        |metrics| metrics.counts().filtered,
    ),
    ("bytes", "Bytes read: keys, values and headers", |metrics| {
        metrics.counts().bytes
    }),
    ("transactions", "Transactions committed", |metrics| {
        metrics.transactions().0
    }),
    ("aborts", "Transactions aborted", |metrics| {
        metrics.transactions().1
    }),
    (
        "producer_renewals",
        "Producers renewed as the outcome of a transaction was unknown",
        Metrics::renewals,
    ),
    (
        "rebalances",
        "Rebalances: assignments, revocations and losses of partitions",
        Metrics::rebalances,
    ),
];

/// Histograms, in seconds.
type Seconds = (&'static str, &'static str, fn(&Metrics) -> &Histogram);

const HISTOGRAMS: &[Seconds] = &[
    (
        "batch_seconds",
        "From the start of a batch to its results",
        |metrics| &metrics.batch_seconds,
    ),
    ("commit_seconds", "Of a transaction", |metrics| {
        &metrics.commit_seconds
    }),
    (
        "latency_seconds",
        "From a message's timestamp to the commit of what it became",
        |metrics| &metrics.latency_seconds,
    ),
];

/// A model's metric: its name, its help text and its value.
type OfModel = (&'static str, &'static str, fn(&Figures) -> f64);

/// Counters of models, of all streams together, labelled by pinned version; they are far below 2^52.
const OF_MODELS: &[OfModel] = &[
    (
        "model_seconds",
        "Time of a model's runs, added up",
        |figures| figures.model_time.as_secs_f64(),
    ),
    ("model_runs", "Runs of a model", |figures| {
        figures.runs as f64
    }),
    (
        "model_texts",
        "Distinct texts that a model computed",
        |figures| figures.distinct_texts as f64,
    ),
    ("model_tokens", "Their tokens", |figures| {
        figures.tokens as f64
    }),
    (
        "model_padded_tokens",
        "The tokens that a model was given, padding included",
        |figures| figures.padded_tokens as f64,
    ),
];

/// The streams, by the tables that they read.
#[derive(Debug)]
struct Streams(Vec<(String, Arc<Control>)>);

impl Collector for Streams {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        for (name, help, read) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (table, control) in &self.0 {
                let labels = [("table", table.as_str())];
                let number = ConstCounter::new(read(&control.metrics));
                number.encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, read) in HISTOGRAMS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
            for (table, control) in &self.0 {
                let labels = [("table", table.as_str())];
                read(&control.metrics).encode(family.encode_family(&labels)?)?;
            }
        }
        let mut models = BTreeMap::new();
        for model in self.0.iter().flat_map(|(_, control)| control.models()) {
            models.insert(model.id(), model.figures());
        }
        for (name, help, read) in OF_MODELS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (id, figures) in &models {
                let labels = [("model", *id)];
                let number = ConstCounter::new(read(figures));
                number.encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Bytes of buffered messages and their results";
        let mut family = encoder.encode_descriptor("held_bytes", help, None, MetricType::Gauge)?;
        for (table, control) in &self.0 {
            let labels = [("table", table.as_str())];
            let bytes = i64::try_from(control.metrics.held_bytes()).unwrap_or(i64::MAX);
            ConstGauge::new(bytes).encode(family.encode_family(&labels)?)?;
        }
        let help = "Messages between what is committed and the end of a partition";
        let mut family = encoder.encode_descriptor("lag", help, None, MetricType::Gauge)?;
        for (table, control) in &self.0 {
            for (partition, lag) in control.metrics.lags() {
                let number = partition.number.to_string();
                let labels = [
                    ("table", table.as_str()),
                    ("topic", &*partition.topic),
                    ("partition", number.as_str()),
                ];
                ConstGauge::new(lag).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// Returns the metrics of streams as OpenMetrics text, labelled by the tables that they read.
pub fn exposition(streams: &[(String, Arc<Control>)]) -> String {
    let mut registry = Registry::with_prefix("lexstream_stream");
    registry.register_collector(Box::new(Streams(streams.to_vec())));
    let mut text = String::new();
    // Writing into a text can't fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}
