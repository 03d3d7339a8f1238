//! How far a batch job is, and what it has done.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::failure::Failure;
use super::format::Format;
use super::progress_line::ProgressLine;
use lexstream_batch::{BusyTimes, Progress, RowCounts};

/// How often a line is printed where nobody looks at a terminal.
const LINE: Duration = Duration::from_secs(30);

/// A bar on a terminal; elsewhere a line now and then; both on standard error.
pub(super) struct JobProgress {
    wanted: bool,
    bar: ProgressLine,
    last: Instant,
}

impl JobProgress {
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            wanted,
            bar: ProgressLine::bar(wanted),
            last: Instant::now(),
        }
    }

    pub(super) fn show(&mut self, (progress, elapsed): &(Progress, Duration)) {
        if self.bar.is_shown() {
            self.bar
                .draw(|| (share(progress), line(progress, *elapsed)));
        } else if self.wanted && self.last.elapsed() >= LINE {
            let percent = share(progress) * 100.0;
            eprintln!("{percent:.1} % · {}", line(progress, *elapsed));
            self.last = Instant::now();
        }
    }

    pub(super) fn clear(&mut self) {
        self.bar.clear();
    }
}

/// Returns how much of the input is done, by its bytes: nobody knows beforehand how many rows a text file has.
fn share(progress: &Progress) -> f64 {
    if progress.bytes == 0 {
        return 1.0;
    }
    (bytes_done(progress) as f64 / progress.bytes as f64).min(1.0)
}

/// Returns the bytes of the input that are done, those under way included.
fn bytes_done(progress: &Progress) -> u64 {
    let under_way = progress
        .bytes_now
        .saturating_sub(progress.bytes_finished_now);
    progress.bytes_finished + under_way
}

fn line(progress: &Progress, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let mut line = format!(
        "{} of {} units · {} rows · {} · {:.0} rows/s",
        progress.finished(),
        progress.units,
        HumanCount(progress.counts.rows + progress.rows_under_way),
        HumanBytes(bytes_done(progress)),
        (progress.rows_now + progress.rows_under_way) as f64 / seconds,
    );
    let failed = progress.counts.failed + progress.counts.unreadable;
    if failed > 0 {
        line.push_str(&format!(" · {} failed", HumanCount(failed)));
    }
    let left = (1.0 - share(progress)) * progress.bytes as f64;
    if progress.bytes_now > 0 && left > 0.0 {
        let left = left / progress.bytes_now as f64 * seconds;
        if let Ok(left) = Duration::try_from_secs_f64(left.round()) {
            line.push_str(&format!(" · {} left", HumanDuration(left)));
        }
    }
    line
}

/// What jobs have done.
#[derive(Debug, Default)]
pub(super) struct Summary {
    progress: Progress,
    elapsed: Duration,
}

impl Summary {
    pub(super) fn add(&mut self, (progress, elapsed): (Progress, Duration)) {
        self.progress += progress;
        self.elapsed += elapsed;
    }

    /// Prints the summary: lines for people, or one JSON object.
    pub(super) fn print(&self, format: Format) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match format {
            Format::Json | Format::NdJson => writeln!(out, "{}", self.json())?,
            Format::Table | Format::Csv | Format::Tsv => writeln!(out, "{}", self.text())?,
        }
        Ok(())
    }

    fn json(&self) -> serde_json::Value {
        let Progress {
            counts,
            units,
            units_before,
            units_now,
            units_by_others,
            bytes,
            rows_now,
            times,
            ..
        } = self.progress;
        let BusyTimes {
            reading,
            computing,
            writing,
            placing,
        } = times;
        let busy = |time: Duration| time.as_secs_f64();
        let RowCounts {
            rows,
            passed,
            failed,
            filtered,
            rows_out,
            unreadable,
        } = counts;
        let seconds = self.elapsed.as_secs_f64();
        serde_json::json!({
            "rows": rows, "passed": passed, "failed": failed, "filtered": filtered,
            "rows_out": rows_out, "unreadable": unreadable,
            "units": units, "units_before": units_before, "units_now": units_now,
            "units_by_others": units_by_others,
            "bytes": bytes, "rows_now": rows_now, "seconds": seconds,
            "busy": {
                "reading": busy(reading), "computing": busy(computing),
                "writing": busy(writing), "placing": busy(placing),
            },
        })
    }

    fn text(&self) -> String {
        let Progress {
            counts,
            units,
            units_before,
            units_by_others,
            bytes,
            ..
        } = self.progress;
        let count = HumanCount;
        let mut text = format!(
            "{} rows: {} passed, {} failed, {} filtered; {} rows written\n",
            count(counts.rows),
            count(counts.passed),
            count(counts.failed),
            count(counts.filtered),
            count(counts.rows_out),
        );
        if counts.unreadable > 0 {
            let files = count(counts.unreadable);
            text.push_str(&format!("{files} inputs of unknown length can't be read\n"));
        }
        text.push_str(&format!("{units} units, {}", HumanBytes(bytes)));
        if units_before > 0 {
            text.push_str(&format!("; {units_before} were finished before"));
        }
        if units_by_others > 0 {
            text.push_str(&format!("; {units_by_others} finished by other processes"));
        }
        text.push_str(&format!("; {:.1} s", self.elapsed.as_secs_f64()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            counts: RowCounts {
                rows: 1200,
                passed: 1000,
                failed: 50,
                filtered: 150,
                rows_out: 2000,
                unreadable: 0,
            },
            rows_now: 600,
            rows_under_way: 300,
            times: BusyTimes::default(),
            units: 10,
            units_before: 2,
            units_now: 2,
            units_by_others: 1,
            bytes: 1000,
            bytes_finished: 500,
            bytes_finished_now: 200,
            bytes_now: 300,
        }
    }

    #[test]
    fn the_line_says_how_far_and_how_long() {
        let progress = progress();
        // Finished 500, and 100 under way.
        assert!((share(&progress) - 0.6).abs() < 1e-9);
        // 400 bytes left, 300 done in 3 s.
        assert_eq!(
            line(&progress, Duration::from_secs(3)),
            "5 of 10 units · 1,500 rows · 600 B · 300 rows/s · 50 failed · 4 seconds left"
        );
    }

    #[test]
    fn the_summary_adds_up() {
        let mut summary = Summary::default();
        summary.add((progress(), Duration::from_millis(1500)));
        assert_eq!(
            summary.text(),
            "1,200 rows: 1,000 passed, 50 failed, 150 filtered; 2,000 rows written\n\
             10 units, 1000 B; 2 were finished before; 1 finished by other processes; 1.5 s"
        );
        assert_eq!(summary.json()["rows"], 1200);
    }
}
