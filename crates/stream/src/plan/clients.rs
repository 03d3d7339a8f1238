//! Configurations of a pipeline's clients: the users' options, and what exactly once needs.

use std::collections::BTreeMap;

use rdkafka::config::ClientConfig;

use super::pipeline_plan::{PipelinePlan, SinkTable};
use super::script::refused;
use crate::StreamError;
use lexstream_kafka::{Start, set_option};

/// Bytes of a batch of records, where librdkafka's `batch.size` is not set.
const BATCH: usize = 1_000_000;

/// Limits a producer's batches to what topics take: a batch is refused with every record in it.
pub(crate) fn fit_batches(producer: &mut ClientConfig, bytes: usize) {
    let present = producer
        .get("batch.size")
        .and_then(|size| size.parse().ok());
    if bytes < present.unwrap_or(BATCH) {
        producer.set("batch.size", bytes.to_string());
    }
}

impl PipelinePlan {
    /// Returns the configuration of the consumer, without its name in the group.
    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut config = self.source.consumer();
        config.set("group.id", &self.group);
        for (key, value) in [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            ("isolation.level", "read_committed"),
        ] {
            config.set(key, value);
        }
        for (key, value) in [
            // Where a group begins is decided here; an offset that is gone is not passed over.
            ("auto.offset.reset", "error"),
            // The lag is told of.
            ("statistics.interval.ms", "1000"),
            // Partitions that are added are seen by then.
            ("topic.metadata.refresh.interval.ms", "10000"),
        ] {
            if !self.source.is_set(key) {
                config.set(key, value);
            }
        }
        config
    }

    /// Merges the options of the source and of the sinks.
    ///
    /// # Errors
    /// Where two tables have different values of one option.
    pub(crate) fn producer(
        &self,
        sinks: &[SinkTable],
        identity: &str,
    ) -> Result<ClientConfig, StreamError> {
        let mut config = self.source.producer();
        let mut named: BTreeMap<String, &str> = BTreeMap::new();
        for sink in sinks {
            let of_sink = sink.options.producer();
            for key in of_sink.config_map().into_keys() {
                // The map itself hides secrets.
                let Some(value) = of_sink.get(key) else {
                    continue;
                };
                let is_set = sink.options.is_set(key) && self.source.get(key) != Some(value);
                if !is_set {
                    continue;
                }
                let is_other = config.get(key).is_some_and(|known| known != value);
                let by_source = self.source.is_set(key).then_some(self.name.as_str());
                if let Some(other) = named.get(key).copied().or(by_source)
                    && is_other
                {
                    let reason = format!(
                        "`{other}` and `{}` have different values of '{key}', and share one producer",
                        sink.name
                    );
                    return Err(refused(
                        self.queries.first().map_or("", String::as_str),
                        reason,
                    ));
                }
                named.insert((*key).to_owned(), &sink.name);
                set_option(&mut config, key, value);
            }
        }
        config.set("transactional.id", identity);
        config.set("delivery.report.only.error", "true");
        if config.get("transaction.timeout.ms").is_none() {
            config.set("transaction.timeout.ms", "30000");
        }
        let has_timeout = ["message.timeout.ms", "delivery.timeout.ms"]
            .iter()
            .any(|key| config.get(key).is_some());
        if !has_timeout && let Some(timeout) = config.get("transaction.timeout.ms") {
            let timeout = timeout.to_owned();
            config.set("message.timeout.ms", timeout);
        }
        Ok(config)
    }

    /// Returns where reading starts in partitions without a committed offset.
    pub(crate) fn start(&self) -> Start {
        let says_latest = matches!(
            self.source.get("auto.offset.reset"),
            Some("latest" | "largest" | "end")
        );
        match self.source.start() {
            Start::Earliest if says_latest && !self.source.is_set("start") => Start::Latest,
            start => start.clone(),
        }
    }
}
