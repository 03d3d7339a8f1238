//! The settings of Lexstream: one DataFusion extension, prefix `lexstream`.

use std::any::Any;
use std::fmt::Display;

use datafusion::common::config::{
    ConfigEntry, ConfigExtension, ConfigField, ExtensionOptions, Visit,
};
use datafusion::common::{Result, config_namespace};

config_namespace! {
    /// How `lexstream sql` shows results.
    pub struct SqlConfig {
        /// Rows of a result that a table on a terminal shows before the query is stopped; 0 shows all. Output that is piped or in another format is never cut.
        pub max_rows: usize, default = 40

        /// Items of a list, and entries of a map, that a table shows before it shortens the rest to the length; 0 shows all.
        pub max_items: usize, default = 3

        /// Columns of the terminal that one cell of a table may take before its text is cut with `…`; 0 cuts nothing.
        pub max_width: usize, default = 60

        /// Whether a line on the terminal tells how far a query is that runs longer than a second.
        pub progress: bool, default = true
    }
}

config_namespace! {
    /// How `lexstream batch` cuts its work. What a unit is belongs to the job: a job that was begun with other settings is not resumed.
    pub struct BatchConfig {
        /// Rows of one unit at most: of a Parquet row group, so many become one file of the output, and so many are done again after a kill.
        pub unit_rows: usize, default = 20_000

        /// Bytes of one unit at most, uncompressed, as the row group's metadata tell of the columns that are read.
        pub unit_bytes: usize, default = 256 << 20

        /// Rows that a query is run over at once, at most.
        pub batch_rows: usize, default = 8192

        /// Bytes of text that a query is run over at once, at most; a single longer text is run alone.
        pub batch_bytes: usize, default = 16 << 20
    }
}

config_namespace! {
    /// How `lexstream stream` works.
    pub struct StreamConfig {
        /// Messages of a batch at most: they are run together.
        pub batch_rows: usize, default = 2000

        /// Bytes of a batch's messages at most, keys and headers included; a single larger message is a batch of its own.
        pub batch_bytes: usize, default = 4 << 20

        /// Milliseconds that a batch waits for more messages when it is not full.
        pub linger_ms: u64, default = 10

        /// Batches that are run at once; eight times as many may be there, those that are done and wait for their transaction included.
        pub batches_in_flight: usize, default = 4

        /// Bytes of messages that are held at most, results that wait for their transaction included; above it, partitions are paused until half of it is gone.
        pub buffer_bytes: usize, default = 64 << 20

        /// Rows of a Parquet file of a stream at most, about: a file ends behind the batch that brings as many.
        pub file_rows: usize, default = 1_000_000

        /// Bytes of a Parquet file of a stream at most, about.
        pub file_bytes: usize, default = 128 << 20

        /// Milliseconds after which a Parquet file of a stream is put in place, though it is small.
        pub file_interval_ms: u64, default = 60_000

        /// Runs after which the queries' plans are made anew, which frees what they have counted.
        pub plan_reset: usize, default = 1000
    }
}

config_namespace! {
    /// Every setting of Lexstream, a section a front end.
    pub struct LexstreamConfig {
        /// How `lexstream batch` cuts its work.
        pub batch: BatchConfig, default = BatchConfig::default()

        /// How `lexstream sql` shows results.
        pub sql: SqlConfig, default = SqlConfig::default()

        /// How `lexstream stream` works.
        pub stream: StreamConfig, default = StreamConfig::default()
    }
}

impl ConfigExtension for LexstreamConfig {
    const PREFIX: &'static str = "lexstream";
}

// Not by `extensions_options!`: its entries lack the prefix, and `SHOW lexstream.…` would find nothing.
impl ExtensionOptions for LexstreamConfig {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        ConfigField::set(self, key, value)
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let mut entries = Entries(Vec::new());
        self.visit(&mut entries, Self::PREFIX, "");
        entries.0
    }
}

struct Entries(Vec<ConfigEntry>);

impl Visit for Entries {
    fn some<V: Display>(&mut self, key: &str, value: V, description: &'static str) {
        self.0.push(ConfigEntry {
            key: key.to_owned(),
            value: Some(value.to_string()),
            description,
        });
    }

    fn none(&mut self, key: &str, description: &'static str) {
        self.0.push(ConfigEntry {
            key: key.to_owned(),
            value: None,
            description,
        });
    }
}
