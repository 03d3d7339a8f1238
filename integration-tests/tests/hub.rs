//! Models from the Hugging Face Hub, against a server that serves its layout.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lexstream_integration_tests::binary::{Ended, program, wait};
use lexstream_integration_tests::hub::{Hub, Repository, TOKEN};
use lexstream_integration_tests::onnx::{library, models};

const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";

/// A home of its own, with a cache of the Hub's in it.
struct Machine {
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Machine {
    fn new(hub: &Hub) -> Self {
        Self {
            folder: tempfile::tempdir().expect("home"),
            endpoint: hub.address().to_owned(),
        }
    }

    fn run(&self, sql: &str, environment: &[(&str, &str)]) -> Ended {
        let mut command = Command::new(program("lexstream"));
        command
            .args(["sql", "--format", "csv", "-c", sql])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("LEXSTREAM_HOME", self.folder.path().join("home"))
            .env("HF_ENDPOINT", &self.endpoint)
            .env("HF_HOME", self.folder.path().join("hf"))
            .env("ORT_DYLIB_PATH", library())
            .envs(environment.iter().copied());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        wait(command.spawn().expect("lexstream starts"))
    }

    fn check(&self, sql: &str, environment: &[(&str, &str)], expected: &str) {
        let ended = self.run(sql, environment);
        assert_eq!(
            (ended.output.as_str(), ended.status),
            (expected, Some(0)),
            "{sql}: {}",
            ended.error
        );
    }

    fn check_error(&self, sql: &str, environment: &[(&str, &str)], expected: &str) {
        let ended = self.run(sql, environment);
        assert!(
            ended.status == Some(1) && ended.error.contains(expected),
            "{sql}: {ended:?}"
        );
    }

    /// Returns the repository's folder in the cache.
    fn cached(&self, name: &str) -> PathBuf {
        let folder = format!("hf/hub/models--{}", name.replace('/', "--"));
        self.folder.path().join(folder)
    }
}

/// Returns a repository that has the files of a model, and others that nobody needs.
fn repository(folder: &Path, commit: &str, model: &str) -> Repository {
    let folder = folder.join(commit);
    fs::create_dir_all(&folder).expect("folder");
    for entry in fs::read_dir(models().join(model))
        .expect("a model")
        .flatten()
    {
        symlink(entry.path(), folder.join(entry.file_name())).expect("a link");
    }
    fs::write(folder.join("README.md"), "Not for machines.").expect("written");
    fs::write(folder.join("pytorch_model.bin"), "Large.").expect("written");
    Repository {
        commit: commit.to_owned(),
        folder,
        private: false,
    }
}

const CLASSIFY: &str = "SELECT classify('m', 'a great text')['label'] AS label";

#[test]
fn files_that_the_graph_names_are_downloaded_too() {
    let (hub, folder) = (Hub::start(), tempfile::tempdir().expect("folder"));
    let machine = Machine::new(&hub);
    hub.put("me/apart", repository(folder.path(), FIRST, "apart"));
    machine.check("CREATE MODEL m WITH ('path' = 'hf://me/apart')", &[], "");
    machine.check(CLASSIFY, &[], "label\npositive\n");
    let asked = hub.asked().join("\n");
    assert!(asked.contains("/onnx/weights.bin"), "{asked}");
}

#[test]
fn a_repository_is_downloaded_once_and_its_commit_stays() {
    let (hub, folder) = (Hub::start(), tempfile::tempdir().expect("folder"));
    let machine = Machine::new(&hub);
    hub.put("me/tiny", repository(folder.path(), FIRST, "sentiment"));
    machine.check("CREATE MODEL m WITH ('path' = 'hf://me/tiny')", &[], "");
    machine.check(CLASSIFY, &[], "label\npositive\n");
    let asked = hub.asked();
    assert_eq!(asked[0], "GET /api/models/me/tiny/revision/main");
    assert!(
        asked
            .iter()
            .any(|line| line.starts_with("GET /cdn/me/tiny/onnx/model.onnx")),
        "{asked:?}"
    );
    assert!(
        !asked
            .iter()
            .any(|line| line.contains("README") || line.contains("pytorch")),
        "{asked:?}"
    );
    // As the Hub's own libraries lay it out.
    let cached = machine.cached("me/tiny");
    assert_eq!(
        fs::read_to_string(cached.join("refs/main")).expect("a ref"),
        FIRST
    );
    let graph = cached.join("snapshots").join(FIRST).join("onnx/model.onnx");
    let blob = fs::read_link(&graph).expect("a link");
    assert!(blob.starts_with("../../../blobs"), "{}", blob.display());
    assert_eq!(
        fs::read(&graph).expect("a blob"),
        fs::read(models().join("sentiment/onnx/model.onnx")).expect("a graph")
    );
    assert_eq!(
        fs::read_dir(cached.join("blobs")).expect("blobs").count(),
        3
    );

    // What is there is not fetched again, and without a network the cache is enough.
    machine.check(
        "CREATE MODEL again WITH ('path' = 'hf://me/tiny@main')",
        &[],
        "",
    );
    assert_eq!(hub.asked(), ["GET /api/models/me/tiny/revision/main"]);
    let offline = [("HF_HUB_OFFLINE", "1")];
    machine.check(
        "CREATE MODEL offline WITH ('path' = 'hf://me/tiny')",
        &offline,
        "",
    );
    machine.check_error(
        "CREATE MODEL other WITH ('path' = 'hf://me/other')",
        &offline,
        "me/other@main is not in",
    );
    assert!(hub.asked().is_empty());

    // The branch moves on: a model that is altered stays, one that is replaced follows.
    hub.put("me/tiny", repository(folder.path(), SECOND, "topics"));
    machine.check("ALTER MODEL m SET ('max_length' = '64')", &[], "");
    let described = machine.run("DESCRIBE MODEL m", &[]).output;
    assert!(
        described.contains(&format!("commit,{FIRST}")),
        "{described}"
    );
    machine.check(
        "CREATE OR REPLACE MODEL m WITH ('path' = 'hf://me/tiny')",
        &[],
        "",
    );
    let described = machine.run("DESCRIBE MODEL m", &[]).output;
    assert!(
        described.contains(&format!("commit,{SECOND}")),
        "{described}"
    );
    machine.check(CLASSIFY, &[], "label\ntexts\n");
    machine.check(
        &format!("CREATE MODEL old WITH ('path' = 'hf://me/tiny@{FIRST}', 'copy' = 'true')"),
        &offline,
        "",
    );
    // A copy needs no cache any more.
    fs::remove_dir_all(cached).expect("removed");
    machine.check("ALTER MODEL old SET ('max_length' = '64')", &offline, "");
    machine.check(
        &CLASSIFY.replace("'m'", "'old'"),
        &offline,
        "label\npositive\n",
    );
}

#[test]
fn a_private_repository_wants_a_token_and_tells_it_nobody_else() {
    let (hub, folder) = (Hub::start(), tempfile::tempdir().expect("folder"));
    let machine = Machine::new(&hub);
    let private = Repository {
        private: true,
        ..repository(folder.path(), FIRST, "sentiment")
    };
    hub.put("me/secret", private);
    let create = "CREATE MODEL m WITH ('path' = 'hf://me/secret')";
    machine.check_error(
        create,
        &[],
        "HTTP 401; the Hub wants to know who asks: set HF_TOKEN",
    );
    // The server refuses the token where large files lie.
    machine.check(create, &[("HF_TOKEN", TOKEN)], "");
    fs::write(machine.folder.path().join("hf/token"), format!("{TOKEN}\n")).expect("a token");
    machine.check(&create.replace(" m ", " n "), &[], "");
}

#[test]
fn a_download_that_broke_off_goes_on_and_a_wrong_file_is_refused() {
    let (hub, folder) = (Hub::start(), tempfile::tempdir().expect("folder"));
    let machine = Machine::new(&hub);
    hub.put("me/tiny", repository(folder.path(), FIRST, "sentiment"));
    hub.cut_after(5_000);
    let create = "CREATE MODEL m WITH ('path' = 'hf://me/tiny')";
    machine.check_error(create, &[], "the download broke off after 5000 of");
    hub.asked();
    machine.check(create, &[], "");
    let asked = hub.asked();
    assert!(
        asked.iter().any(|line| line.ends_with(" from 5000")),
        "{asked:?}"
    );
    machine.check(CLASSIFY, &[], "label\npositive\n");
    // What a broken disk left of another download is found out by its digest, and the next attempt begins anew.
    let cached = machine.cached("me/tiny");
    let graph = cached.join("snapshots").join(FIRST).join("onnx/model.onnx");
    let blob = fs::canonicalize(&graph).expect("a blob");
    fs::remove_file(&graph).expect("removed");
    fs::remove_file(&blob).expect("removed");
    let part = blob.with_extension("incomplete");
    fs::write(&part, "garbage").expect("written");
    let create = "CREATE MODEL n WITH ('path' = 'hf://me/tiny')";
    machine.check_error(create, &[], "the SHA-256 is");
    machine.check(create, &[], "");
    // What is longer than the file is no part of it.
    fs::remove_file(&graph).expect("removed");
    let bytes = fs::metadata(&blob).expect("a blob").len();
    fs::remove_file(&blob).expect("removed");
    fs::write(&part, "x".repeat(bytes as usize + 1)).expect("written");
    machine.check(&create.replace(" n ", " o "), &[], "");
}

#[test]
fn what_the_hub_does_not_have_is_said() {
    let (hub, folder) = (Hub::start(), tempfile::tempdir().expect("folder"));
    let mut machine = Machine::new(&hub);
    let weights = folder.path().join("weights");
    fs::create_dir_all(&weights).expect("folder");
    fs::write(weights.join("model.safetensors"), "Large.").expect("written");
    hub.put(
        "me/weights",
        Repository {
            commit: FIRST.to_owned(),
            folder: weights,
            private: false,
        },
    );
    hub.put("me/tiny", repository(folder.path(), SECOND, "sentiment"));
    let create = |path: &str| format!("CREATE MODEL m WITH ('path' = 'hf://{path}')");
    for (path, expected) in [
        (
            "me",
            "expected hf://owner/name or hf://owner/name@revision, found `hf://me`",
        ),
        (
            "me/tiny@v9",
            "HTTP 404; there is no such repository or revision",
        ),
        (
            "me/weights",
            "found model.safetensors; export it with `optimum-cli export onnx --model me/weights onnx/`",
        ),
        (
            "me/tiny', 'file' = 'small.onnx",
            "me/tiny: no graph `small.onnx`; there is onnx/model.onnx",
        ),
    ] {
        machine.check_error(&create(path), &[("HF_TOKEN", TOKEN)], expected);
    }
    // A port that nobody listens at.
    machine.endpoint = "http://127.0.0.1:9".to_owned();
    machine.check_error(
        &create("me/tiny"),
        &[],
        "could not reach http://127.0.0.1:9/api/models/me/tiny",
    );
    assert!(!machine.cached("me/tiny").exists());
}
