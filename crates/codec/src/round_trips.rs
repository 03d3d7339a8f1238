//! What is written is read again: for every format, over any rows.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::checks::{decode, encode, messages, with};

type Column = BoxedStrategy<ArrayRef>;

fn column<T: std::fmt::Debug, A: Array + FromIterator<Option<T>> + 'static>(
    rows: usize,
    values: impl Strategy<Value = T> + 'static,
) -> Column {
    let values = vec(option::of(values), rows);
    values
        .prop_map(|values| Arc::new(values.into_iter().collect::<A>()) as ArrayRef)
        .boxed()
}

fn numbers<T: ArrowPrimitiveType>(
    rows: usize,
    data_type: DataType,
    values: impl Strategy<Value = T::Native> + 'static,
) -> Column {
    let array = move |values: Vec<_>| {
        let array: PrimitiveArray<T> = PrimitiveArray::from_iter(values);
        Arc::new(array.with_data_type(data_type.clone())) as ArrayRef
    };
    vec(option::of(values), rows).prop_map(array).boxed()
}

/// Any text, with what formats have to escape more often than by chance.
fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        2 => any::<char>(),
        1 => prop::sample::select(vec!['"', '\\', ',', '\n', '\r', '\t', '\0', '\u{7f}', '𠮷', 'é', 'N']),
    ];
    vec(char, 0..20).prop_map(|chars| chars.into_iter().collect())
}

/// From the year 1 to the year 9999, in seconds since 1970.
const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// A column of each type of scalars that formats hold.
fn scalars(rows: usize) -> Vec<Column> {
    let berlin = Some(Arc::from("Europe/Berlin"));
    vec![
        column::<_, BooleanArray>(rows, any::<bool>()),
        column::<_, Int8Array>(rows, any::<i8>()),
        column::<_, Int64Array>(
            rows,
            prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)],
        ),
        column::<_, UInt64Array>(rows, prop_oneof![any::<u64>(), Just(u64::MAX)]),
        column::<_, Float32Array>(rows, any::<f32>().prop_filter("finite", |x| x.is_finite())),
        column::<_, Float64Array>(rows, any::<f64>().prop_filter("finite", |x| x.is_finite())),
        numbers::<Decimal128Type>(
            rows,
            DataType::Decimal128(38, 10),
            -(10_i128.pow(38) - 1)..10_i128.pow(38),
        ),
        numbers::<Decimal256Type>(
            rows,
            DataType::Decimal256(76, 50),
            any::<i128>().prop_map(i256::from_i128),
        ),
        // Some 246,000 years each way, which is what can be shown.
        numbers::<Date32Type>(rows, DataType::Date32, -90_000_000..90_000_000),
        numbers::<Time64NanosecondType>(
            rows,
            DataType::Time64(TimeUnit::Nanosecond),
            0..86_400_000_000_000_i64,
        ),
        numbers::<TimestampSecondType>(rows, DataType::Timestamp(TimeUnit::Second, None), SECONDS),
        numbers::<TimestampMillisecondType>(
            rows,
            DataType::Timestamp(TimeUnit::Millisecond, berlin.clone()),
            // Before 1900 the offset of Berlin has seconds, which RFC 3339 has not.
            -2_208_988_800_000..SECONDS.end * 1000 - 7_200_000,
        ),
        numbers::<TimestampMicrosecondType>(
            rows,
            DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            SECONDS.start * 1_000_000..SECONDS.end * 1_000_000,
        ),
        numbers::<TimestampNanosecondType>(
            rows,
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            any::<i64>(),
        ),
        column::<_, StringArray>(rows, text()),
        column::<_, LargeStringArray>(rows, text()),
        column::<_, StringViewArray>(rows, text()),
        column::<_, BinaryArray>(rows, any::<Vec<u8>>()),
        column::<_, LargeBinaryArray>(rows, any::<Vec<u8>>()),
        column::<_, BinaryViewArray>(rows, any::<Vec<u8>>()),
    ]
}

/// Lists and structs of some of them, one in the other.
fn nested(rows: usize) -> Vec<Column> {
    let nulls = || vec(any::<bool>(), rows).prop_map(NullBuffer::from);
    let list = move |(values, nulls): (ArrayRef, NullBuffer)| {
        // A list of one, after which every third takes the next one too.
        let lengths = (0..rows).map(|row| match row % 3 {
            0 => 1,
            1 => 0,
            _ => usize::from(row % 2 == 0),
        });
        let offsets = OffsetBuffer::from_lengths(lengths);
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        Arc::new(ListArray::new(field, offsets, values, Some(nulls))) as ArrayRef
    };
    let lists = (column::<_, StringViewArray>(rows, text()), nulls()).prop_map(list);
    // Mostly without a byte that is escaped, and longer than what is copied at once.
    let tokens = vec("[a-z漢]{0,20}|[a-z\"\\\\\n]{0,2}", rows).prop_map(|tokens| {
        let tokens: StringArray = tokens.into_iter().map(Some).collect();
        Arc::new(tokens) as ArrayRef
    });
    let tokens = (tokens, nulls()).prop_map(list);
    let vectors = (column::<_, Int32Array>(rows * 3, any::<i32>()), nulls());
    let vectors = vectors.prop_map(|(values, nulls)| {
        let field = Arc::new(Field::new_list_field(DataType::Int32, true));
        Arc::new(FixedSizeListArray::new(field, 3, values, Some(nulls))) as ArrayRef
    });
    let structs = (
        lists.clone(),
        column::<_, Float64Array>(rows, -1e9..1e9),
        nulls(),
    );
    let structs = structs.prop_map(|(lists, numbers, nulls)| {
        let fields = vec![
            Field::new("lists", lists.data_type().clone(), true),
            Field::new("a \"number\"", DataType::Float64, true),
        ];
        Arc::new(StructArray::new(
            fields.into(),
            vec![lists, numbers],
            Some(nulls),
        )) as ArrayRef
    });
    vec![
        lists.boxed(),
        tokens.boxed(),
        vectors.boxed(),
        structs.boxed(),
    ]
}

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let names = (0..columns.len()).map(|place| format!("column {place}"));
    RecordBatch::try_from_iter_with_nullable(
        names
            .zip(columns)
            .map(|(name, column)| (name, column, true)),
    )
    .expect("valid")
}

/// Returns batches, some of them slices of larger ones.
fn batches(columns: fn(usize) -> Vec<Column>) -> impl Strategy<Value = RecordBatch> {
    let columns = (1..8_usize).prop_flat_map(move |rows| columns(rows).prop_map(batch));
    (columns, any::<bool>()).prop_map(|(batch, whole)| match whole {
        true => batch,
        false => batch.slice(1, batch.num_rows() - 1),
    })
}

/// Rows of NULLs have no value: structs whose fields are all NULL stay what they are.
fn check(name: &str, options: &[(&str, &str)], rows: &RecordBatch) {
    let format = with(name, options);
    let encoded = encode(&format, rows);
    assert_eq!(encoded.failed, []);
    let decoded = decode(&format, &rows.schema(), &messages(&encoded));
    assert_eq!(decoded.failed, []);
    assert_eq!(&decoded.batch, rows);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn arrow_gives_back_what_it_was_given(rows in batches(scalars), nested in batches(nested)) {
        check("arrow", &[], &rows);
        check("arrow", &[("tombstones", "true")], &nested);
    }

    #[test]
    fn csv_gives_back_what_it_was_given(rows in batches(scalars)) {
        check("csv", &[], &rows);
        check("csv", &[("csv.delimiter", "\\t"), ("csv.quote", "'"), ("csv.escape", "\\"), ("csv.null", "N")], &rows);
        check("csv", &[("tombstones", "true")], &rows);
    }

    #[test]
    fn csv_of_one_column_gives_back_what_it_was_given(rows in batches(|rows| vec![column::<_, StringArray>(rows, text())])) {
        check("csv", &[], &rows);
        check("csv", &[("csv.null", "NULL")], &rows);
    }

    #[test]
    fn json_gives_back_what_it_was_given(rows in batches(scalars), nested in batches(nested)) {
        check("json", &[], &rows);
        check("json", &[("json.nulls", "true")], &nested);
        check("json", &[("tombstones", "true")], &nested);
    }

    #[test]
    fn a_message_that_is_cut_or_changed_touches_no_other(
        rows in batches(scalars),
        cuts in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 8),
    ) {
        for name in ["arrow", "csv", "json"] {
            let format = with(name, &[]);
            let encoded = encode(&format, &rows);
            let whole = messages(&encoded);
            let broken: Vec<Vec<u8>> = whole.iter().flatten().zip(&cuts).map(|(message, (at, cut, byte))| {
                let mut message = message.to_vec();
                let at = at.index(message.len());
                message[at] = *byte;
                message.truncate(cut.index(message.len()).max(at + 1));
                message
            }).collect();
            // Each whole message stands between two broken ones.
            let mixed: Vec<_> = broken.iter().zip(&whole).flat_map(|(broken, whole)| [Some(broken.as_slice()), *whole]).collect();
            let decoded = decode(&format, &rows.schema(), &mixed);
            let kept = decoded.messages.iter().map(|message| message % 2 == 1).collect::<Vec<_>>();
            let kept = arrow::compute::filter_record_batch(&decoded.batch, &kept.into()).expect("valid");
            prop_assert_eq!(&kept, &rows);
        }
    }

    #[test]
    fn raw_gives_back_what_it_was_given(rows in (1..8_usize, 0..6_usize).prop_flat_map(|(rows, place)| {
        scalars(rows).swap_remove(14 + place).prop_map(|column| batch(vec![column]))
    })) {
        check("raw", &[("tombstones", "true")], &rows);
    }
}
