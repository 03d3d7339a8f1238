//! Which layer of the code may use which: ARCHITECTURE.md's table, held against the paths in the code.

use std::fs;
use std::path::{Path, PathBuf};

/// One row of the table: a folder or file, and the names that no path in it may begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Folder or file, from the repository's root.
    pub place: String,
    /// Crates (`arrow` stands for `arrow_array` too) and modules (`crate::cli`) that it must not know.
    pub unknown: Vec<String>,
}

/// Reads the table whose header is `| layer | may use | must not know |`; names stand in backticks.
pub fn table(markdown: &str) -> Vec<Layer> {
    let rows = markdown
        .lines()
        .skip_while(|line| !line.starts_with("| layer | may use | must not know |"))
        .skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let layers = rows.flat_map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let unknown = names(cells[2]);
        names(cells[0]).into_iter().map(move |place| Layer {
            place,
            unknown: unknown.clone(),
        })
    });
    layers.collect()
}

fn names(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Returns every path in the code of a layer that begins with a name it must not know, as `file:line: path`.
pub fn violations(root: &Path, layer: &Layer) -> Vec<String> {
    let place = root.join(&layer.place);
    let mut found = Vec::new();
    for file in sources(&place) {
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (at, line) in text.lines().enumerate() {
            for path in paths(line.split("//").next().unwrap_or_default()) {
                if layer.unknown.iter().any(|name| begins(&path, name)) {
                    found.push(format!("{}:{}: {path}", file.display(), at + 1));
                }
            }
        }
    }
    found
}

fn sources(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries =
        fs::read_dir(place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let mut files: Vec<_> = entries
        .flat_map(|entry| sources(&entry.expect("an entry").path()))
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    files
}

/// Returns the first two segments of every path in a line of code.
fn paths(line: &str) -> Vec<String> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let mut paths = Vec::new();
    for (at, _) in line.match_indices("::") {
        let head = line[..at]
            .rsplit(|character| !is_name(character))
            .next()
            .unwrap_or_default();
        let before = &line[..at - head.len()];
        if !head.is_empty() && !before.ends_with(':') {
            let next: String = line[at + 2..]
                .chars()
                .take_while(|character| is_name(*character))
                .collect();
            paths.push(format!("{head}::{next}"));
        }
    }
    paths
}

fn begins(path: &str, name: &str) -> bool {
    if name.contains("::") {
        return path == name;
    }
    let head = path.split("::").next().unwrap_or_default();
    head == name
        || head
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('_'))
}
