//! The models of one home: made, altered, opened by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use lexstream_columns::model::{Model, ModelError, Models};
use lexstream_text::tokenizers;
use serde_json::Value;

use crate::kinds::{Kind, OptionError, Request, Rows, built_in, check_names, meant};
use crate::progress::Activities;
use crate::store::{
    FORMAT, IfExists, Listed, Manifest, ModelName, ModelReference, Store, StoreError, Stored,
};

/// Why a model can't be made, found or changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An option is wrong.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The kind refuses, or the query behind `AS` failed.
    #[error(transparent)]
    Kind(#[from] ModelError),
    /// No model has the name.
    #[error("no model `{name}`{meant}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name, as a question.
        meant: String,
    },
    /// A built-in tokenizer has the name.
    #[error("`{0}` is the name of a built-in tokenizer; a model needs another")]
    BuiltIn(String),
    /// There is no place for models.
    #[error("no place for models: set LEXSTREAM_HOME, or --home, to a folder")]
    NoHome,
}

impl CatalogError {
    /// Tells whether the model, or the version of it, is not there.
    pub fn is_unknown(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. }
                | Self::Store(StoreError::NoModel(_) | StoreError::NoVersion { .. })
        )
    }
}

/// What CREATE MODEL does where the model exists already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IfModelExists {
    /// It fails.
    #[default]
    Fail,
    /// `IF NOT EXISTS`: it does nothing.
    Keep,
    /// `OR REPLACE`: it adds a version.
    Replace,
}

/// What CREATE MODEL says.
#[derive(Debug, Default)]
pub struct CreateModel {
    /// The options of `WITH`.
    pub options: BTreeMap<String, String>,
    /// What its maker says of it.
    pub comment: Option<String>,
    /// What happens where the model exists already.
    pub if_exists: IfModelExists,
    /// The query behind `AS`, for the manifest.
    pub query: Option<String>,
    /// Its rows.
    pub rows: Option<Rows>,
}

/// The models of one home: a store, and what is opened of it.
///
/// Any number of processes may share a home. Everything here blocks on files; in async code it belongs on a thread
/// that may.
#[derive(Debug)]
pub struct ModelCatalog {
    store: Option<Store>,
    home: Option<PathBuf>,
    /// By name.
    kinds: BTreeMap<&'static str, Arc<dyn Kind>>,
    activities: Arc<Activities>,
    /// What was opened, by `name@version`; a manifest that has changed is opened anew.
    opened: Mutex<HashMap<String, Opened>>,
}

/// A model, and the manifest it was opened by.
type Opened = (Manifest, Arc<dyn Model>);

impl ModelCatalog {
    /// Returns the models of a home, which is made with its first model; none is a catalog that holds nothing.
    pub fn new(home: Option<PathBuf>) -> Self {
        let kinds = built_in().into_iter();
        Self {
            store: home.as_deref().map(Store::new),
            home,
            kinds: kinds.map(|kind| (kind.name(), kind)).collect(),
            activities: Arc::default(),
            opened: Mutex::default(),
        }
    }

    /// Adds a kind of model; one that has its name already gives way.
    #[must_use]
    pub fn with_kind(mut self, kind: Arc<dyn Kind>) -> Self {
        self.kinds.insert(kind.name(), kind);
        self
    }

    /// Returns the kinds of models that can be made and opened, by name.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<dyn Kind>> {
        self.kinds.values()
    }

    /// Returns the folder that models and what belongs to them are kept in.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Returns what is under way: downloads, and models in training.
    pub fn activities(&self) -> &Arc<Activities> {
        &self.activities
    }

    /// Returns where the models are.
    pub fn store(&self) -> Result<&Store, CatalogError> {
        self.store.as_ref().ok_or(CatalogError::NoHome)
    }

    /// Makes a model; none where it is there already and stays.
    pub fn create(&self, name: &str, create: CreateModel) -> Result<Option<Stored>, CatalogError> {
        let name = self.new_name(name)?;
        let exists = !self.store()?.versions(&name)?.is_empty();
        let if_exists = match create.if_exists {
            IfModelExists::Keep if exists => return Ok(None),
            IfModelExists::Fail if exists => {
                return Err(StoreError::Exists(name.to_string()).into());
            }
            IfModelExists::Replace => IfExists::Next,
            IfModelExists::Keep | IfModelExists::Fail => IfExists::Refuse,
        };
        let kind = &**self.kind_of(&name, &create.options)?;
        check_names(&name, kind, create.options.keys())?;
        let set = create.options.keys().cloned().collect();
        let keeps = create.if_exists == IfModelExists::Keep;
        match self.make(&name, kind, create, &set, None, if_exists) {
            // Another process was first.
            Err(CatalogError::Store(StoreError::Exists(_))) if keeps => Ok(None),
            made => made.map(Some),
        }
    }

    /// Makes a new version of a model with some options changed.
    pub fn alter(
        &self,
        name: &str,
        changed: &BTreeMap<String, String>,
    ) -> Result<Stored, CatalogError> {
        loop {
            let previous = self.stored(name)?;
            let altered = self.alter_from(&previous, changed);
            // Another process may have taken the version away whose files this one reads; then it is made from the next.
            match altered {
                Err(error) if self.stored(name)?.manifest == previous.manifest => {
                    return Err(error);
                }
                Err(_) => {}
                Ok(stored) => return Ok(stored),
            }
        }
    }

    fn alter_from(
        &self,
        previous: &Stored,
        changed: &BTreeMap<String, String>,
    ) -> Result<Stored, CatalogError> {
        let name = previous.name.clone();
        let kind = &**self.kind_named(&name, &previous.manifest.kind)?;
        if let Some(other) = changed.get("kind")
            && !other.eq_ignore_ascii_case(kind.name())
        {
            return Err(OptionError::KindStays {
                model: name.to_string(),
                kind: kind.name().to_owned(),
            }
            .into());
        }
        check_names(&name, kind, changed.keys())?;
        let set = changed.keys().cloned().collect();
        let mut options = previous.manifest.options.clone();
        options.extend(changed.clone());
        let create = CreateModel {
            options,
            comment: previous.manifest.comment.clone(),
            query: previous.manifest.query.clone(),
            ..CreateModel::default()
        };
        self.make(&name, kind, create, &set, Some(previous), IfExists::Next)
    }

    fn make(
        &self,
        name: &ModelName,
        kind: &dyn Kind,
        create: CreateModel,
        set: &BTreeSet<String>,
        previous: Option<&Stored>,
        if_exists: IfExists,
    ) -> Result<Stored, CatalogError> {
        let store = self.store()?;
        let mut options = create.options;
        let keep = keep_versions(name, &options)?;
        let draft = store.draft()?;
        let made = kind.make(Request {
            name,
            options: &mut options,
            set,
            rows: create.rows,
            previous,
            draft: &draft,
            catalog: self,
            progress: self.activities.begin(name.as_str()),
        })?;
        let manifest = Manifest {
            format: FORMAT,
            lexstream: env!("CARGO_PKG_VERSION").to_owned(),
            created: DateTime::<Utc>::from(SystemTime::now())
                .to_rfc3339_opts(SecondsFormat::Millis, true),
            kind: kind.name().to_owned(),
            task: made.task,
            comment: create.comment,
            query: create.query,
            options,
            files: made.files,
            details: made.details,
        };
        let stored = store.put(name, draft, manifest, if_exists)?;
        if let Some(keep) = keep {
            store.prune(name, keep)?;
        }
        Ok(stored)
    }

    /// Gives a model another name.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), CatalogError> {
        // All versions get it: one of them can't be named.
        let from: ModelName = from.parse()?;
        let from = self.stored(from.as_str())?.name;
        let to = self.new_name(to)?;
        Ok(self.store()?.rename(&from, &to)?)
    }

    /// Deletes a model, or the version that `name@version` says.
    pub fn remove(&self, reference: &str) -> Result<(), CatalogError> {
        let reference = reference.parse().map_err(CatalogError::Store)?;
        self.store()?
            .remove(&reference)
            .map_err(|error| self.with_nearest(error))
    }

    /// Returns a version as it is stored: `name`, or `name@version`.
    pub fn stored(&self, reference: &str) -> Result<Stored, CatalogError> {
        let reference: ModelReference = reference.parse()?;
        self.store()?
            .open(&reference)
            .map_err(|error| self.with_nearest(error))
    }

    /// Returns every version of every model, by name and version; one that can't be read is an error of its own.
    pub fn list(&self) -> Result<Vec<Listed>, CatalogError> {
        match &self.store {
            Some(store) => Ok(store.list()?),
            None => Ok(Vec::new()),
        }
    }

    /// Returns what is known of a model, a property a pair: what every model has, then what its kind knows.
    pub fn describe(&self, reference: &str) -> Result<Vec<(String, String)>, CatalogError> {
        let stored = self.stored(reference)?;
        let manifest = &stored.manifest;
        let mut properties = vec![("model".to_owned(), stored.id())];
        let mut add = |property: &str, value: String| properties.push((property.to_owned(), value));
        add("kind", manifest.kind.clone());
        for (property, value) in [
            ("task", &manifest.task),
            ("comment", &manifest.comment),
            ("query", &manifest.query),
        ] {
            if let Some(value) = value {
                add(property, value.clone());
            }
        }
        add("created", manifest.created.clone());
        add("path", stored.folder.display().to_string());
        add("bytes", manifest.bytes().to_string());
        add("digest", manifest.digest());
        for file in &manifest.files {
            add(
                &format!("file {}", file.role),
                stored.path(file).display().to_string(),
            );
        }
        for (option, value) in manifest
            .options
            .iter()
            .filter(|(option, _)| *option != "kind")
        {
            add(&format!("option {option}"), value.clone());
        }
        for (detail, value) in &manifest.details {
            add(detail, shown(value));
        }
        Ok(properties)
    }

    /// Returns the kind that the options say.
    fn kind_of(
        &self,
        model: &ModelName,
        options: &BTreeMap<String, String>,
    ) -> Result<&Arc<dyn Kind>, OptionError> {
        match options.get("kind") {
            Some(kind) => self.kind_named(model, kind),
            // What has a path and no kind is an export.
            None if options.contains_key("path") => self.kind_named(model, "onnx"),
            None => Err(self.no_kind(model, "none".to_owned())),
        }
    }

    fn kind_named(&self, model: &ModelName, name: &str) -> Result<&Arc<dyn Kind>, OptionError> {
        let mut kinds = self.kinds();
        let kind = kinds.find(|kind| kind.name().eq_ignore_ascii_case(name));
        kind.ok_or_else(|| {
            let meant = meant(name, self.kinds.keys().copied());
            self.no_kind(model, format!("`{name}`{meant}"))
        })
    }

    fn no_kind(&self, model: &ModelName, found: String) -> OptionError {
        OptionError::Kind {
            model: model.to_string(),
            known: self.kinds.keys().copied().collect(),
            found,
        }
    }

    fn new_name(&self, name: &str) -> Result<ModelName, CatalogError> {
        let name: ModelName = name.parse()?;
        if tokenizers::is_built_in(name.as_str()) {
            return Err(CatalogError::BuiltIn(name.to_string()));
        }
        Ok(name)
    }

    fn with_nearest(&self, error: StoreError) -> CatalogError {
        match error {
            StoreError::NoModel(name) => {
                let names = self.names();
                let meant = meant(&name, names.iter().map(String::as_str));
                CatalogError::Unknown { name, meant }
            }
            other => other.into(),
        }
    }
}

impl Models for ModelCatalog {
    fn open(&self, name: &str) -> Result<Arc<dyn Model>, ModelError> {
        let stored = self.stored(name)?;
        let (id, manifest) = (stored.id(), stored.manifest.clone());
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |opened: &HashMap<String, Opened>| match opened.get(&id) {
            Some((known, model)) if *known == manifest => Some(Arc::clone(model)),
            _ => None,
        };
        if let Some(model) = known(&opened()) {
            return Ok(model);
        }
        let kind = self.kind_named(&stored.name, &stored.manifest.kind)?;
        let prefix = format!("{}@", stored.name);
        let version = stored.version;
        let is_newest = self.store()?.versions(&stored.name)?.last() == Some(&version);
        // Without the lock, as a kind may open other models.
        let model = kind.open(stored, self)?;
        let mut opened = opened();
        // Another thread may have been first; there is one of each, since each loads its files once.
        if let Some(model) = known(&opened) {
            return Ok(model);
        }
        // Older versions are let go; a query that runs with one keeps it.
        if is_newest {
            let is_older = |id: &str| id.parse().is_ok_and(|other: u32| other < version);
            opened.retain(|id, _| !id.strip_prefix(&prefix).is_some_and(is_older));
        }
        opened.insert(id, (manifest, Arc::clone(&model)));
        Ok(model)
    }

    fn names(&self) -> Vec<String> {
        let names = self.store.as_ref().and_then(|store| store.names().ok());
        names
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

/// Returns a detail as DESCRIBE MODEL shows it; a list of tensors as `input_ids int64 [?, ?]`.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "?".to_owned(),
        Value::Array(values) if values.len() > 8 && values.iter().all(Value::is_number) => {
            let few: Vec<_> = values[..3].iter().map(shown).collect();
            format!("{}, … {}", few.join(", "), values.len())
        }
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(tensor) => {
            match (&tensor.get("name"), tensor.get("type"), tensor.get("shape")) {
                (Some(name), Some(of), Some(shape)) => {
                    format!("{} {} [{}]", shown(name), shown(of), shown(shape))
                }
                _ => value.to_string(),
            }
        }
        other => other.to_string(),
    }
}

/// Returns how many versions stay; none is all of them.
fn keep_versions(
    model: &ModelName,
    options: &BTreeMap<String, String>,
) -> Result<Option<usize>, OptionError> {
    let Some(found) = options.get("keep_versions") else {
        return Ok(None);
    };
    match found.parse() {
        Ok(keep) if keep > 0 => Ok(Some(keep)),
        _ if found.eq_ignore_ascii_case("all") => Ok(None),
        _ => Err(OptionError::Value {
            model: model.to_string(),
            option: "keep_versions",
            expected: "a number of at least 1, or `all`".to_owned(),
            found: found.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow::array::{ArrayRef, StringArray};
    use arrow::record_batch::RecordBatch;

    use super::*;
    use crate::progress::Activity;

    fn catalog() -> (tempfile::TempDir, ModelCatalog) {
        let home = tempfile::tempdir().expect("home");
        let catalog = ModelCatalog::new(Some(home.path().join("home")));
        (home, catalog)
    }

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn create(
        catalog: &ModelCatalog,
        name: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Option<Stored>, CatalogError> {
        let create = CreateModel {
            options: options(pairs),
            ..CreateModel::default()
        };
        catalog.create(name, create)
    }

    fn check_error<T: std::fmt::Debug>(result: Result<T, CatalogError>, expected: &str) {
        let message = result.expect_err(expected).to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn what_is_wrong_is_refused_before_anything_is_made() {
        let (home, catalog) = catalog();
        check_error(
            create(&catalog, "d", &[]),
            "`kind` must be one of jieba, tfidf, found none",
        );
        check_error(
            create(&catalog, "d", &[("kind", "jeiba")]),
            "must be one of jieba, tfidf, found `jeiba`; did you mean `jieba`?",
        );
        check_error(
            create(&catalog, "d", &[("kind", "jieba"), ("dictionry", "x")]),
            "kind `jieba` has no option `dictionry`; did you mean `dictionary`?",
        );
        check_error(
            create(&catalog, "word", &[("kind", "jieba")]),
            "name of a built-in tokenizer",
        );
        check_error(
            create(&catalog, "a-b", &[("kind", "jieba")]),
            "`a-b` is no name of a model",
        );
        assert_eq!(fs::read_dir(home.path()).expect("folder").count(), 0);
        for (option, value, expected) in [
            (
                "hmm",
                "yes",
                "`hmm` must be one of true, false, found `yes`",
            ),
            (
                "keep_versions",
                "0",
                "`keep_versions` must be a number of at least 1, or `all`, found `0`",
            ),
            (
                "default_dictionary",
                "false",
                "expected `dictionary` or AS query",
            ),
            (
                "dictionary",
                "/no/such/file",
                "could not read /no/such/file",
            ),
        ] {
            check_error(
                create(&catalog, "d", &[("kind", "jieba"), (option, value)]),
                expected,
            );
        }
        assert!(catalog.list().expect("list").is_empty());
        check_error(
            ModelCatalog::new(None).create("d", CreateModel::default()),
            "set LEXSTREAM_HOME",
        );
    }

    #[test]
    fn a_file_that_is_referred_to_stays_and_one_that_is_copied_is_ours() {
        let (home, catalog) = catalog();
        let words = home.path().join("words.txt");
        fs::write(&words, "云原生 5 n\n").expect("words");
        let path = words.to_str().expect("UTF-8");
        for (name, copy) in [("refers", "false"), ("copies", "true")] {
            let pairs = [("kind", "jieba"), ("dictionary", path), ("copy", copy)];
            create(&catalog, name, &pairs).expect(name);
        }
        fs::write(&words, "云\n").expect("words");
        let load = |name: &str| catalog.open(name).expect(name).tokenizer();
        let message = load("refers").expect_err("changed").to_string();
        assert!(
            message.contains("words.txt has changed since the model was made"),
            "{message}"
        );
        load("copies").expect("a copy");
        // A copy is kept when something else is altered.
        fs::remove_file(&words).expect("removed");
        catalog
            .alter("copies", &options(&[("hmm", "false")]))
            .expect("altered");
        load("copies@2").expect("a copy");
        check_error(
            catalog.alter("copies", &options(&[("dictionary", path)])),
            "could not copy",
        );
        check_error(
            catalog.alter("copies", &options(&[("kind", "onnx")])),
            "is of kind `jieba` and stays so",
        );
        catalog.remove("copies").expect("removed");
        check_error(catalog.stored("copies"), "no model `copies`");
    }

    #[test]
    fn the_rows_that_a_model_in_the_making_has_read_are_reported() {
        let (_home, catalog) = catalog();
        let words: ArrayRef = Arc::new(StringArray::from(vec!["云原生", "平台"]));
        let batch = RecordBatch::try_from_iter([("word", words)]).expect("a batch");
        let activities = Arc::clone(catalog.activities());
        let mut seen = Vec::new();
        let (sender, reported) = std::sync::mpsc::channel();
        let batches = [batch.clone(), batch.clone(), batch.slice(0, 0)].map(Ok);
        let rows = Rows {
            schema: batch.schema(),
            batches: Box::new(batches.into_iter().inspect(move |_| {
                sender.send(activities.now()).expect("a receiver");
            })),
        };
        let create = CreateModel {
            options: options(&[("kind", "jieba")]),
            rows: Some(rows),
            ..CreateModel::default()
        };
        catalog.create("d", create).expect("created");
        for now in reported {
            seen.extend(now.into_iter().map(|activity| match activity {
                Activity::Training(training) => (training.model, training.rows),
                Activity::Download(download) => panic!("{download:?}"),
            }));
        }
        // Before each batch but the first, those before it.
        assert_eq!(seen, [("d".to_owned(), 2), ("d".to_owned(), 4)]);
        assert_eq!(catalog.activities().now(), []);
    }

    #[test]
    fn a_model_is_opened_once_until_its_manifest_changes() {
        let (_home, catalog) = catalog();
        create(
            &catalog,
            "d",
            &[("kind", "jieba"), ("hmm", "false"), ("keep_versions", "1")],
        )
        .expect("created");
        let first = catalog.open("d").expect("open");
        assert!(Arc::ptr_eq(&first, &catalog.open("D@1").expect("open")));
        catalog
            .alter("d", &options(&[("hmm", "true")]))
            .expect("altered");
        let second = catalog.open("d").expect("open");
        assert_eq!((first.id(), second.id()), ("d@1", "d@2"));
        check_error(
            catalog.stored("d@1"),
            "model `d` has no version 1; it has [2]",
        );
        catalog.remove("d").expect("dropped");
        create(&catalog, "d", &[("kind", "jieba")]).expect("created");
        assert!(!Arc::ptr_eq(
            &first,
            &catalog.open("d@1").expect("another d@1")
        ));
        check_error(catalog.stored("dd"), "no model `dd`; did you mean `d`?");
    }
}
