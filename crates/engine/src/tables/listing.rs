//! Which files a path or a glob names.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use datafusion::common::{Result, exec_err};

use lexstream_environment as environment;

/// A `*` stands for no `/`, and for no hidden file.
const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// One file.
    File(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// The files that match a glob, in path order; hidden ones are left out.
    Files(Vec<PathBuf>),
    /// Nothing.
    Nothing,
}

/// Looks a path or a glob up on the local file system.
///
/// A leading `~/` is the user's home. A path that exists is taken as it is, even where it holds a
/// glob's characters.
pub(super) fn find(path: &str) -> Result<Found> {
    let expanded = expanded(path);
    match std::fs::metadata(&expanded) {
        Ok(metadata) if metadata.is_dir() => Ok(Found::Folder(expanded)),
        Ok(_) => Ok(Found::File(expanded)),
        Err(error) if error.kind() == ErrorKind::NotFound && is_glob(path) => {
            Ok(Found::Files(matches(&expanded)?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => exec_err!("{path}: {}", described(&error)),
    }
}

/// Tells whether a path or a glob names a file that may not be there yet.
pub(super) fn names(path: &str, file: &Path) -> bool {
    let Ok(pattern) = resolved(&expanded(path)) else {
        return false;
    };
    let file = resolved(file).unwrap_or_else(|_| file.to_owned());
    let is_inside = file.starts_with(&pattern);
    let pattern = is_glob(path)
        .then(|| {
            pattern
                .to_str()
                .and_then(|text| glob::Pattern::new(text).ok())
        })
        .flatten();
    is_inside || pattern.is_some_and(|pattern| pattern.matches_path_with(&file, OPTIONS))
}

/// Tells whether a path holds a glob's characters.
pub(super) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Says what went wrong with a file in words that do not change with the platform.
pub(super) fn described(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        ErrorKind::NotADirectory => "a part of the path is a file, not a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns a path from the root and without `..`, which no URL of an object store takes.
///
/// What stands before a `..` is resolved as the file system does it: above a link lies the folder that holds its target.
pub(super) fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let components: Vec<_> = absolute.components().collect();
    let is_parent = |component: &Component| matches!(component, Component::ParentDir);
    let Some(last) = components.iter().rposition(is_parent) else {
        return Ok(absolute);
    };
    let (above, below) = components.split_at(last + 1);
    let above: PathBuf = above.iter().collect();
    let below: PathBuf = below.iter().collect();
    Ok(above.canonicalize()?.join(below))
}

fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), environment::home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn matches(pattern: &Path) -> Result<Vec<PathBuf>> {
    let Some(text) = pattern.to_str() else {
        return exec_err!("{}: expected a glob in UTF-8", pattern.display());
    };
    let paths = match glob::glob_with(text, OPTIONS) {
        Ok(paths) => paths,
        Err(error) => {
            return exec_err!(
                "{text}: no valid glob at character {}: {}",
                error.pos,
                error.msg
            );
        }
    };
    let mut files = Vec::new();
    for path in paths {
        match path {
            Ok(path) if path.is_file() => files.push(path),
            Ok(_) => {}
            Err(error) => {
                return exec_err!("{}: {}", error.path().display(), described(error.error()));
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_glob_finds_files_in_order_and_no_hidden_ones() {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["b.txt", "a.txt", ".hidden.txt", "c.md", "[x].txt"] {
            std::fs::write(folder.path().join(name), "x").expect(name);
        }
        std::fs::create_dir(folder.path().join("d.txt")).expect("d.txt");
        let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let names = |found: Found| match found {
            Found::Files(files) => files
                .iter()
                .map(|file| file.file_name().expect("name").to_owned())
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            names(find(&path("*.txt")).expect("glob")),
            ["[x].txt", "a.txt", "b.txt"]
        );
        assert_eq!(
            find(&path("[x].txt")).expect("file"),
            Found::File(path("[x].txt").into())
        );
        assert_eq!(find(&path("nothing")).expect("nothing"), Found::Nothing);
        let error = find(&path("***.txt")).expect_err("glob").strip_backtrace();
        assert!(error.contains("no valid glob at character"), "{error}");
        let error = find(&path("a.txt/b.txt"))
            .expect_err("file as a folder")
            .strip_backtrace();
        assert!(
            error.ends_with("a part of the path is a file, not a folder"),
            "{error}"
        );
    }

    #[test]
    fn a_file_to_be_is_named_by_its_folder_and_by_a_glob() {
        for (path, file, expected) in [
            ("/in", "/in/out/a.parquet", true),
            ("/in/**/*.parquet", "/in/out/a.parquet", true),
            ("/in/*.parquet", "/in/out/a.parquet", false),
            ("/in/**/*.parquet", "/other/a.parquet", false),
            ("/in/a.parquet", "/in/a.parquet/out/b.parquet", true),
        ] {
            assert_eq!(names(path, Path::new(file)), expected, "{path} {file}");
        }
    }

    #[test]
    fn a_path_leaves_folders_as_the_file_system_does() {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path().canonicalize().expect("root");
        std::fs::create_dir_all(root.join("a/b")).expect("a/b");
        std::fs::create_dir(root.join("c")).expect("c");
        let check = |path: &str, expected: &str| {
            let found = resolved(&root.join(path)).expect(path);
            assert_eq!(found, root.join(expected), "{path}");
        };
        check("a/../c/x.csv", "c/x.csv");
        check("a/b/../../c/*.csv", "c/*.csv");
        check("a/b/x.csv", "a/b/x.csv");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).expect("link");
            check("link/../x.csv", "a/x.csv");
        }
        let inside = root.join("a/x.parquet");
        let path = root.join("c/../a");
        assert!(names(path.to_str().expect("UTF-8"), &inside));
    }

    #[test]
    fn a_refused_permission_is_said_plainly() {
        let error = io::Error::from(ErrorKind::PermissionDenied);
        assert_eq!(described(&error), "no permission to read it");
    }
}
