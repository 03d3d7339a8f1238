//! The one progress line: a line on a terminal under what is printed.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// What is over sooner needs no line.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line is drawn at most.
const REDRAW: Duration = Duration::from_millis(100);

/// Steps of a bar.
const STEPS: u64 = 1000;

/// A line on standard error that tells how far something is; nothing where that is no terminal, or none is wanted.
#[derive(Debug)]
pub(super) struct ProgressLine {
    bar: Option<ProgressBar>,
    started: Instant,
    drawn: Option<Instant>,
}

impl ProgressLine {
    /// Returns a line with a spinner, for what nobody knows the end of.
    pub(super) fn spinner(wanted: bool) -> Self {
        Self::new(wanted, ProgressBar::new_spinner, "{spinner} {msg}")
    }

    /// Returns a line with a bar, for what has a known size.
    pub(super) fn bar(wanted: bool) -> Self {
        Self::new(
            wanted,
            || ProgressBar::new(STEPS),
            "{bar:24} {percent:>3} % · {msg}",
        )
    }

    fn new(wanted: bool, bar: impl FnOnce() -> ProgressBar, template: &str) -> Self {
        let bar = (wanted && io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template(template).expect("the template is ours");
            bar().with_style(style.progress_chars("━━╌"))
        });
        Self {
            bar,
            started: Instant::now(),
            drawn: None,
        }
    }

    /// Tells whether there is a terminal to draw on.
    pub(super) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Returns the time since the line was made.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Tells whether it is time to draw: not in the first second, and some times a second.
    pub(super) fn is_due(&self) -> bool {
        let is_fresh = self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW);
        self.is_shown() && self.elapsed() >= PATIENCE && !is_fresh
    }

    /// Draws the line where it is time to.
    ///
    /// `line` returns what is done of 1, which a spinner does not show, and the text.
    pub(super) fn draw(&mut self, line: impl FnOnce() -> (f64, String)) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.is_due()) else {
            return;
        };
        self.drawn = Some(Instant::now());
        let (share, text) = line();
        if bar.length().is_some() {
            bar.set_position((share * STEPS as f64) as u64);
        }
        bar.set_message(text);
        bar.tick();
    }

    /// Takes the line away while `print` writes to the same terminal.
    pub(super) fn hidden_while<T>(&self, print: impl FnOnce() -> T) -> T {
        hidden_while(self.bar.as_ref(), print)
    }

    /// Returns a writer of standard error whose text stands above the line.
    pub(super) fn above(&self) -> Above {
        Above(self.bar.clone())
    }

    /// Takes the line away for good.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Standard error, above the line where there is one.
#[derive(Debug, Clone)]
pub(super) struct Above(Option<ProgressBar>);

impl Write for Above {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        hidden_while(self.0.as_ref(), || io::stderr().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn hidden_while<T>(bar: Option<&ProgressBar>, print: impl FnOnce() -> T) -> T {
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}
