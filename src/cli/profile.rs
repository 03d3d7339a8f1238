//! `lexstream profile`: what a column of texts is like.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::failure::Failure;
use super::profile_report::{json, print};
use super::progress::Progress;
use super::session::EngineArguments;
use super::signal::signal;
use super::threads::Threads;
use lexstream_output::Claim;
use lexstream_profile::{Column, Profile, page};
use lexstream_text::tokenizers::{self, Tokenizer};

/// How often the progress line is drawn.
const REDRAW: Duration = Duration::from_millis(200);

/// Arguments of `lexstream profile`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files: a path, a glob or a folder
    #[arg(value_name = "PATH")]
    input: String,
    /// Column of texts [default: text, else the only one]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// How texts are cut into tokens: a built-in tokenizer
    #[arg(long, value_name = "NAME", default_value = "word", value_parser = clap::builder::PossibleValuesParser::new(tokenizers::NAMES))]
    tokenizer: String,
    /// Write a page too that shows the profile in any browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How the profile is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print no progress
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Tables and bars for people
    Table,
    /// One JSON object
    Json,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let engine = arguments.engine.builder().build()?;
    let tokenizer = tokenizers::built_in(&arguments.tokenizer, true);
    let tokenizer = tokenizer.expect("clap takes no other name");
    let threads = Threads::new()?;
    let column = Column::find(&engine, &arguments.input, arguments.column.as_deref());
    let column = threads.unless_signal(column)??;
    let name = column.name.clone();
    let shown = arguments.html.as_deref().map(Page::begin).transpose()?;
    let activities = Arc::clone(engine.models().activities());
    let progress = Progress::on_terminal(!arguments.quiet, activities);
    let profile = measured(&threads, column, tokenizer, progress)?;
    let mut output = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Format::Table => print(&mut output, &profile, &arguments.input, &name)?,
        Format::Json => writeln!(output, "{:#}", json(&profile, &arguments.input, &name))?,
    }
    if let Some(shown) = shown {
        let file = shown.path.display();
        shown.write(&page(&profile, &arguments.input, &name))?;
        if arguments.format == Format::Table {
            writeln!(output, "\nAs a page: {file}")?;
        }
    }
    Ok(output.flush()?)
}

/// Reads the column, and shows meanwhile how far it is; a signal ends it.
fn measured(
    threads: &Threads,
    column: Column,
    tokenizer: Arc<dyn Tokenizer>,
    mut progress: Progress,
) -> Result<Profile, Failure> {
    progress.follow(Arc::clone(column.plan()));
    let mut task = threads.queries().spawn(column.profile(tokenizer));
    let outcome = threads.waiting().block_on(async {
        let mut signal = pin!(signal());
        let mut redraw = tokio::time::interval(REDRAW);
        loop {
            tokio::select! {
                outcome = &mut task => return Ok(outcome),
                signal = &mut signal => return Err(signal),
                _ = redraw.tick() => progress.draw(),
            }
        }
    });
    progress.clear();
    match outcome? {
        Ok(profile) => Ok(profile?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A page in the making, so that one that can't be written is known before the corpus is read.
struct Page<'a> {
    path: &'a Path,
    target: PathBuf,
    claim: Claim,
}

impl<'a> Page<'a> {
    fn begin(path: &'a Path) -> Result<Self, Failure> {
        let failed = |cause| Failure::Page {
            path: path.to_owned(),
            cause,
        };
        let name = path.file_name().filter(|_| !path.is_dir());
        let name = name.ok_or_else(|| failed(io::ErrorKind::IsADirectory.into()))?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let claim = Claim::try_new(folder, &name.to_string_lossy());
        match claim.map_err(failed)? {
            Some(claim) => Ok(Self {
                path,
                target: folder.join(name),
                claim,
            }),
            None => Err(failed(io::ErrorKind::ResourceBusy.into())),
        }
    }

    /// Puts the page in place, whole or not at all.
    fn write(self, page: &str) -> Result<(), Failure> {
        let written = self.claim.file().write_all(page.as_bytes());
        let written = written.and_then(|()| self.claim.replace(&self.target));
        written.map_err(|cause| Failure::Page {
            path: self.path.to_owned(),
            cause,
        })
    }
}
