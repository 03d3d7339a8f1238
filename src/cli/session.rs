//! What the commands that run SQL have in common: the engine's arguments, and scripts.

use std::path::PathBuf;

use super::failure::Failure;
use super::sql::{read, setting};
use lexstream_engine::EngineBuilder;

/// How the engine is made.
#[derive(Debug, clap::Args)]
pub(super) struct EngineArguments {
    /// Set a setting, as SET does in SQL
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Folder that models are kept in [default: LEXSTREAM_HOME, else the platform's place for data]
    #[arg(long, value_name = "FOLDER")]
    pub(super) home: Option<PathBuf>,
}

impl EngineArguments {
    /// Returns an engine in the making.
    pub(super) fn builder(&self) -> EngineBuilder {
        let mut engine = crate::builder();
        for (key, value) in &self.set {
            engine = engine.set(key, value);
        }
        match &self.home {
            Some(home) => engine.home(home),
            None => engine,
        }
    }
}

/// What a job or a stream runs.
#[derive(Debug, clap::Args)]
pub(super) struct ScriptArguments {
    /// Script: statements that define, then INSERT INTO … SELECT …; may be given several times, `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Statements, after those of any --file
    #[arg(short, long, value_name = "SQL", allow_hyphen_values = true)]
    command: Vec<String>,
}

impl ScriptArguments {
    /// Reads all of it.
    pub(super) fn sql(&self) -> Result<String, Failure> {
        let mut sql = String::new();
        for file in &self.file {
            sql.push_str(&read(file)?);
            sql.push_str(";\n");
        }
        for command in &self.command {
            sql.push_str(command);
            sql.push_str(";\n");
        }
        Ok(sql)
    }
}
