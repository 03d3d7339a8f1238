//! Models on disk: list, open, put, rename, remove.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::draft::{self, Draft};
use super::manifest::FILE;
use super::{FileRecord, Manifest, ModelName, ModelReference, StoreError, digest};

/// How often a change by another process is followed before the error is shown.
const TRIES: usize = 100;

/// A folder of models, shared by any number of processes.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// A version that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The model.
    pub name: ModelName,
    /// Its version, from 1.
    pub version: u32,
    /// Where its manifest and its own files lie.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// One line of a store's list.
#[derive(Debug)]
pub struct Listed {
    /// The model.
    pub name: ModelName,
    /// Its version, from 1.
    pub version: u32,
    /// What its manifest says, or why it can't be read.
    pub stored: Result<Stored, StoreError>,
}

/// What becomes of a new version where the model exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// It is refused.
    Refuse,
    /// It becomes the newest version.
    Next,
}

impl Store {
    /// Returns the store in this home; nothing is created before the first model.
    pub fn new(home: &Path) -> Self {
        Self {
            root: home.join("models"),
        }
    }

    /// Returns the folder of all models.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the names of all models, alphabetical.
    pub fn names(&self) -> Result<Vec<ModelName>, StoreError> {
        let mut names: Vec<ModelName> = entries(&self.root)?
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the versions of a model, ascending; none where there is no such model.
    pub fn versions(&self, name: &ModelName) -> Result<Vec<u32>, StoreError> {
        let mut versions: Vec<u32> = entries(&self.root.join(name.as_str()))?
            .iter()
            .filter_map(|version| version.parse().ok())
            .collect();
        versions.sort_unstable();
        Ok(versions)
    }

    /// Returns every version of every model, by name and version; one that can't be read is an error of its own.
    pub fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let mut all = Vec::new();
        for name in self.names()? {
            for version in self.versions(&name)? {
                let stored = self.read(&name, version);
                // Dropped in between, it is not there.
                if !matches!(&stored, Err(error) if error.is_not_found()) {
                    all.push(Listed {
                        name: name.clone(),
                        version,
                        stored,
                    });
                }
            }
        }
        Ok(all)
    }

    /// Opens a version: the newest where the reference names none.
    pub fn open(&self, reference: &ModelReference) -> Result<Stored, StoreError> {
        let name = &reference.name;
        let mut tries = 0;
        loop {
            let versions = self.versions(name)?;
            let Some(newest) = versions.last() else {
                return Err(StoreError::NoModel(name.to_string()));
            };
            let version = reference.version.unwrap_or(*newest);
            if !versions.contains(&version) {
                return Err(StoreError::NoVersion {
                    name: name.to_string(),
                    version,
                    found: versions,
                });
            }
            match self.read(name, version) {
                // Dropped since it was listed: what is there now decides.
                Err(error) if error.is_not_found() && tries < TRIES => tries += 1,
                result => return result,
            }
        }
    }

    /// Starts a new version.
    pub fn draft(&self) -> Result<Draft, StoreError> {
        Draft::new(&self.root)
    }

    /// Puts a draft in place as a version of `name`; readers see all of it or nothing.
    pub fn put(
        &self,
        name: &ModelName,
        draft: Draft,
        manifest: Manifest,
        if_exists: IfExists,
    ) -> Result<Stored, StoreError> {
        draft.complete(&manifest)?;
        let folder = self.root.join(name.as_str());
        let mut tries = 0;
        loop {
            let newest = self.versions(name)?.last().copied();
            if newest.is_some() && if_exists == IfExists::Refuse {
                return Err(StoreError::Exists(name.to_string()));
            }
            let version = newest.map_or(1, |newest| newest + 1);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(StoreError::io("create", folder)(error));
                }
                _ => {}
            }
            let place = folder.join(version.to_string());
            match fs::rename(draft.path(), &place) {
                Ok(()) => {
                    draft.renamed();
                    draft::sync(&folder)?;
                    draft::sync(&self.root)?;
                    return Ok(Stored {
                        name: name.clone(),
                        version,
                        folder: place,
                        manifest,
                    });
                }
                // Another process took the number, or dropped or renamed the model.
                Err(error) if is_race(error.kind()) && tries < TRIES => tries += 1,
                Err(error) => return Err(StoreError::io("create", place)(error)),
            }
        }
    }

    /// Gives a model with all its versions another name.
    pub fn rename(&self, from: &ModelName, to: &ModelName) -> Result<(), StoreError> {
        if self.versions(from)?.is_empty() {
            return Err(StoreError::NoModel(from.to_string()));
        }
        if !self.versions(to)?.is_empty() {
            return Err(StoreError::Exists(to.to_string()));
        }
        let place = self.root.join(from.as_str());
        match fs::rename(&place, self.root.join(to.as_str())) {
            Ok(()) => draft::sync(&self.root),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(StoreError::NoModel(from.to_string()))
            }
            Err(error) if is_race(error.kind()) => Err(StoreError::Exists(to.to_string())),
            Err(error) => Err(StoreError::io("rename", place)(error)),
        }
    }

    /// Deletes a model, or one version of it, and the files in the store; files that it only refers to stay.
    pub fn remove(&self, reference: &ModelReference) -> Result<(), StoreError> {
        let folder = self.root.join(reference.name.as_str());
        let versions = self.versions(&reference.name)?;
        if versions.is_empty() {
            return Err(StoreError::NoModel(reference.name.to_string()));
        }
        let Some(version) = reference.version else {
            return match draft::remove(&self.root, &folder)? {
                true => Ok(()),
                false => Err(StoreError::NoModel(reference.name.to_string())),
            };
        };
        if !draft::remove(&self.root, &folder.join(version.to_string()))? {
            return Err(StoreError::NoVersion {
                name: reference.name.to_string(),
                version,
                found: versions,
            });
        }
        // The last version takes the name with it; a folder that has another stays.
        let _ = fs::remove_dir(&folder);
        Ok(())
    }

    /// Deletes the oldest versions of a model beyond `keep`.
    pub fn prune(&self, name: &ModelName, keep: usize) -> Result<(), StoreError> {
        let versions = self.versions(name)?;
        for version in &versions[..versions.len().saturating_sub(keep)] {
            let folder = self.root.join(name.as_str()).join(version.to_string());
            draft::remove(&self.root, &folder)?;
        }
        Ok(())
    }

    fn read(&self, name: &ModelName, version: u32) -> Result<Stored, StoreError> {
        let folder = self.root.join(name.as_str()).join(version.to_string());
        Ok(Stored {
            name: name.clone(),
            version,
            manifest: Manifest::read(&folder)?,
            folder,
        })
    }
}

impl Stored {
    /// Returns `name@version`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Returns where a file of the manifest lies.
    pub fn path(&self, file: &FileRecord) -> PathBuf {
        self.folder.join(&file.path)
    }

    /// Returns the manifest's own path.
    pub fn manifest_path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Reads a whole file, and refuses one that is not what the model was made with.
    pub fn read(&self, file: &FileRecord) -> Result<Vec<u8>, StoreError> {
        let path = self.path(file);
        let bytes = fs::read(&path).map_err(|error| self.unread(&path, error))?;
        self.compare(file, bytes.len() as u64, || digest::of(&bytes))?;
        Ok(bytes)
    }

    /// Refuses a file that is not what the model was made with, without holding it.
    pub fn verify(&self, file: &FileRecord) -> Result<(), StoreError> {
        let path = self.path(file);
        let size = fs::metadata(&path)
            .map_err(|error| self.unread(&path, error))?
            .len();
        if size != file.bytes {
            return self.compare(file, size, String::new);
        }
        let (bytes, sha256) =
            digest::of_file(&path, None).map_err(|error| self.unread(&path, error))?;
        self.compare(file, bytes, || sha256)
    }

    /// Says why a file can't be read: the whole version may have gone since its manifest was read.
    fn unread(&self, path: &Path, error: io::Error) -> StoreError {
        if error.kind() == ErrorKind::NotFound && !self.manifest_path().exists() {
            return StoreError::Gone(self.id());
        }
        StoreError::io("read", path)(error).of(&self.id())
    }

    fn compare(
        &self,
        file: &FileRecord,
        bytes: u64,
        sha256: impl FnOnce() -> String,
    ) -> Result<(), StoreError> {
        let changed = |expected, found| StoreError::Changed {
            model: self.id(),
            path: self.path(file),
            expected,
            found,
        };
        if bytes != file.bytes {
            return Err(changed(
                format!("{} bytes", file.bytes),
                format!("{bytes} bytes"),
            ));
        }
        let sha256 = sha256();
        if sha256 != file.sha256 {
            return Err(changed(
                format!("SHA-256 {}", file.sha256),
                format!("SHA-256 {sha256}"),
            ));
        }
        Ok(())
    }
}

/// Returns the names in a folder, those that begin with a dot left out; none where there is no such folder.
fn entries(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("read", folder))?;
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Tells whether a rename failed since another process was first.
fn is_race(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            format: crate::store::FORMAT,
            lexstream: "0.1.0".to_owned(),
            created: "2026-11-24T00:00:00Z".to_owned(),
            kind: "test".to_owned(),
            task: None,
            comment: None,
            query: None,
            options: BTreeMap::new(),
            files: Vec::new(),
            details: BTreeMap::new(),
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().expect("home");
        let store = Store::new(home.path());
        (home, store)
    }

    fn put(store: &Store, name: &str, if_exists: IfExists) -> Result<Stored, StoreError> {
        let draft = store.draft()?;
        let mut manifest = manifest();
        manifest.files = vec![draft.write("words", "words.txt", b"abc")?];
        store.put(&name.parse()?, draft, manifest, if_exists)
    }

    fn ids(store: &Store) -> Vec<String> {
        let list = store.list().expect("list");
        list.iter()
            .map(|listed| listed.stored.as_ref().expect("a manifest").id())
            .collect()
    }

    fn reference(text: &str) -> ModelReference {
        text.parse().expect(text)
    }

    #[test]
    fn an_empty_home_has_no_models_and_stays_empty() {
        let (home, store) = store();
        assert!(ids(&store).is_empty());
        let error = store.open(&reference("d")).expect_err("none");
        assert_eq!(error.to_string(), "no model `d`");
        assert_eq!(fs::read_dir(home.path()).expect("home").count(), 0);
    }

    #[test]
    fn versions_count_up_and_the_newest_opens() {
        let (_home, store) = store();
        for version in 1..=11 {
            let stored = put(&store, "d", IfExists::Next).expect("put");
            assert_eq!(stored.version, version);
            assert_eq!(store.open(&reference("D")).expect("open"), stored);
        }
        assert!(matches!(
            put(&store, "d", IfExists::Refuse),
            Err(StoreError::Exists(_))
        ));
        store.prune(&"d".parse().expect("name"), 2).expect("prune");
        assert_eq!(ids(&store), ["d@10", "d@11"]);
        assert_eq!(
            store
                .open(&reference("d@3"))
                .expect_err("pruned")
                .to_string(),
            "model `d` has no version 3; it has [10, 11]"
        );
    }

    #[test]
    fn a_model_is_renamed_and_removed_with_all_its_versions() {
        let (_home, store) = store();
        put(&store, "a", IfExists::Next).expect("put");
        put(&store, "a", IfExists::Next).expect("put");
        put(&store, "b", IfExists::Next).expect("put");
        let (a, b, c) = (
            reference("a").name,
            reference("b").name,
            reference("c").name,
        );
        assert!(matches!(store.rename(&a, &b), Err(StoreError::Exists(_))));
        assert!(matches!(store.rename(&c, &a), Err(StoreError::NoModel(_))));
        store.rename(&a, &c).expect("rename");
        assert_eq!(ids(&store), ["b@1", "c@1", "c@2"]);
        store.remove(&reference("c@2")).expect("one version");
        store.remove(&reference("b")).expect("all");
        assert_eq!(ids(&store), ["c@1"]);
        store.remove(&reference("c@1")).expect("the last version");
        assert!(matches!(
            store.remove(&reference("c")),
            Err(StoreError::NoModel(_))
        ));
        assert_eq!(fs::read_dir(store.root()).expect("root").count(), 0);
    }

    #[test]
    fn a_changed_truncated_or_missing_file_is_refused_by_name() {
        let (_home, store) = store();
        let stored = put(&store, "d", IfExists::Next).expect("put");
        let file = &stored.manifest.files[0];
        assert_eq!(stored.read(file).expect("whole"), b"abc");
        stored.verify(file).expect("whole");
        for (content, expected) in [
            ("abd", "SHA-256"),
            ("ab", "expected 3 bytes, found 2 bytes"),
        ] {
            fs::write(stored.path(file), content).expect("written");
            for error in [stored.read(file).map(|_| ()), stored.verify(file)] {
                let message = error.expect_err(content).to_string();
                assert!(
                    message.contains("words.txt") && message.contains(expected),
                    "{message}"
                );
            }
        }
        fs::remove_file(stored.path(file)).expect("removed");
        let message = stored.verify(file).expect_err("missing").to_string();
        assert!(
            message.contains("could not read") && message.contains("words.txt"),
            "{message}"
        );
    }

    #[test]
    fn a_newer_format_and_a_broken_manifest_are_refused() {
        let (_home, store) = store();
        let stored = put(&store, "d", IfExists::Next).expect("put");
        fs::write(
            stored.manifest_path(),
            r#"{"format": 2, "shape": "unknown"}"#,
        )
        .expect("written");
        let message = store.open(&reference("d")).expect_err("newer").to_string();
        assert!(
            message.contains("format 1 or older, found format 2"),
            "{message}"
        );
        fs::write(stored.manifest_path(), "{\"format\": 1,").expect("written");
        let message = store
            .open(&reference("d"))
            .expect_err("cut short")
            .to_string();
        assert!(
            message.contains("manifest.json: not a manifest"),
            "{message}"
        );
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_what_a_living_one_makes_is_not() {
        let (_home, store) = store();
        let living = store.draft().expect("draft");
        let left = store.root().join(".new-left");
        fs::create_dir(&left).expect("folder");
        fs::write(left.join("lock"), "").expect("lock");
        let deleted = store.root().join(".old-left");
        fs::create_dir(&deleted).expect("folder");
        put(&store, "d", IfExists::Next).expect("put");
        assert!(!left.exists() && !deleted.exists() && living.path().exists());
        drop(living);
        assert_eq!(fs::read_dir(store.root()).expect("root").count(), 1);
    }

    #[test]
    fn threads_that_put_at_once_get_a_number_each() {
        let (_home, store) = store();
        let several = || -> Vec<u32> {
            let put = |_| put(&store, "d", IfExists::Next).expect("put").version;
            (0..8).map(put).collect()
        };
        let mut versions: Vec<u32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(several)).collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("thread"))
                .collect()
        });
        versions.sort_unstable();
        assert_eq!(versions, (1..=64).collect::<Vec<_>>());
    }
}
