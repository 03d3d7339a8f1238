//! The built command line, run as a person would.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::fresh::problem;

/// No run may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Exit status; none where a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub error: String,
}

/// Returns the folder of what cargo built: the one that the test binary lies in.
pub fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    test.parent()
        .and_then(|deps| deps.parent())
        .expect("target/debug/deps")
        .to_owned()
}

/// Returns the path of a built program; a test without it, or with one that is not what the sources make, fails with the
/// command that builds it.
pub fn program(name: &str) -> PathBuf {
    static FRESH: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let path = built().join(name);
    // Once a process: a program that is replaced while tests run is somebody's doing.
    let mut fresh = FRESH.lock().unwrap_or_else(PoisonError::into_inner);
    if !fresh.contains(name) {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = tests.parent().expect("the repository");
        if let Some(problem) = problem(&path, root) {
            panic!("{problem}; build it: make build");
        }
        fresh.insert(name.to_owned());
    }
    path
}

/// Starts `lexstream` with these arguments, its standard streams piped and no home but an empty one.
pub fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(program("lexstream"));
    command
        .args(arguments)
        .env("HOME", std::env::temp_dir())
        .env("RUST_BACKTRACE", "0");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("lexstream starts")
}

/// Runs `lexstream` with these arguments and this standard input to its end.
pub fn run(arguments: &[&str], input: &str) -> Ended {
    let mut child = start(arguments);
    let written = child
        .stdin
        .take()
        .expect("piped")
        .write_all(input.as_bytes());
    let ended = wait(child);
    // A process that fails before it reads its input closes it.
    assert!(
        written.is_ok() || ended.status != Some(0),
        "standard input: {written:?}"
    );
    ended
}

/// Waits for a process, and kills one that hangs.
pub fn wait(mut child: Child) -> Ended {
    // A test that has read and closed standard output has taken it.
    let output = child.stdout.take();
    let mut error = child.stderr.take().expect("piped");
    let (done, ended) = mpsc::channel::<()>();
    let id = child.id();
    let watch = std::thread::spawn(move || {
        if ended
            .recv_timeout(PATIENCE)
            .is_err_and(|error| error == mpsc::RecvTimeoutError::Timeout)
        {
            signal(id, "KILL");
        }
    });
    let errors = std::thread::spawn(move || read(&mut error));
    let output = output.map_or_else(String::new, |mut output| read(&mut output));
    let status = child.wait().expect("a child ends").code();
    drop(done);
    watch.join().expect("the watch ends");
    Ended {
        status,
        output,
        error: errors.join().expect("standard error is read"),
    }
}

/// Sends a signal, such as INT, to a process.
pub fn signal(id: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), id.to_string()])
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "kill -{name} {id}"
    );
}

fn read(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("a pipe is read");
    String::from_utf8_lossy(&bytes).into_owned()
}
