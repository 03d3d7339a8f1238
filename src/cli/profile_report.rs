//! A profile for the terminal, and as JSON.

use std::io::{self, Write};

use indicatif::HumanBytes;
use serde_json::{Value, json as object};

use super::format::{cut, visible, width};
use lexstream_profile::{Bucket, Example, Lengths, Marked, Profile, QUANTILES, grouped, share};

/// Width of the longest bar.
const BAR: usize = 40;

/// Width of an example.
const EXAMPLE: usize = 76;

/// Prints tables and bars.
pub(super) fn print(
    out: &mut impl Write,
    profile: &Profile,
    input: &str,
    column: &str,
) -> io::Result<()> {
    writeln!(out, "{}, column {}", visible(input), visible(column))?;
    let texts = profile.texts();
    let of = |part: u64, whole: u64| format!("{} ({} %)", grouped(part), share(part, whole));
    let about = |is_estimate| if is_estimate { "≈ " } else { "" };
    let near = &profile.near_duplicates;
    let sampled = |is_sample| if is_sample { " sampled" } else { "" };
    let figures = [
        ("rows", grouped(profile.rows)),
        ("bytes of text", HumanBytes(profile.bytes).to_string()),
        ("NULL", of(profile.nulls, profile.rows)),
        ("empty", of(profile.empty, profile.rows)),
        ("white space only", of(profile.blank, profile.rows)),
        (
            "exact duplicates",
            format!(
                "{}{}",
                about(profile.repeated.is_estimate),
                of(profile.repeated.texts, texts)
            ),
        ),
        (
            "near duplicates",
            format!(
                "≈ {} of {}{} distinct texts",
                of(near.alike, near.looked_at),
                grouped(near.looked_at),
                sampled(near.is_sample)
            ),
        ),
        ("control characters", marked(profile.marks.control)),
        ("U+FFFD", marked(profile.marks.replacement)),
        (
            "distinct words",
            format!("≈ {}", grouped(profile.words.distinct)),
        ),
    ];
    for (name, figure) in figures {
        writeln!(out, "  {name:<20}{figure}")?;
    }
    lengths(out, "characters", &profile.characters)?;
    lengths(out, "tokens", &profile.tokens)?;

    let languages = &profile.languages;
    let found = languages.found.iter().map(|(language, rows)| {
        let shown = format!("{} %", share(*rows, languages.looked_at));
        (language.unwrap_or("unknown").to_owned(), *rows, shown)
    });
    let looked_at = grouped(languages.looked_at);
    let heading = format!(
        "languages, of {looked_at}{} texts",
        sampled(languages.is_sample)
    );
    bars(out, &heading, found.collect())?;

    let words = &profile.words;
    let frequent = words.frequent.iter().map(|word| {
        let shown = format!("{}{}", about(!words.are_exact), grouped(word.at_most));
        (visible(&word.word), word.at_most, shown)
    });
    bars(
        out,
        "frequent words, stop words left out",
        frequent.collect(),
    )?;

    examples(out, "shortest", &profile.shortest)?;
    examples(out, "longest", &profile.longest)
}

fn marked(marked: Marked) -> String {
    match marked.texts {
        0 => "0".to_owned(),
        texts => format!("{} in {} texts", grouped(marked.characters), grouped(texts)),
    }
}

fn lengths(out: &mut impl Write, unit: &str, lengths: &Lengths) -> io::Result<()> {
    let Some(least) = lengths.least() else {
        return Ok(());
    };
    let quantiles = QUANTILES.iter().map(|share| {
        let name = format!("{} %", share * 100.0);
        (name, lengths.quantile(*share))
    });
    let ends = |name: &str, length| std::iter::once((name.to_owned(), length));
    let shown = ends("least", least)
        .chain(quantiles)
        .chain(ends("most", lengths.most()));
    let shown = shown.map(|(name, length)| format!("{name} {}", grouped(length)));
    let shown: Vec<_> = shown.collect();
    let mean = lengths.mean();
    let heading = format!("{unit} of a text: mean {mean:.1}; {}", shown.join(", "));
    let buckets = lengths.buckets().into_iter();
    let buckets = buckets.map(|bucket| (bucket.range(), bucket.texts, grouped(bucket.texts)));
    bars(out, &heading, buckets.collect())
}

/// Prints a bar for each row, as long as its number; nothing for no row.
fn bars(out: &mut impl Write, heading: &str, rows: Vec<(String, u64, String)>) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading}")?;
    let most = rows.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
    let names = rows.iter().map(|(name, ..)| width(name)).max().unwrap_or(0);
    for (name, count, shown) in rows {
        let pad = " ".repeat(names - width(&name));
        writeln!(out, "  {name}{pad}  {} {shown}", bar(count, most))?;
    }
    Ok(())
}

/// Returns a bar of eighths of a character; what is there is seen.
fn bar(count: u64, most: u64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (count as f64 / most.max(1) as f64 * (BAR * 8) as f64).round() as usize;
    let eighths = eighths.max(usize::from(count > 0));
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(PARTS[eighths % 8]);
    bar
}

fn examples(out: &mut impl Write, which: &str, examples: &[Example]) -> io::Result<()> {
    if examples.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{which} texts")?;
    for example in examples {
        let mut shown = visible(&example.beginning);
        cut(&mut shown, EXAMPLE);
        writeln!(
            out,
            "  {:>11} characters  {shown}",
            grouped(example.characters)
        )?;
    }
    Ok(())
}

/// Returns the profile as JSON.
pub(super) fn json(profile: &Profile, input: &str, column: &str) -> Value {
    let lengths = |lengths: &Lengths| {
        let quantiles = QUANTILES.iter().map(|share| {
            let quantile = Value::from(lengths.quantile(*share));
            (share.to_string(), quantile)
        });
        let buckets = lengths.buckets().into_iter();
        let buckets = buckets
            .map(|Bucket { from, to, texts }| object!({"from": from, "to": to, "texts": texts}));
        object!({
            "least": lengths.least(),
            "most": lengths.most(),
            "mean": lengths.mean(),
            "sum": lengths.sum(),
            "quantiles": quantiles.collect::<serde_json::Map<_, _>>(),
            "histogram": buckets.collect::<Vec<_>>(),
        })
    };
    let marked = |marked: Marked| object!({"texts": marked.texts, "characters": marked.characters});
    let examples = |examples: &[Example]| {
        let examples = examples.iter();
        let examples = examples.map(
            |example| object!({"characters": example.characters, "beginning": example.beginning}),
        );
        examples.collect::<Vec<_>>()
    };
    let languages = profile.languages.found.iter();
    let languages =
        languages.map(|(language, rows)| object!({"language": language, "texts": rows}));
    let words = profile.words.frequent.iter();
    let words = words.map(
        |word| object!({"word": word.word, "at_least": word.at_least, "at_most": word.at_most}),
    );
    object!({
        "input": input,
        "column": column,
        "rows": profile.rows,
        "nulls": profile.nulls,
        "empty": profile.empty,
        "blank": profile.blank,
        "bytes": profile.bytes,
        "characters": lengths(&profile.characters),
        "tokens": lengths(&profile.tokens),
        "exact_duplicates": {
            "texts": profile.repeated.texts,
            "distinct": profile.repeated.distinct,
            "is_estimate": profile.repeated.is_estimate,
        },
        "near_duplicates": {
            "texts": profile.near_duplicates.alike,
            "looked_at": profile.near_duplicates.looked_at,
            "is_sample": profile.near_duplicates.is_sample,
        },
        "languages": {
            "looked_at": profile.languages.looked_at,
            "is_sample": profile.languages.is_sample,
            "found": languages.collect::<Vec<_>>(),
        },
        "words": {
            "distinct": profile.words.distinct,
            "are_exact": profile.words.are_exact,
            "frequent": words.collect::<Vec<_>>(),
        },
        "control_characters": marked(profile.marks.control),
        "replacement_characters": marked(profile.marks.replacement),
        "shortest": examples(&profile.shortest),
        "longest": examples(&profile.longest),
    })
}
