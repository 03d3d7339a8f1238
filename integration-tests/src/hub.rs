//! A server that serves folders as the Hugging Face Hub does, on 127.0.0.1 for as long as a test takes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The token that private repositories want.
pub const TOKEN: &str = "hf_ours";

/// A repository at one commit, and the folder of its files.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The commit.
    pub commit: String,
    /// Where its files lie.
    pub folder: PathBuf,
    /// Whether it wants a token.
    pub private: bool,
}

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct Hub {
    shared: Arc<Shared>,
    address: String,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Each repository at its commits; `main` is at the last.
    repositories: Mutex<BTreeMap<String, Vec<Repository>>>,
    /// What was asked for, a line each: method, path, and what its range begins with.
    asked: Mutex<Vec<String>>,
    /// How many bytes of the next large file are sent before the connection is cut; 0 is all.
    cut: AtomicUsize,
    ended: AtomicBool,
}

impl Hub {
    /// Starts a server without repositories.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.ended.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || {
                    if let Ok(stream) = stream {
                        let _ = shared.serve(&stream);
                    }
                });
            }
        });
        Self {
            shared,
            address,
            thread: Some(thread),
        }
    }

    /// Returns its address, for `HF_ENDPOINT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Adds a commit to a repository.
    pub fn put(&self, name: &str, repository: Repository) {
        let mut repositories = lock(&self.shared.repositories);
        repositories
            .entry(name.to_owned())
            .or_default()
            .push(repository);
    }

    /// Returns what was asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.shared.asked))
    }

    /// Cuts the next large file short.
    pub fn cut_after(&self, bytes: usize) {
        self.shared.cut.store(bytes, Ordering::Relaxed);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // The listener waits for one more connection.
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut lines = BufReader::new(stream).lines();
        // Connections are kept alive: one request after another.
        while let Some(request) = lines.next() {
            let request = request?;
            let mut headers = BTreeMap::new();
            for line in lines.by_ref() {
                let line = line?;
                match line.split_once(':') {
                    Some((name, value)) => {
                        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned())
                    }
                    None => break,
                };
            }
            let mut words = request.split(' ');
            let (method, path) = (
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default(),
            );
            let from = headers.get("range").map(|range| {
                range
                    .trim_start_matches("bytes=")
                    .trim_end_matches('-')
                    .parse()
            });
            let from = from.and_then(Result::ok).unwrap_or(0);
            lock(&self.asked).push(match from {
                0 => format!("{method} {path}"),
                from => format!("{method} {path} from {from}"),
            });
            let is_ours = headers.get("authorization") == Some(&format!("Bearer {TOKEN}"));
            let answer = self.answer(path, from, is_ours);
            self.send(stream, method, &answer)?;
        }
        Ok(())
    }

    fn answer(&self, path: &str, from: usize, is_ours: bool) -> Answer {
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["api", "models", owner, name, "revision", revision] => {
                let Some(repository) = self.find(owner, name, revision, is_ours) else {
                    return Answer::status(if is_ours { 404 } else { 401 });
                };
                let siblings: Vec<_> = files(&repository.folder, "")
                    .into_iter()
                    .map(|file| serde_json::json!({"rfilename": file}))
                    .collect();
                let info = serde_json::json!({"sha": repository.commit, "siblings": siblings});
                Answer::ok(info.to_string().into_bytes())
            }
            ["cdn", owner, name, file @ ..] => match self.find(owner, name, "main", true) {
                // Where large files lie nobody may be told the token.
                Some(repository) if !is_ours => {
                    Answer::part(read(&repository.folder, &file.join("/")), from)
                }
                _ => Answer::status(403),
            },
            [owner, name, "resolve", commit, file @ ..] => {
                let Some(repository) = self.find(owner, name, commit, is_ours) else {
                    return Answer::status(404);
                };
                let file = file.join("/");
                let bytes = read(&repository.folder, &file);
                if file.ends_with(".onnx") {
                    // Large files lie elsewhere, by their SHA-256.
                    let mut answer = Answer::status(302);
                    answer.header(
                        "Location",
                        &format!("http://localhost:{}/cdn/{owner}/{name}/{file}", "PORT"),
                    );
                    answer.header("X-Linked-Size", &bytes.len().to_string());
                    answer.header("X-Linked-Etag", &format!("\"{}\"", sha256(&bytes)));
                    return answer;
                }
                let mut answer = Answer::part(bytes.clone(), from);
                answer.header("ETag", &format!("\"{}\"", &sha256(&bytes)[..40]));
                answer
            }
            _ => Answer::status(404),
        }
    }

    fn find(&self, owner: &str, name: &str, revision: &str, is_ours: bool) -> Option<Repository> {
        let repositories = lock(&self.repositories);
        let commits = repositories.get(&format!("{owner}/{name}"))?;
        let found = match revision {
            "main" => commits.last(),
            commit => commits.iter().find(|found| found.commit == commit),
        }?;
        (is_ours || !found.private).then(|| found.clone())
    }

    fn send(&self, mut stream: &TcpStream, method: &str, answer: &Answer) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} x\r\n", answer.status);
        let port = stream.local_addr()?.port().to_string();
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {}\r\n", value.replace("PORT", &port)));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
        stream.write_all(head.as_bytes())?;
        if method == "HEAD" {
            return Ok(());
        }
        if answer.body.len() > 10_000 {
            let cut = self.cut.swap(0, Ordering::Relaxed);
            if cut > 0 {
                stream.write_all(&answer.body[..cut])?;
                return stream.shutdown(std::net::Shutdown::Both);
            }
        }
        stream.write_all(&answer.body)
    }
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn ok(body: Vec<u8>) -> Self {
        Self {
            body,
            ..Self::status(200)
        }
    }

    fn part(mut body: Vec<u8>, from: usize) -> Self {
        if from == 0 {
            return Self::ok(body);
        }
        let mut answer = Self::status(206);
        let total = body.len();
        answer.header(
            "Content-Range",
            &format!("bytes {from}-{}/{total}", total - 1),
        );
        answer.body = body.split_off(from.min(total));
        answer
    }

    fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }
}

fn files(folder: &Path, within: &str) -> Vec<String> {
    let mut files_found = Vec::new();
    for entry in fs::read_dir(folder.join(within))
        .expect("a folder")
        .flatten()
    {
        let name = format!("{within}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files_found.extend(files(folder, &format!("{name}/")));
        } else {
            files_found.push(name);
        }
    }
    files_found.sort();
    files_found
}

fn read(folder: &Path, file: &str) -> Vec<u8> {
    fs::read(folder.join(file)).unwrap_or_default()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
