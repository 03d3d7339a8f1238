//! Whether a built program is what the sources make.
//!
//! Cargo builds what a test links, but no program of another package that a test starts. It leaves a list of the
//! sources of each program beside it, `PROGRAM.d`, as make would read it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Returns why a program is not what the sources under `root` make; none where it is.
///
/// It is stale where one of its sources is newer, and another tree's where none of its sources lies under `root`: trees
/// may share a target folder.
pub fn problem(program: &Path, root: &Path) -> Option<String> {
    let list = program.with_extension("d");
    let shown = program.display();
    let Ok(rules) = fs::read_to_string(&list) else {
        return Some(format!("{shown} is missing, or its {}", list.display()));
    };
    let Ok(built) = modified(program) else {
        return Some(format!("{shown} is missing"));
    };
    let sources: Vec<_> = rules.lines().flat_map(sources).collect();
    if !sources.iter().any(|source| source.starts_with(root)) {
        return Some(format!("{shown} was built from another tree"));
    }
    let changed = sources.iter().find(|source| {
        // One that was deleted or renamed has left a change in another.
        modified(source).is_ok_and(|changed| changed > built)
    })?;
    Some(format!("{shown} is older than {}", changed.display()))
}

fn modified(path: &Path) -> io::Result<std::time::SystemTime> {
    fs::metadata(path)?.modified()
}

/// Returns the sources of a rule, `target: source source …`; a space within a name has a backslash before it.
fn sources(rule: &str) -> Vec<PathBuf> {
    let Some((_, listed)) = rule.split_once(": ") else {
        return Vec::new();
    };
    let whole = listed.replace("\\ ", "\0");
    let names = whole.split_whitespace();
    names.map(|name| name.replace('\0', " ").into()).collect()
}
