//! `lexstream reference functions|models|settings|topic-options`.

use std::io::{self, Write};

use clap::ValueEnum;

use super::failure::Failure;
use crate::{Engine, reference};

/// Arguments of `lexstream reference`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which page
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// The SQL functions
    Functions,
    /// Statements about models, and their options
    Models,
    /// The settings
    Settings,
    /// The options of topics, and the settings of streams
    #[cfg(feature = "kafka")]
    TopicOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let page = match arguments.page {
        Page::Functions => reference::functions_markdown(&Engine::new()?.context().state()),
        Page::Models => reference::models_markdown(),
        Page::Settings => reference::settings_markdown(),
        #[cfg(feature = "kafka")]
        Page::TopicOptions => reference::topic_options_markdown(),
    };
    Ok(io::stdout().lock().write_all(page.as_bytes())?)
}
