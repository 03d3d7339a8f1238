//! The generated pages say what the code says.

use std::fs;
use std::path::Path;

use lexstream::{Engine, reference};

fn check(page: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(page);
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/{page} differs from the code; run: make docs"
    );
}

#[test]
fn the_function_page_is_up_to_date() {
    let engine = Engine::new().expect("engine");
    check(
        "functions.md",
        &reference::functions_markdown(&engine.context().state()),
    );
}

#[test]
fn the_page_of_models_is_up_to_date() {
    check("models.md", &reference::models_markdown());
}

#[test]
fn the_settings_page_is_up_to_date() {
    check("settings.md", &reference::settings_markdown());
}

#[test]
fn the_page_of_topics_options_is_up_to_date() {
    check("topic_options.md", &reference::topic_options_markdown());
}
