//! The pages written by hand: what they link to is there, and the README shows a part of the demo.

use std::fs;
use std::path::{Path, PathBuf};

use crate::demo::root;

/// Returns the pages, those under `docs/` that are written from the code among them.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let of = |folder: &str| {
        let folder = root.join(folder);
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("an entry").path())
    };
    let mut pages: Vec<_> = of("").chain(of("docs")).chain(of("docs/functions")).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// Returns the targets of a page's links to files of ours, without the part behind `#`.
fn links(page: &str) -> Vec<&str> {
    let mut is_code = false;
    let lines = page.lines().filter(|line| {
        is_code ^= line.starts_with("```");
        !is_code
    });
    let targets = lines.flat_map(|line| line.split("](").skip(1));
    let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
    targets
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

fn lines(page: &str) -> usize {
    let text = fs::read_to_string(root().join(page)).expect(page);
    text.lines().count()
}

#[test]
fn what_a_page_links_to_is_there() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let folder = page.parent().expect("a folder");
        for link in links(&text) {
            assert!(folder.join(link).exists(), "{}: {link}", page.display());
            count += 1;
        }
    }
    assert!(count > 50, "{count} links");
}

#[test]
fn links_in_code_and_to_other_sites_are_left_out() {
    let page = "[a](a.md#part) [b](https://b.org)\n```\n[c](c.md)\n```\n[d](d/)\n";
    assert_eq!(links(page), ["a.md", "d/"]);
}

#[test]
fn the_index_has_every_guide() {
    let index = fs::read_to_string(root().join("docs/README.md")).expect("docs/README.md");
    for page in pages() {
        let name = page.file_name().expect("a name").to_string_lossy();
        if page.parent().is_some_and(|folder| folder.ends_with(Path::new("docs"))) && name != "README.md" {
            assert!(index.contains(&format!("]({name})")), "docs/README.md lacks {name}");
        }
    }
}

#[test]
fn the_session_in_the_readme_is_a_part_of_the_demo() {
    let read = |page: &str| fs::read_to_string(root().join(page)).expect(page);
    let (readme, demo) = (read("README.md"), read("docs/demo.md"));
    let session = readme
        .split("<!-- session -->\n```\n")
        .nth(1)
        .and_then(|rest| rest.split("```\n<!-- /session -->").next())
        .expect("a session");
    let mut parts = 0;
    for part in session.split("\n\n") {
        assert!(demo.contains(part.trim_end()), "docs/demo.md lacks:\n{part}");
        parts += 1;
    }
    assert!(parts >= 2, "{session}");
}

#[test]
fn the_readme_and_the_map_are_short() {
    for page in ["README.md", "ARCHITECTURE.md"] {
        assert!(lines(page) < 200, "{page} has {} lines", lines(page));
    }
}
