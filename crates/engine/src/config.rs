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

/// The environment as Lexstream reads it; nothing else reads a variable.
pub mod environment {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    use std::path::{Path, PathBuf};

    use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};

    use crate::hub::HubSettings;

    /// Returns the bytes of memory that this machine, or the control group of this process, has; none where it does not say.
    pub fn memory() -> Option<usize> {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let kilobytes = |text: String| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("MemTotal:"))?;
            let number = line.trim().strip_suffix("kB")?.trim();
            number.parse::<usize>().ok()
        };
        let machine = read("/proc/meminfo").and_then(kilobytes);
        let machine = machine.and_then(|kilobytes| kilobytes.checked_mul(1 << 10));
        let group = read("/sys/fs/cgroup/memory.max");
        let group = group.and_then(|bytes| bytes.trim().parse().ok());
        machine.into_iter().chain(group).min()
    }

    /// Returns the folder of the user's own files (`HOME`), where `.lexstreamrc` and the shell's history lie.
    pub fn home() -> Option<PathBuf> {
        std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
    }

    /// Returns where ONNX Runtime's library may be, in the order of trying: what `ORT_DYLIB_PATH` says and nothing else,
    /// or beside the executable, `onnxruntime` in the home, where the system looks.
    pub fn onnxruntime(home: Option<&Path>) -> Vec<PathBuf> {
        if let Some(named) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
            return vec![PathBuf::from(named)];
        }
        let name = format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}");
        let executable = std::env::current_exe().ok();
        let beside = executable.as_deref().and_then(Path::parent);
        let mut candidates = Vec::new();
        candidates.extend(beside.map(|folder| folder.join(&name)));
        candidates.extend(home.map(|home| home.join("onnxruntime").join(&name)));
        candidates.push(PathBuf::from(name));
        candidates
    }

    /// Returns how the Hugging Face Hub is reached, by the variables of its own libraries.
    pub fn hub() -> HubSettings {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let cache = text("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(home()?.join(".cache")));
        let folder = text("HF_HOME").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| cache.unwrap_or_default().join("huggingface"));
        let stored = || {
            let path = text("HF_TOKEN_PATH").map_or_else(|| folder.join("token"), PathBuf::from);
            std::fs::read_to_string(path).ok()
        };
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        HubSettings {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            cache: text("HF_HUB_CACHE").map_or_else(|| folder.join("hub"), PathBuf::from),
            token: text("HF_TOKEN")
                .or_else(stored)
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty()),
            offline: text("HF_HUB_OFFLINE").is_some_and(|value| {
                let value = value.to_ascii_lowercase();
                ["1", "on", "true", "yes"].contains(&value.as_str())
            }),
        }
    }

    /// Returns a variable that a table's options name, as `${env:NAME}`; none where it is not there or not UTF-8.
    pub fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// Returns the folder that Lexstream keeps models in: `LEXSTREAM_HOME`, else the platform's place for the user's data.
    pub fn lexstream_home() -> Option<PathBuf> {
        let named = std::env::var_os("LEXSTREAM_HOME").filter(|home| !home.is_empty());
        named.map(PathBuf::from).or_else(|| {
            let folders = choose_native_strategy().ok()?;
            Some(folders.data_dir().join("lexstream"))
        })
    }
}
