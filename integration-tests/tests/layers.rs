//! The code keeps to ARCHITECTURE.md's layers.

use std::fs;
use std::path::Path;

use lexstream_integration_tests::layers::{Layer, table, violations};

#[test]
fn no_layer_knows_what_it_must_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let layers = table(&fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md"));
    assert!(layers.len() >= 8, "the table was not found: {layers:?}");
    let found: Vec<_> = layers
        .iter()
        .flat_map(|layer| violations(&root, layer))
        .collect();
    assert!(
        found.is_empty(),
        "against ARCHITECTURE.md's layers:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_crate_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let layers = table(&fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md"));
    for entry in fs::read_dir(root.join("crates")).expect("crates") {
        let entry = entry.expect("an entry");
        let place = format!("crates/{}/src", entry.file_name().to_string_lossy());
        let named = layers.iter().any(|layer| layer.place == place);
        assert!(
            named || place == "crates/environment/src",
            "{place} is in no row of ARCHITECTURE.md's table"
        );
    }
}

#[test]
fn a_planted_violation_is_found() {
    let folder = tempfile::tempdir().expect("folder");
    let code = "use std::fmt;\nuse arrow_array::Array;\nfn f() { crate::cli::main(); }\n// datafusion::x\nlet x = my_arrow::y; a::arrow::b();\n";
    fs::write(folder.path().join("bad.rs"), code).expect("bad.rs");
    let unknown = ["arrow", "datafusion", "crate::cli"]
        .map(str::to_owned)
        .to_vec();
    let found = violations(
        folder.path(),
        &Layer {
            place: String::new(),
            unknown,
        },
    );
    let ends: Vec<_> = found
        .iter()
        .map(|line| line.rsplit('/').next().expect("a name").to_owned())
        .collect();
    assert_eq!(
        ends,
        ["bad.rs:2: arrow_array::Array", "bad.rs:3: crate::cli"]
    );
}
