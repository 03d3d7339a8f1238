//! Files as tables: `SELECT … FROM 'corpus/*.parquet'`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{TableProvider, UrlTableFactory};
use datafusion::common::{
    DataFusionError, Result, exec_datafusion_err, exec_err, plan_datafusion_err,
};
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableConfigExt, ListingTableUrl,
};
use datafusion::execution::SessionState;
use datafusion_session::SessionStore;
use url::Url;

use super::file_kind::{Kind, extensions};
use super::listing::{self, Found};
use super::parquet_rows;

/// Makes a table of a file, of the files that match a glob, or of a folder's files.
#[derive(Debug)]
pub(super) struct Files {
    session: SessionStore,
}

impl Files {
    pub(super) fn new(session: SessionStore) -> Self {
        Self { session }
    }

    pub(super) fn session(&self) -> &SessionStore {
        &self.session
    }

    fn state(&self) -> Result<SessionState> {
        let session = self.session.get_session().upgrade();
        let state = session.and_then(|session| {
            session
                .read()
                .as_any()
                .downcast_ref::<SessionState>()
                .cloned()
        });
        state.ok_or_else(|| plan_datafusion_err!("the session of this catalog has ended"))
    }
}

#[async_trait]
impl UrlTableFactory for Files {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match find(&self.state()?, name, false).await {
            // Perhaps a name that a statement is about to give; `with_nearest` says why it is no table otherwise.
            Err(_) if !is_path(name) => Ok(None),
            found => found,
        }
    }
}

/// Returns the table of a path, a glob or a folder; none where nothing on disk has that name and it may be a table's.
///
/// `lenient` takes the columns of those files that can be read, if some can't.
pub(super) async fn find(
    state: &SessionState,
    name: &str,
    lenient: bool,
) -> Result<Option<Arc<dyn TableProvider>>> {
    if name.contains("://") {
        return remote(state, name).await.map(Some);
    }
    let (urls, files, kind) = match listing::find(name)? {
        Found::Nothing if is_path(name) => {
            return exec_err!("{name}: no such file in {}", current_folder());
        }
        Found::Nothing => return Ok(None),
        Found::Files(files) if files.is_empty() => {
            return exec_err!("{name}: no file matches in {}", current_folder());
        }
        Found::File(file) => one_kind(name, vec![file])?,
        Found::Files(files) => one_kind(name, files)?,
        Found::Folder(folder) => inside(name, &folder)?,
    };
    let table = table(state, name, urls, &files, &kind, lenient).await?;
    Ok(Some(table))
}

/// Tells whether a name that is nothing on disk was meant as a path rather than as a table's name.
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\']) || listing::is_glob(name) || Kind::of(Path::new(name)).is_some()
}

fn current_folder() -> String {
    std::env::current_dir().map_or_else(
        |_| "the current folder".to_owned(),
        |folder| folder.display().to_string(),
    )
}

type Source = (Vec<ListingTableUrl>, Vec<PathBuf>, Kind);

/// Takes files that are all of one kind.
fn one_kind(name: &str, files: Vec<PathBuf>) -> Result<Source> {
    let kind = kind_of_all(name, &files)?;
    let urls = files
        .iter()
        .map(|file| url_of(file, false))
        .collect::<Result<_>>()?;
    Ok((urls, files, kind))
}

fn kind_of_all(name: &str, files: &[PathBuf]) -> Result<Kind> {
    let mut kinds: BTreeMap<Kind, &PathBuf> = BTreeMap::new();
    for file in files {
        let Some(kind) = Kind::of(file) else {
            return exec_err!(
                "{}: expected a file ending in {}",
                file.display(),
                extensions()
            );
        };
        kinds.entry(kind).or_insert(file);
    }
    let mut found = kinds.into_iter();
    match (found.next(), found.next()) {
        (Some((kind, _)), None) => Ok(kind),
        (Some((_, one)), Some((_, other))) => {
            exec_err!(
                "{name}: expected files of one kind, found {} and {}",
                one.display(),
                other.display()
            )
        }
        (None, _) => exec_err!(
            "{name}: expected files ending in {}, found none",
            extensions()
        ),
    }
}

/// Takes a folder: its files of one kind, those in folders below too; hidden ones and those that begin with `_` are left out.
fn inside(name: &str, folder: &Path) -> Result<Source> {
    let mut files = Vec::new();
    collect(folder, &mut files).map_err(|(path, error)| {
        exec_datafusion_err!("{}: {}", path.display(), listing::described(&error))
    })?;
    files.retain(|file| Kind::of(file).is_some());
    files.sort_unstable();
    // A folder as such reads those folders below it whose names are values: `year=2024`.
    if files.iter().any(|file| is_in_plain_folder(folder, file)) {
        return one_kind(name, files);
    }
    let kind = kind_of_all(name, &files)?;
    // So does a folder only files of one extension, letter by letter.
    if kind.written(&files).is_none() {
        return one_kind(name, files);
    }
    Ok((vec![url_of(folder, true)?], files, kind))
}

/// Tells whether a file lies in a folder below `folder` whose name is no `key=value`.
fn is_in_plain_folder(folder: &Path, file: &Path) -> bool {
    let below = file.strip_prefix(folder).unwrap_or(file);
    let mut folders = below.parent().into_iter().flat_map(Path::components);
    folders.any(|folder| !folder.as_os_str().to_string_lossy().contains('='))
}

fn collect(
    folder: &Path,
    files: &mut Vec<PathBuf>,
) -> std::result::Result<(), (PathBuf, std::io::Error)> {
    let failed = |error| (folder.to_owned(), error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns a file's URL; characters that mean something in a URL or a glob are escaped.
fn url_of(path: &Path, folder: bool) -> Result<ListingTableUrl> {
    let absolute = listing::resolved(path)?;
    let url = if folder {
        Url::from_directory_path(&absolute)
    } else {
        Url::from_file_path(&absolute)
    };
    ListingTableUrl::try_new(
        url.map_err(|()| exec_datafusion_err!("{}: no URL can name it", absolute.display()))?,
        None,
    )
}

async fn table(
    state: &SessionState,
    name: &str,
    urls: Vec<ListingTableUrl>,
    files: &[PathBuf],
    kind: &Kind,
    lenient: bool,
) -> Result<Arc<dyn TableProvider>> {
    for file in files.iter().filter(|_| !lenient) {
        let opened = std::fs::File::open(file).and_then(|file| file.metadata());
        let metadata = opened.map_err(|error| {
            exec_datafusion_err!("{}: {}", file.display(), listing::described(&error))
        })?;
        if metadata.len() == 0 && kind.format() == "parquet" {
            return exec_err!(
                "{}: expected a Parquet file, found an empty one",
                file.display()
            );
        }
    }
    let format = state
        .get_file_format_factory(kind.format())
        .ok_or_else(|| {
            plan_datafusion_err!("{name}: this session does not read {}", kind.format())
        })?
        .create(state, &kind.options(files))?;
    // Files whose extensions differ are named one by one, and no extension leaves any of them out.
    let extension = kind.written(files).unwrap_or_default();
    let options = ListingOptions::new(format).with_file_extension(extension);
    let folder = urls.iter().any(ListingTableUrl::is_folder);
    // One file among several that cannot be read does not say its name: then each is asked.
    let config =
        ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options.clone());
    let config = if folder {
        config.infer_partitions_from_path(state).await?
    } else {
        config
    };
    let inferred = match lenient {
        false => config.infer_schema(state).await,
        true => Ok(config.with_schema(schema_of_readable(state, name, &options, files).await?)),
    };
    if inferred.is_ok() && kind.format() == "parquet" && !lenient {
        for file in files {
            parquet_rows::check(state, file, &url_of(file, false)?).await?;
        }
    }
    match inferred {
        Ok(config) => Ok(Arc::new(ListingTable::try_new(config)?.with_cache(
            state.runtime_env().cache_manager.get_file_statistic_cache(),
        ))),
        Err(error) => {
            for file in files {
                if let Err(error) = options.infer_schema(state, &url_of(file, false)?).await {
                    return Err(unreadable(file, &error));
                }
            }
            Err(error.context(name.to_owned()))
        }
    }
}

/// Merges the columns of those files that can be read; where none can, the first one says why.
async fn schema_of_readable(
    state: &SessionState,
    name: &str,
    options: &ListingOptions,
    files: &[PathBuf],
) -> Result<SchemaRef> {
    let (mut schemas, mut first_error) = (Vec::new(), None);
    for file in files {
        match options.infer_schema(state, &url_of(file, false)?).await {
            Ok(schema) => schemas.push(Schema::clone(&schema)),
            Err(error) => {
                first_error.get_or_insert_with(|| unreadable(file, &error));
            }
        }
    }
    match (schemas.is_empty(), first_error) {
        (true, Some(error)) => Err(error),
        _ => Ok(Arc::new(Schema::try_merge(schemas).map_err(|error| {
            DataFusionError::from(error).context(name.to_owned())
        })?)),
    }
}

fn unreadable(file: &Path, error: &DataFusionError) -> DataFusionError {
    exec_datafusion_err!("{}: {}", file.display(), error.strip_backtrace())
}

/// Takes a URL of an object store that the session knows.
async fn remote(state: &SessionState, name: &str) -> Result<Arc<dyn TableProvider>> {
    let config = ListingTableConfig::new(ListingTableUrl::parse(name)?)
        .infer_options(state)
        .await?;
    let config = config
        .infer_partitions_from_path(state)
        .await?
        .infer_schema(state)
        .await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use datafusion::arrow::util::pretty::pretty_format_batches;

    use super::*;
    use crate::{Engine, EngineBuilder};

    const ODD: &str = "a b'c %23#1 [x] 评论?";

    struct Folder {
        folder: tempfile::TempDir,
        engine: Engine,
    }

    impl Folder {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("folder");
            let engine = EngineBuilder::default()
                .target_partitions(2)
                .build()
                .expect("engine");
            let this = Self { folder, engine };
            fs::write(this.path("a.csv"), "Id,text\n1,one\n").expect("a.csv");
            fs::write(this.path("b.csv"), "Id,text\n2,two\n").expect("b.csv");
            fs::write(this.path("t.tsv"), "id\ttext\n1\ta b\n").expect("t.tsv");
            fs::write(this.path("lines.json"), "{\"id\":1}\n{\"id\":2}\n").expect("lines.json");
            fs::write(
                this.path("array.json"),
                " [{\"id\":1},{\"id\":2},{\"id\":3}]\n",
            )
            .expect("array.json");
            fs::write(this.path("x.ndjson"), "{\"id\":1}\n").expect("x.ndjson");
            fs::write(this.path("x.txt"), "text").expect("x.txt");
            fs::write(this.path("empty.parquet"), "").expect("empty.parquet");
            let folders = [
                "one/year=2024",
                "two/below",
                "mixed",
                "nothing/.hidden",
                ODD,
            ];
            folders
                .iter()
                .for_each(|folder| fs::create_dir_all(this.path(folder)).expect(folder));
            fs::copy(this.path("a.csv"), this.path(&format!("{ODD}/{ODD}.csv"))).expect(ODD);
            fs::copy(this.path("a.csv"), this.path("two/a.csv")).expect("two");
            fs::copy(this.path("b.csv"), this.path("two/below/b.csv")).expect("below");
            fs::copy(this.path("a.csv"), this.path("mixed/a.csv")).expect("mixed");
            fs::copy(this.path("x.ndjson"), this.path("mixed/x.ndjson")).expect("mixed");
            this.write_parquet("one/year=2024/a.parquet").await;
            this.write_parquet("whole.parquet").await;
            let whole = fs::read(this.path("whole.parquet")).expect("whole");
            fs::write(this.path("cut.parquet"), &whole[..whole.len() - 20]).expect("cut");
            this
        }

        fn path(&self, name: &str) -> String {
            self.folder
                .path()
                .join(name)
                .to_str()
                .expect("UTF-8")
                .to_owned()
        }

        async fn write_parquet(&self, name: &str) {
            let copy = format!(
                "COPY (SELECT 1 AS id, 'x' AS text) TO '{}'",
                self.path(name)
            );
            self.engine
                .sql(&copy)
                .await
                .expect(name)
                .collect()
                .await
                .expect(name);
        }

        async fn read(&self, what: &str, name: &str) -> Result<String> {
            let path = if name.contains("://") {
                name.to_owned()
            } else {
                self.path(name)
            };
            let query = format!("SELECT {what} FROM '{}'", path.replace('\'', "''"));
            let batches = self.engine.sql(&query).await?.collect().await?;
            let table = pretty_format_batches(&batches)?.to_string();
            let cells = |line: &str| {
                line.trim_matches('|')
                    .split('|')
                    .map(|cell| cell.trim().to_owned())
                    .collect::<Vec<_>>()
                    .join(",")
            };
            let rows = table
                .lines()
                .skip(3)
                .filter(|line| line.starts_with('|'))
                .map(cells);
            Ok(rows.collect::<Vec<_>>().join(";"))
        }

        async fn check(&self, what: &str, name: &str, expected: &str) {
            let rows = self.read(what, name).await;
            assert_eq!(
                rows.unwrap_or_else(|error| error.to_string()),
                expected,
                "{name}"
            );
        }

        async fn check_error(&self, name: &str, expected: &str) {
            let error = self
                .read("*", name)
                .await
                .expect_err(name)
                .strip_backtrace();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }

    #[tokio::test]
    async fn files_globs_and_folders_are_tables() {
        let folder = Folder::new().await;
        folder.check("*", "a.csv", "1,one").await;
        folder
            .check("count(*), sum(\"Id\")", "[ab].csv", "2,3")
            .await;
        folder.check("*", "t.tsv", "1,a b").await;
        folder.check("count(*)", "lines.json", "2").await;
        folder.check("count(*)", "array.json", "3").await;
        folder.check("id", "x.ndjson", "1").await;
        folder.check("*", "whole.parquet", "1,x").await;
        folder.check("*", "one", "1,x,2024").await;
        folder.check("count(*)", "two", "2").await;
        folder
            .check("text", &format!("{ODD}/{ODD}.csv"), "one")
            .await;
        folder.check("text", ODD, "one").await;
    }

    #[tokio::test]
    async fn paths_through_parent_folders_are_tables() {
        let folder = Folder::new().await;
        for path in [
            "two/../whole.parquet",
            "two/below/../../whole.parquet",
            "two/../w*.parquet",
            "two/../one/year=2024",
        ] {
            folder.check("id, text", path, "1,x").await;
        }
        folder.check("*", "two/../one", "1,x,2024").await;
        folder.write_parquet("two/../three.parquet").await;
        folder.check("*", "three.parquet", "1,x").await;
        folder
            .check_error("two/../no.parquet", "no such file")
            .await;
    }

    #[tokio::test]
    async fn extensions_in_capitals_are_tables() {
        let folder = Folder::new().await;
        let copied = |from: &str, to: &str| fs::copy(folder.path(from), folder.path(to)).expect(to);
        for below in ["loud/year=2024", "both/year=2024"] {
            fs::create_dir_all(folder.path(below)).expect(below);
        }
        copied("whole.parquet", "Y.PARQUET");
        copied("whole.parquet", "loud/year=2024/Y.PARQUET");
        copied("whole.parquet", "both/year=2024/Y.PARQUET");
        copied("whole.parquet", "both/year=2024/y.parquet");
        folder.check("*", "Y.PARQUET", "1,x").await;
        folder.check("*", "[Yw]*.[Pp]*", "1,x;1,x").await;
        folder.check("*", "loud", "1,x,2024").await;
        folder.check("count(*)", "both", "2").await;
    }

    #[tokio::test]
    async fn a_name_that_a_folder_has_too_can_be_given() {
        let folder = Folder::new().await;
        let engine = &folder.engine;
        // The folder of this crate's sources, which tests run in, has no file that is a table.
        for create in [
            "CREATE TABLE src AS SELECT 1 AS n",
            "CREATE OR REPLACE VIEW src AS SELECT 1 AS n",
        ] {
            let error = engine.sql("SELECT n FROM src").await.expect_err(create);
            let expected = "src: expected files ending in .arrow";
            assert!(error.strip_backtrace().contains(expected), "{error}");
            engine.sql(create).await.expect(create);
            let rows = engine.sql("SELECT n FROM src").await.expect(create);
            assert_eq!(rows.count().await.expect(create), 1);
            engine.context().deregister_table("src").expect(create);
        }
    }

    #[tokio::test]
    async fn compressed_files_are_tables() {
        let folder = Folder::new().await;
        for compression in ["gz", "bz2", "xz", "zst"] {
            let file = folder.path(&format!("z.csv.{compression}"));
            let copy = format!(
                "COPY (SELECT 7 AS n) TO '{file}' STORED AS CSV OPTIONS ('format.compression' '{compression}')"
            );
            folder
                .engine
                .sql(&copy)
                .await
                .expect("copy")
                .collect()
                .await
                .expect("copy");
            folder
                .check("n", &format!("z.csv.{compression}"), "7")
                .await;
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_named() {
        let folder = Folder::new().await;
        folder
            .check_error("no/such.parquet", "no/such.parquet: no such file in ")
            .await;
        folder
            .check_error("*.xlsx", "*.xlsx: no file matches in ")
            .await;
        folder
            .check_error("x.txt", "x.txt: expected a file ending in .arrow, .csv")
            .await;
        folder
            .check_error("nothing", "nothing: expected files ending in .arrow")
            .await;
        folder
            .check_error("mixed", "mixed: expected files of one kind, found ")
            .await;
        folder
            .check_error("a.csv/b.csv", "a part of the path is a file, not a folder")
            .await;
        folder
            .check_error(
                "empty.parquet",
                "empty.parquet: expected a Parquet file, found an empty one",
            )
            .await;
        folder.check_error("cut.parquet", "cut.parquet: ").await;
        folder.check_error("[cw]*.parquet", "cut.parquet: ").await;
        folder
            .check_error("s3://bucket/a.parquet", "s3://bucket")
            .await;
    }

    #[tokio::test]
    async fn a_missing_table_is_no_missing_file() {
        let folder = Folder::new().await;
        let error = folder
            .engine
            .sql("SELECT * FROM reviews")
            .await
            .expect_err("no table")
            .strip_backtrace();
        assert!(
            error.contains("table 'datafusion.public.reviews' not found"),
            "{error}"
        );
        let tables = "CREATE TABLE reviews AS SELECT 1; CREATE TABLE review AS SELECT 2; SELECT * FROM revews";
        let statements = folder.engine.parse(tables).expect("statements");
        let mut frames = Vec::new();
        for statement in statements {
            frames.push(
                folder
                    .engine
                    .run(statement)
                    .await
                    .map_err(|error| error.strip_backtrace()),
            );
        }
        let error = frames.pop().expect("the second").expect_err("no table");
        assert!(
            error.contains("no table `revews`; did you mean `reviews`?"),
            "{error}"
        );
    }
}
