//! What a stream is doing, on a terminal: one line under the log.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tracing_subscriber::fmt::MakeWriter;

use lexstream_stream::{Counts, Running};

/// How often the line is drawn.
const DRAW: Duration = Duration::from_millis(500);

/// Over how long the speed is told.
const SPAN: Duration = Duration::from_secs(5);

/// A line on standard error; nothing where that is no terminal, for the log tells there what changes.
pub(super) struct StreamStatus {
    bar: Option<ProgressBar>,
    drawn: Instant,
    /// How many messages were done when, oldest first.
    done: VecDeque<(Instant, u64)>,
}

impl StreamStatus {
    pub(super) fn on_terminal() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template("{spinner} {msg}").expect("the template is ours");
            ProgressBar::new_spinner()
                .with_style(style)
                .with_message("starting")
        });
        Self {
            bar,
            drawn: Instant::now(),
            done: VecDeque::new(),
        }
    }

    /// Returns where log lines go: above the line, where there is one.
    pub(super) fn log(&self) -> LogAbove {
        LogAbove(self.bar.clone())
    }

    /// Draws the line as things stand, where it is time to.
    pub(super) fn draw(&mut self, running: &[Running]) {
        let Some(bar) = self.bar.clone() else { return };
        if self.drawn.elapsed() < DRAW {
            return;
        }
        self.drawn = Instant::now();
        let (mut counts, mut lag, mut is_ready) = (Counts::default(), None, false);
        for pipeline in running {
            let metrics = &pipeline.control.metrics;
            counts += metrics.counts();
            is_ready |= metrics.is_ready();
            let lags = metrics.lags();
            if !lags.is_empty() {
                *lag.get_or_insert(0) += lags.values().sum::<i64>();
            }
        }
        let per_second = self.per_second(Instant::now(), counts.messages);
        bar.set_message(match is_ready {
            true => line(counts, per_second, lag),
            false => "waiting for partitions".to_owned(),
        });
        bar.tick();
    }

    /// Returns the speed of late, and forgets what is older.
    fn per_second(&mut self, now: Instant, messages: u64) -> f64 {
        self.done.push_back((now, messages));
        while self.done.len() > 2 && now - self.done[1].0 >= SPAN {
            self.done.pop_front();
        }
        let (since, before) = self.done[0];
        // A pipeline that has ended takes its messages with it.
        let done = messages.saturating_sub(before) as f64;
        done / (now - since).as_secs_f64().max(1e-3)
    }

    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn line(counts: Counts, per_second: f64, lag: Option<i64>) -> String {
    let mut line = format!(
        "{} messages · {per_second:.0} messages/s",
        HumanCount(counts.messages)
    );
    if let Some(lag) = lag.and_then(|lag| u64::try_from(lag).ok()) {
        line.push_str(&format!(" · lag {}", HumanCount(lag)));
    }
    line.push_str(&format!(" · {} dead letters", HumanCount(counts.dead)));
    line
}

/// Writes log lines to standard error, above the line.
#[derive(Debug)]
pub(super) struct LogAbove(Option<ProgressBar>);

impl MakeWriter<'_> for LogAbove {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Write for LogAbove {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let write = || io::stderr().write(text);
        match &self.0 {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_fast_how_far_behind_and_what_failed() {
        let counts = Counts {
            messages: 12_345,
            dead: 3,
            ..Counts::default()
        };
        assert_eq!(
            line(counts, 432.4, Some(3400)),
            "12,345 messages · 432 messages/s · lag 3,400 · 3 dead letters"
        );
        assert_eq!(
            line(Counts::default(), 0.0, None),
            "0 messages · 0 messages/s · 0 dead letters"
        );
    }

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let mut status = StreamStatus {
            bar: None,
            drawn: Instant::now(),
            done: VecDeque::new(),
        };
        let start = Instant::now();
        let mut at =
            |second, messages| status.per_second(start + Duration::from_secs(second), messages);
        assert_eq!(at(0, 0), 0.0);
        assert_eq!(at(2, 1000), 500.0);
        assert_eq!(at(5, 1000), 200.0);
        // Of 1,000 at second 2 to 1,600 at second 8.
        assert_eq!(at(8, 1600), 100.0);
        // Those of a pipeline that has ended are gone.
        assert_eq!(at(9, 10), 0.0);
    }
}
