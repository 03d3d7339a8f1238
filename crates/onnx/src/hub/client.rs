//! Downloads the files of a repository: `blobs`, `snapshots` and `refs` as `huggingface_hub` lays them out.
//!
//! Source: <https://huggingface.co/docs/huggingface_hub/guides/manage-cache>.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use lexstream_columns::model::Watch;
use serde::Deserialize;
use ureq::config::RedirectAuthHeaders;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::Url;

use lexstream_environment::HubSettings;
use lexstream_models::progress::Progress;
use lexstream_models::store::digest;

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// How often an answer may send to another address.
const REDIRECTS: u32 = 5;

/// Begins the path of a repository.
const SCHEME: &str = "hf://";

/// Why a repository can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubError {
    /// The path names no repository.
    #[error("expected hf://owner/name or hf://owner/name@revision, found `{0}`")]
    Path(String),
    /// It is not in the cache.
    #[error("{repository} is not in {}, and HF_HUB_OFFLINE forbids to download it", cache.display())]
    Offline { repository: String, cache: PathBuf },
    /// The Hub says no.
    #[error("{url}: HTTP {status}; {hint}")]
    Status {
        url: String,
        status: u16,
        hint: &'static str,
    },
    /// The Hub can't be reached.
    #[error("could not reach {url}; HF_HUB_OFFLINE=1 takes what is in the cache")]
    Reach { url: String, source: ureq::Error },
    /// The connection broke; what is there stays, and the next attempt goes on from it.
    #[error(
        "{url}: the download broke off after {found} of {expected} bytes; the same statement goes on with it"
    )]
    BrokenOff {
        url: String,
        found: u64,
        expected: u64,
        source: Option<io::Error>,
    },
    /// The answer is not the Hub's.
    #[error("{url}: expected {expected}")]
    Answer { url: String, expected: &'static str },
    /// The file is not the one that the Hub promised.
    #[error("{url}: the SHA-256 is {found}, expected {expected}; it was deleted")]
    Digest {
        url: String,
        found: String,
        expected: String,
    },
    /// The cache can't be written.
    #[error("could not write {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// Nobody waits any more.
    #[error("interrupted")]
    Interrupted,
}

impl HubError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// `hf://owner/name[@revision]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Repository {
    name: String,
    revision: String,
}

impl FromStr for Repository {
    type Err = HubError;

    fn from_str(path: &str) -> Result<Self, HubError> {
        let wrong = || HubError::Path(path.to_owned());
        let whole = path.strip_prefix(SCHEME).ok_or_else(wrong)?;
        let (name, revision) = whole.split_once('@').unwrap_or((whole, "main"));
        let parts: Vec<_> = name.split('/').collect();
        // A branch such as refs/pr/1 has slashes.
        if parts.len() != 2 || !parts.into_iter().all(is_name) || !revision.split('/').all(is_name)
        {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

/// A repository as it was at one commit, in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) commit: String,
    pub(crate) folder: PathBuf,
}

/// A repository at one commit, and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Owner and name.
    pub(crate) name: String,
    revision: String,
    commit: String,
    /// The names of its files; none where the Hub can't be asked, and the cache is all there is.
    pub(crate) files: Option<Vec<String>>,
    /// The repository's folder in the cache.
    folder: PathBuf,
}

/// What the Hub says of a revision.
#[derive(Debug, Deserialize)]
struct Info {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
}

/// A client of the Hub.
#[derive(Debug)]
pub(crate) struct Hub<'a> {
    settings: &'a HubSettings,
    progress: &'a Progress,
    /// Follows redirects, to which the token does not go.
    files: Agent,
    /// Follows none: what is asked of a file stands in the first answer.
    heads: Agent,
}

impl<'a> Hub<'a> {
    pub(crate) fn new(settings: &'a HubSettings, progress: &'a Progress) -> Self {
        let certificates = rustls_native_certs::load_native_certs().certs;
        let certificates: Vec<_> = certificates
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&certificates))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = |redirects: u32| {
            Agent::config_builder()
                .tls_config(tls.clone())
                .http_status_as_error(false)
                .max_redirects(redirects)
                .max_redirects_will_error(false)
                .redirect_auth_headers(RedirectAuthHeaders::SameHost)
                .user_agent(concat!("lexstream/", env!("CARGO_PKG_VERSION")))
                .timeout_connect(Some(SILENCE))
                .timeout_recv_response(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .build()
                .new_agent()
        };
        Self {
            settings,
            progress,
            files: agent(REDIRECTS),
            heads: agent(0),
        }
    }

    /// Tells whether a path is the Hub's.
    pub(crate) fn is_path(path: &str) -> bool {
        path.starts_with(SCHEME)
    }

    /// Asks which files a repository has; offline, which commit of it the cache has.
    ///
    /// `pinned` is the commit to take, whatever the revision is now.
    pub(crate) fn list(&self, path: &str, pinned: Option<&str>) -> Result<Listing, HubError> {
        let Repository { name, revision } = path.parse()?;
        let revision = pinned.map_or(revision, str::to_owned);
        let folder = format!("models--{}", name.replace('/', "--"));
        let folder = self.settings.cache.join(folder);
        let (commit, files) = if self.settings.offline {
            let commit = fs::read_to_string(folder.join("refs").join(&revision));
            let commit = commit.map_or(revision.clone(), |commit| commit.trim().to_owned());
            if !folder.join("snapshots").join(&commit).is_dir() {
                return Err(HubError::Offline {
                    repository: format!("{name}@{revision}"),
                    cache: self.settings.cache.clone(),
                });
            }
            (commit, None)
        } else {
            let info = self.info(&name, &revision)?;
            let files = info.siblings.into_iter().map(|file| file.rfilename);
            let is_inside = |name: &String| {
                let mut parts = Path::new(name).components();
                parts.all(|part| matches!(part, Component::Normal(_)))
            };
            (info.sha, Some(files.filter(is_inside).collect()))
        };
        Ok(Listing {
            name,
            revision,
            commit,
            files,
            folder,
        })
    }

    fn info(&self, name: &str, revision: &str) -> Result<Info, HubError> {
        let endpoint = &self.settings.endpoint;
        let revision = revision.replace('/', "%2F");
        let url = format!("{endpoint}/api/models/{name}/revision/{revision}");
        let mut answer = self.get(&url, None)?;
        let text = match answer.body_mut().read_to_vec() {
            Ok(text) => text,
            Err(source) => return Err(HubError::Reach { url, source }),
        };
        match serde_json::from_slice::<Info>(&text) {
            Ok(info) if is_name(&info.sha) => Ok(info),
            _ => Err(HubError::Answer {
                url,
                expected: "JSON with `sha` and `siblings`, as the Hub gives",
            }),
        }
    }

    /// Brings files of a repository into the cache; what is there stays.
    pub(crate) fn bring(&self, listing: &Listing, files: &[String]) -> Result<Snapshot, HubError> {
        let Listing {
            name,
            revision,
            commit,
            folder,
            ..
        } = listing;
        let snapshot = Snapshot {
            commit: commit.clone(),
            folder: folder.join("snapshots").join(commit),
        };
        for file in files {
            let url = format!("{}/{name}/resolve/{commit}/{file}", self.settings.endpoint);
            let fetched = self.fetch(&url, file, folder, &snapshot);
            self.progress.clear();
            fetched?;
        }
        if !self.settings.offline && revision != commit {
            let reference = folder.join("refs").join(revision);
            let within = reference.parent().unwrap_or(folder);
            fs::create_dir_all(within)
                .and_then(|()| fs::write(&reference, commit))
                .map_err(HubError::io(&reference))?;
        }
        Ok(snapshot)
    }

    /// Brings one file into the cache; several processes may want it at once.
    fn fetch(
        &self,
        url: &str,
        file: &str,
        folder: &Path,
        snapshot: &Snapshot,
    ) -> Result<(), HubError> {
        let pointer = snapshot.folder.join(file);
        if pointer.exists() {
            return Ok(());
        }
        let (etag, bytes) = self.promised(url)?;
        let blob = folder.join("blobs").join(&etag);
        let locks = self.settings.cache.join(".locks");
        let lock = locks
            .join(folder.file_name().unwrap_or_default())
            .join(format!("{etag}.lock"));
        for path in [&blob, &lock, &pointer] {
            let within = path.parent().unwrap_or(folder);
            fs::create_dir_all(within).map_err(HubError::io(within))?;
        }
        let held = File::create(&lock).map_err(HubError::io(&lock))?;
        held.lock().map_err(HubError::io(&lock))?;
        if !blob.exists() {
            let part = blob.with_file_name(format!("{etag}.incomplete"));
            self.download(url, file, bytes, &part)?;
            if etag.len() == 64 {
                // Of large files the tag is the SHA-256.
                let (_, found) = digest::of_file(&part, None).map_err(HubError::io(&part))?;
                if found != etag {
                    fs::remove_file(&part).map_err(HubError::io(&part))?;
                    return Err(HubError::Digest {
                        url: url.to_owned(),
                        found,
                        expected: etag,
                    });
                }
            }
            fs::rename(&part, &blob).map_err(HubError::io(&blob))?;
        }
        match point(&pointer, &blob, file, &etag) {
            // Another process was first.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(HubError::io(&pointer)(error))
            }
            _ => Ok(()),
        }
    }

    /// Asks for the tag of a file, by which the cache names it, and its size.
    fn promised(&self, url: &str) -> Result<(String, u64), HubError> {
        let mut at = url.to_owned();
        let mut answer = self.call(self.heads.head(&at), &at)?;
        for _ in 0..REDIRECTS {
            let moved = answer.status().is_redirection();
            let location = header(&answer, "location").filter(|to| moved && to.starts_with('/'));
            // The repository has another name now; at another host the file itself would be.
            let Some(to) = location.and_then(|to| Url::parse(&at).ok()?.join(to).ok()) else {
                break;
            };
            at = to.into();
            answer = self.call(self.heads.head(&at), &at)?;
        }
        if !answer.status().is_redirection() {
            check(&answer, url)?;
        }
        let tag = header(&answer, "x-linked-etag").or(header(&answer, "etag"));
        let tag = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
        let size = header(&answer, "x-linked-size").or(header(&answer, "content-length"));
        let size = size.and_then(|size| size.parse().ok());
        match (tag.filter(|tag| is_name(tag)), size) {
            (Some(tag), Some(size)) => Ok((tag, size)),
            _ => Err(HubError::Answer {
                url: url.to_owned(),
                expected: "the headers ETag and Content-Length, or X-Linked-Etag and X-Linked-Size",
            }),
        }
    }

    /// Downloads a file into `part`, behind what is there already.
    fn download(&self, url: &str, name: &str, total: u64, part: &Path) -> Result<(), HubError> {
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true);
        let mut file = options.open(part).map_err(HubError::io(part))?;
        let end = file.seek(SeekFrom::End(0));
        let mut done = end.map_err(HubError::io(part))?;
        if done > total {
            // No part of this file.
            done = restart(&mut file).map_err(HubError::io(part))?;
        }
        let mut broken = None;
        if done < total {
            let answer = self.get(url, (done > 0).then_some(done))?;
            if answer.status() != 206 {
                // All of it comes, from the beginning.
                done = restart(&mut file).map_err(HubError::io(part))?;
            }
            let mut body = answer
                .into_body()
                .into_with_config()
                .limit(u64::MAX)
                .reader();
            let mut buffer = vec![0; 1 << 18];
            loop {
                if Watch::current().is_some_and(|watch| watch.is_cancelled()) {
                    return Err(HubError::Interrupted);
                }
                self.progress.download(name, done, total);
                match body.read(&mut buffer) {
                    Ok(0) => break,
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
                    Ok(read) => {
                        file.write_all(&buffer[..read])
                            .map_err(HubError::io(part))?;
                        done += read as u64;
                    }
                }
            }
            file.sync_all().map_err(HubError::io(part))?;
        }
        if done != total {
            return Err(HubError::BrokenOff {
                url: url.to_owned(),
                found: done,
                expected: total,
                source: broken,
            });
        }
        Ok(())
    }

    fn get(&self, url: &str, from: Option<u64>) -> Result<Response<Body>, HubError> {
        let mut request = self.files.get(url);
        if let Some(from) = from {
            request = request.header("range", format!("bytes={from}-"));
        }
        let answer = self.call(request, url)?;
        check(&answer, url)?;
        Ok(answer)
    }

    fn call(
        &self,
        mut request: ureq::RequestBuilder<ureq::typestate::WithoutBody>,
        url: &str,
    ) -> Result<Response<Body>, HubError> {
        if let Some(token) = &self.settings.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|source| HubError::Reach {
            url: url.to_owned(),
            source,
        })
    }
}

/// Empties a file; returns how much it has then.
fn restart(file: &mut File) -> io::Result<u64> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))
}

fn check(answer: &Response<Body>, url: &str) -> Result<(), HubError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(HubError::Status {
        url: url.to_owned(),
        status: status.as_u16(),
        hint: match status.as_u16() {
            401 | 403 => "the Hub wants to know who asks: set HF_TOKEN",
            404 => "there is no such repository or revision, or it is private: set HF_TOKEN",
            _ => "the Hub failed; try again",
        },
    })
}

fn header<'a>(answer: &'a Response<Body>, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// Tells whether a text can be the name of a file, as commits and tags are.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.chars().all(fits) && !text.starts_with('.')
}

/// Makes a file of a snapshot out of a blob: a relative link, as the Hub's libraries make it.
#[cfg(unix)]
fn point(pointer: &Path, _: &Path, file: &str, etag: &str) -> io::Result<()> {
    let up = "../".repeat(2 + file.matches('/').count());
    std::os::unix::fs::symlink(format!("{up}blobs/{etag}"), pointer)
}

/// Makes a file of a snapshot out of a blob: a copy where links need a privilege.
#[cfg(not(unix))]
fn point(pointer: &Path, blob: &Path, _: &str, _: &str) -> io::Result<()> {
    fs::copy(blob, pointer).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_repository_and_a_revision() {
        for (path, name, revision) in [
            ("hf://me/tiny", "me/tiny", "main"),
            ("hf://me/tiny-v2.0@v1", "me/tiny-v2.0", "v1"),
            ("hf://me/tiny@refs/pr/1", "me/tiny", "refs/pr/1"),
        ] {
            let found: Repository = path.parse().expect(path);
            assert_eq!(
                (found.name.as_str(), found.revision.as_str()),
                (name, revision)
            );
        }
        for path in [
            "hf://tiny",
            "hf://me/tiny/onnx",
            "hf://../tiny",
            "hf://me/tiny@../main",
            "hf://me/",
            "hf://me/a b",
        ] {
            assert!(path.parse::<Repository>().is_err(), "{path}");
        }
    }
}
