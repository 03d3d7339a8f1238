//! A process that runs a stream.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::binary::signal;
use crate::kafka::wait_for;

/// A running `lexstream stream`; it is killed when it is dropped.
#[derive(Debug)]
pub struct Processor {
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Processor {
    /// Starts a command whose output is added to a file.
    pub(super) fn start(command: &mut Command, log: PathBuf) -> Self {
        let file = File::options().create(true).append(true).open(&log);
        let file = file.expect("a file for what a stream says");
        let also = file.try_clone().expect("one file for both");
        command.stdout(Stdio::from(file)).stderr(Stdio::from(also));
        Self {
            child: command.spawn().expect("lexstream starts"),
            log,
            ended: None,
        }
    }

    /// Sends a signal, such as STOP.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Kills it with signal 9, and waits until it is gone.
    pub fn kill(mut self) {
        self.expect_running();
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Returns how it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child");
        }
        self.ended
    }

    /// Fails where it has ended, with what it said.
    pub fn expect_running(&mut self) {
        if let Some(status) = self.ended() {
            panic!("the stream ended, {status}\n{}", self.log());
        }
    }

    /// Waits until it ends by itself; it must succeed.
    pub fn expect_end(mut self, patience: Duration) {
        let ended = wait_for("the end of the stream", patience, || self.ended());
        let status = ended.unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// Waits until it is killed, by itself or others.
    pub fn expect_death(mut self, patience: Duration) {
        let ended = wait_for("the death of the stream", patience, || self.ended());
        let status = ended.unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        assert_eq!(status.signal(), Some(9), "{status}\n{}", self.log());
    }

    /// Waits until it has been stopped by a signal.
    pub fn expect_sleep(&mut self, patience: Duration) {
        let stat = format!("/proc/{}/stat", self.child.id());
        let stopped = wait_for("a stopped stream", patience, || {
            self.expect_running();
            let stat = fs::read_to_string(&stat).ok()?;
            // The state follows the name, which stands in brackets.
            stat.rsplit_once(") ")?.1.starts_with('T').then_some(())
        });
        stopped.unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
    }

    /// Asks it to end; it must do so well, and within ten seconds.
    pub fn stop(mut self, signal: &str) {
        self.expect_running();
        self.signal(signal);
        self.expect_end(Duration::from_secs(10));
    }

    /// Returns the end of what it and those before it under its name have said.
    pub fn log(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // It may have ended this moment.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Returns the last lines of a file.
pub(super) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
