//! `lexstream reference`.

use std::fs;
use std::path::PathBuf;

use super::failure::Failure;
use lexstream_engine::reference;

/// Arguments of `lexstream reference`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder that the pages go to, in Markdown; it is made where there is none
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    for (page, text) in reference::pages(&crate::builder().build()?) {
        let path = arguments.folder.join(page);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text));
        written.map_err(|cause| Failure::Page { path, cause })?;
    }
    Ok(())
}
