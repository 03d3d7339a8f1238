//! The generated pages say what the code says.

use std::collections::BTreeSet;
use std::fs;

use lexstream::{reference, udfs};

use crate::demo::root;

#[test]
fn the_pages_are_up_to_date() {
    let engine = lexstream::builder().build().expect("engine");
    let pages = reference::pages(&engine);
    let docs = root().join("docs");
    for (page, expected) in &pages {
        let found = fs::read_to_string(docs.join(page)).unwrap_or_default();
        assert!(
            found == *expected,
            "docs/{page} differs from the code; run: make docs"
        );
    }
    let known: BTreeSet<_> = pages.iter().map(|(page, _)| docs.join(page)).collect();
    for entry in fs::read_dir(docs.join("functions")).expect("docs/functions") {
        let path = entry.expect("an entry").path();
        assert!(known.contains(&path), "{} is no page", path.display());
    }
    // Each function is in a family that has a page, and the families' examples are there.
    let list = &pages
        .iter()
        .find(|(page, _)| page == "functions.md")
        .expect("a list")
        .1;
    let tables = ["models", "read_text", "training_history", "vocabulary"].map(str::to_owned);
    for name in udfs::names().into_iter().chain(tables) {
        assert!(list.contains(&format!("| [{name}](functions/")), "{name}");
    }
    for example in list.split("](../").skip(1) {
        let path = example.split(')').next().unwrap_or_default();
        assert!(root().join(path).exists(), "{path}");
    }
}
