//! Files of many writers' kinds, read in pieces, and broken ones.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use datafusion::parquet::errors::Result;
use datafusion::parquet::file::properties::{WriterProperties, WriterVersion};

use super::LongColumn;
use super::column::LONG;

const PIECE: usize = 1000;

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }
}

fn texts(numbers: &mut Numbers, rows: usize, nulls: u64) -> Vec<Option<String>> {
    let text = |numbers: &mut Numbers| {
        let length = match numbers.below(40) {
            0 => numbers.below(80_000),
            1 => PIECE as u64 - 4 + numbers.below(9),
            2..9 => 0,
            _ => numbers.below(60),
        };
        // Words, so that there is something to compress, and here and there none that repeats.
        let is_random = numbers.below(3) == 0;
        let mut text = String::new();
        while (text.len() as u64) < length {
            match is_random {
                true => text.push(char::from(b' ' + numbers.below(95) as u8)),
                false => text += ["tea ", "Grüße ", "🦀", "再见"][numbers.below(4) as usize],
            }
        }
        text
    };
    let mut texts: Vec<Option<String>> = Vec::with_capacity(rows);
    for row in 0..rows {
        let text = match numbers.below(100) {
            number if number < nulls => None,
            97.. if row > 0 => texts[numbers.below(row as u64) as usize].clone(),
            _ => Some(text(numbers)),
        };
        texts.push(text);
    }
    texts
}

fn stretches(numbers: &mut Numbers, rows: u64) -> Vec<Range<u64>> {
    let mut stretches = Vec::new();
    let mut row = numbers.below(rows / 2);
    while row < rows {
        let end = rows.min(row + 1 + numbers.below(rows / 2));
        stretches.push(row..end);
        row = end + numbers.below(30);
    }
    stretches
}

/// Reads stretches of a file's only column.
fn check(file: &Path, texts: &[Option<String>], wanted: &[Range<u64>], what: &str) {
    let has_dictionary = what.contains("dictionary");
    let options = ArrowReaderOptions::new();
    let opened = File::open(file).expect("a file");
    let metadata = ArrowReaderMetadata::load(&opened, options).expect("a footer");
    let column = metadata.metadata().row_group(0).column(0);
    assert!(LongColumn::is_wanted(column, PIECE), "{what}: {column:?}");
    let most = (64, PIECE);
    let column = LongColumn::open(file, &metadata, (0, 0), wanted.to_vec(), most);
    let mut column = column.expect("a column");
    let (mut found, mut announced) = (Vec::new(), Vec::new());
    loop {
        let long = column.prepare().expect(what);
        let rows = column.rows().expect(what);
        if rows == 0 {
            break;
        }
        let array = column.take(rows.min(50)).expect("rows");
        if long > 0 {
            announced.push(long);
            assert_eq!(array.len(), 1, "{what}");
        }
        found.push(array);
    }
    let found: Vec<&dyn Array> = found.iter().map(AsRef::as_ref).collect();
    let found = match found.is_empty() {
        true => None,
        false => Some(concat(&found).expect("one array")),
    };
    let found = found.iter().flat_map(AsArray::as_string::<i32>);
    let expected: Vec<_> = wanted
        .iter()
        .flat_map(|rows| &texts[rows.start as usize..rows.end as usize])
        .map(Option::as_deref)
        .collect();
    let found = found.collect::<Vec<_>>();
    let differs = found.iter().zip(&expected).position(|(a, b)| a != b);
    assert_eq!((found.len(), differs), (expected.len(), None), "{what}");
    // A shorter one may stand in a page that is not cut; one of a dictionary is there already.
    let is_long = |bytes: &usize| *bytes > LONG * PIECE;
    let long = expected.iter().flatten().map(|text| text.len());
    let long: Vec<_> = long.filter(is_long).collect();
    announced.retain(is_long);
    assert!(
        has_dictionary || announced == long,
        "{what} {announced:?} {long:?}"
    );
}

fn write(file: &Path, texts: &[Option<String>], properties: WriterProperties) {
    let is_nullable = texts.iter().any(Option::is_none);
    let field = Field::new("text", DataType::Utf8, is_nullable);
    let schema = Arc::new(Schema::new(vec![field]));
    let texts: StringArray = texts.iter().map(Option::as_deref).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(texts)]);
    let target = File::create(file).expect("a file");
    let mut writer = ArrowWriter::try_new(target, schema, Some(properties)).expect("a writer");
    writer.write(&batch.expect("a batch")).expect("written");
    writer.close().expect("written");
}

#[test]
fn what_is_read_in_pieces_is_what_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("t.parquet");
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    let mut numbers = Numbers(7);
    for round in 0..60 {
        let codec = codecs[round % codecs.len()];
        let version = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][round / 5 % 2];
        let nulls = [0, 10, 70][round / 10 % 3];
        let has_dictionary = round / 30 == 1;
        let texts = texts(&mut numbers, 500, nulls);
        // Rows of a page: from some short pages to all in one.
        let page = [16, 400, 1000][numbers.below(3) as usize];
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_writer_version(version)
            .set_dictionary_enabled(has_dictionary)
            .set_dictionary_page_size_limit([2000, usize::MAX][round / 5 % 2])
            .set_data_page_row_count_limit(page)
            .set_data_page_size_limit(usize::MAX)
            .set_write_batch_size(page);
        let properties = match has_dictionary {
            true => properties,
            false => properties.set_encoding(Encoding::PLAIN),
        };
        write(&file, &texts, properties.build());
        let what = format!("{codec:?} {version:?} nulls {nulls} page {page}");
        let what = if has_dictionary {
            what + " dictionary"
        } else {
            what
        };
        check(&file, &texts, &[0..200, 200..500], &what);
        for _ in 0..4 {
            let wanted = stretches(&mut numbers, 500);
            check(&file, &texts, &wanted, &format!("{what} {wanted:?}"));
        }
    }
}

#[test]
fn a_file_that_is_broken_anywhere_gives_an_error_or_other_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("t.parquet");
    let mut numbers = Numbers(3);
    let texts = texts(&mut numbers, 300, 10);
    for codec in [
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::UNCOMPRESSED,
    ] {
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_dictionary_enabled(false)
            .set_data_page_size_limit(usize::MAX);
        write(&file, &texts, properties.build());
        let whole = std::fs::read(&file).expect("bytes");
        let opened = File::open(&file).expect("a file");
        let options = ArrowReaderOptions::new();
        let metadata = ArrowReaderMetadata::load(&opened, options).expect("a footer");
        let (start, bytes) = metadata.metadata().row_group(0).column(0).byte_range();
        let mut failed = 0;
        for round in 0..200 {
            // In the header and the levels as often as behind them.
            let reach = if round % 2 == 0 { 40 } else { bytes };
            let mut broken = whole.clone();
            broken[(start + numbers.below(reach)) as usize] = numbers.below(256) as u8;
            std::fs::write(&file, broken).expect("written");
            let most = (64, PIECE);
            let wanted = vec![0..100, 100..300];
            let column = LongColumn::open(&file, &metadata, (0, 0), wanted, most);
            let mut column = column.expect("a column");
            let rows = std::iter::repeat_with(|| {
                let rows = column.rows()?;
                column.take(rows);
                Ok(rows)
            });
            let rows: Result<Vec<_>> = rows
                .take_while(|rows| !matches!(rows, Ok(0)))
                .take(301)
                .collect();
            match rows {
                Ok(rows) => assert_eq!(rows.iter().sum::<usize>(), 300),
                Err(_) => failed += 1,
            }
        }
        assert!(failed > 20, "{codec:?}: {failed}");
    }
}
