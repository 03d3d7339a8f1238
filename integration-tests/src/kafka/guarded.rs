//! A process that ends with the one that started it, however that one ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Reads a pipe that nobody but the test holds, and kills the process when the pipe is closed: the system closes it
/// for a test that was killed, too. One line in it means: kill, and leave the folder.
const GUARD: &str = r#"
folder=$1
shift
"$@" </dev/null >>"$folder/output" 2>&1 &
echo $!
read -r word
kill -9 $! 2>/dev/null
wait $!
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// A running process with a folder of its own; both are gone when this is dropped.
#[derive(Debug)]
pub struct Guarded {
    guard: Child,
    id: u32,
}

impl Guarded {
    /// Starts a program that works in `folder`, which holds what it prints in `output`.
    pub fn start(folder: &Path, command: &[&str]) -> Self {
        fs::create_dir_all(folder).expect("a folder for a process");
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(folder).args(command);
        guard
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal ends the test, which ends this.
            .process_group(0);
        let mut guard = guard.spawn().expect("sh starts");
        let mut id = String::new();
        BufReader::new(guard.stdout.take().expect("piped"))
            .read_line(&mut id)
            .expect("sh prints the process id");
        let id = id.trim().parse().expect("a process id");
        Self { guard, id }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Kills the process with signal 9 and leaves its folder.
    pub fn kill(mut self) {
        let pipe = self.guard.stdin.as_mut().expect("piped");
        writeln!(pipe, "keep").expect("the guard listens");
        self.guard.wait().expect("the guard ends");
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // A guard that was waited for already is fine.
        let _ = self.guard.wait();
    }
}
