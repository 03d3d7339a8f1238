//! What a stream is doing, on a terminal: one line under the log.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indicatif::HumanCount;
use tracing_subscriber::fmt::MakeWriter;

use super::progress_line::{Above, ProgressLine};
use lexstream_stream::{Counts, Running};

/// Over how long the speed is told.
const SPAN: Duration = Duration::from_secs(5);

/// A line on standard error; nothing where that is no terminal, for the log tells there what changes.
pub(super) struct StreamStatus {
    line: ProgressLine,
    /// How many messages were done when, oldest first.
    done: VecDeque<(Instant, u64)>,
}

impl StreamStatus {
    pub(super) fn on_terminal() -> Self {
        Self {
            line: ProgressLine::spinner(true),
            done: VecDeque::new(),
        }
    }

    /// Returns where log lines go: above the line, where there is one.
    pub(super) fn log(&self) -> LogAbove {
        LogAbove(self.line.above())
    }

    /// Draws the line as things stand, where it is time to.
    pub(super) fn draw(&mut self, running: &[Running]) {
        if !self.line.is_due() {
            return;
        }
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
        self.line.draw(|| match is_ready {
            true => (0.0, line(counts, per_second, lag)),
            false => (0.0, "waiting for partitions".to_owned()),
        });
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
        self.line.clear();
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
pub(super) struct LogAbove(Above);

impl MakeWriter<'_> for LogAbove {
    type Writer = Above;

    fn make_writer(&self) -> Above {
        self.0.clone()
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
            line: ProgressLine::spinner(false),
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
