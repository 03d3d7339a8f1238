//! What Lexstream reads of the environment; no other crate reads a variable.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};

/// How the Hub is reached, and where its cache lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HubSettings {
    /// Its address, without a slash at the end (`HF_ENDPOINT`).
    pub endpoint: String,
    /// The folder of its cache (`HF_HUB_CACHE`, else `hub` in `HF_HOME`).
    pub cache: PathBuf,
    /// Who asks (`HF_TOKEN`, else what the Hub's command line has stored).
    pub token: Option<String>,
    /// Whether the cache is all there is (`HF_HUB_OFFLINE`).
    pub offline: bool,
}

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
