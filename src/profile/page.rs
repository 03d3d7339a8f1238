//! A profile as one page of HTML, which needs nothing else: no script, no request.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Example, Lengths, Profile, QUANTILES};

/// What a browser may do with the page: show it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Width of a histogram, and the height of its bars, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 140.0;

/// Room below the bars for their names, and above for their counts.
const BELOW: f64 = 18.0;
const ABOVE: f64 = 16.0;

/// Returns the page; every text of the corpus is escaped.
pub fn page(profile: &Profile, title: &str, column: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                h1 { (title) }
                p.soft { "column " (column) ", by Lexstream " (env!("CARGO_PKG_VERSION")) }
                (figures(profile))
                (lengths("Characters", "characters", &profile.characters))
                (lengths("Tokens", "tokens", &profile.tokens))
                (languages(profile))
                (words(profile))
                (examples("Shortest texts", &profile.shortest))
                (examples("Longest texts", &profile.longest))
            }
        }
    };
    page.into_string()
}

fn figures(profile: &Profile) -> Markup {
    let rows = profile.rows;
    let figure = |name: &str, count: u64, of: u64, is_bad: bool, is_estimate: bool| {
        html! {
            div.warn[is_bad && count > 0] {
                dt { (name) }
                dd {
                    @if is_estimate { "≈ " }
                    (grouped(count))
                    @if of > 0 && of != count { " " small { (percent(count, of)) } }
                }
            }
        }
    };
    let texts = profile.texts();
    let near = &profile.near_duplicates;
    html! {
        dl.figures {
            (figure("Rows", rows, 0, false, false))
            (figure("Bytes of text", profile.bytes, 0, false, false))
            (figure("NULL", profile.nulls, rows, true, false))
            (figure("Empty", profile.empty, rows, true, false))
            (figure("White space only", profile.blank, rows, true, false))
            (figure("Exact duplicates", profile.repeated.texts, texts, true, profile.repeated.is_estimate))
            (figure("Near duplicates", near.alike, near.looked_at, true, true))
            (figure("With control characters", profile.marks.control.texts, texts, true, false))
            (figure("With U+FFFD", profile.marks.replacement.texts, texts, true, false))
            (figure("Distinct words", profile.words.distinct, 0, false, true))
        }
        p.estimate {
            "Exact duplicates are texts that came before"
            @if profile.repeated.is_estimate { ", estimated from a sample of distinct texts" }
            ". Near duplicates are those of " (grouped(near.looked_at))
            @if near.is_sample { " sampled" }
            " distinct texts of three words or more that share about four fifths of their runs of three words with another one (MinHash). "
            "Distinct words are estimated (HyperLogLog)."
        }
    }
}

fn lengths(title: &str, unit: &str, lengths: &Lengths) -> Markup {
    let mean = format!("{:.1}", lengths.mean());
    html! {
        section {
            h2 { (title) }
            @if let Some(least) = lengths.least() {
                (histogram(unit, lengths))
                div.scroll {
                    table {
                        thead { tr {
                            th { (unit) } th { "least" }
                            @for share in QUANTILES { th { (share * 100.0) " %" } }
                            th { "most" } th { "mean" } th { "sum" }
                        } }
                        tbody { tr {
                            th { "a text" } td { (grouped(least)) }
                            @for share in QUANTILES { td { (grouped(lengths.quantile(share))) } }
                            td { (grouped(lengths.most())) } td { (mean) } td { (grouped(lengths.sum())) }
                        } }
                    }
                }
                p.estimate { "Quantiles are within 1 %." }
            } @else {
                p { "There is no text." }
            }
        }
    }
}

fn histogram(unit: &str, lengths: &Lengths) -> Markup {
    let buckets = lengths.buckets();
    let most = buckets.iter().map(|bucket| bucket.texts).max().unwrap_or(0);
    let step = WIDTH / buckets.len().max(1) as f64;
    let label = format!("Texts by their length in {unit}");
    html! {
        figure {
            svg.chart role="img" aria-label=(label) viewBox=(format!("0 0 {WIDTH} {}", ABOVE + HEIGHT + BELOW)) {
                @for (at, bucket) in buckets.iter().enumerate() {
                    @let height = HEIGHT * bucket.texts as f64 / most.max(1) as f64;
                    // What is there is seen.
                    @let height = if bucket.texts > 0 { height.max(1.0) } else { 0.0 };
                    @let (left, top) = (at as f64 * step, ABOVE + HEIGHT - height);
                    @let middle = format!("{:.1}", left + step / 2.0);
                    rect x=(format!("{:.1}", left + step * 0.08)) y=(format!("{top:.1}")) width=(format!("{:.1}", step * 0.84)) height=(format!("{height:.1}")) {
                        title { (grouped(bucket.from)) " to " (grouped(bucket.to)) " " (unit) ": " (grouped(bucket.texts)) " texts" }
                    }
                    text x=(middle) y=(format!("{:.1}", top - 4.0)) text-anchor="middle" { (short(bucket.texts)) }
                    text x=(middle) y=(ABOVE + HEIGHT + 13.0) text-anchor="middle" { (short(bucket.from)) }
                }
            }
            figcaption.estimate { "A bar is the texts from its length to the next one's, in " (unit) "." }
        }
    }
}

fn languages(profile: &Profile) -> Markup {
    let languages = &profile.languages;
    html! {
        section {
            h2 { "Languages" }
            (bars("Texts by language", languages.found.iter().map(|(language, rows)| {
                let name = language.unwrap_or("unknown");
                (name, *rows, format!("{} %", share(*rows, languages.looked_at)))
            })))
            p.estimate {
                "Of " (grouped(languages.looked_at)) " texts"
                @if languages.is_sample { ", a sample" }
                "; found out by their beginnings."
            }
        }
    }
}

fn words(profile: &Profile) -> Markup {
    let words = &profile.words;
    html! {
        section {
            h2 { "Frequent words" }
            (bars("Words by how often they come", words.frequent.iter().map(|word| {
                let count = match words.are_exact {
                    true => grouped(word.at_most),
                    false => format!("≈ {}", grouped(word.at_most)),
                };
                (word.word.as_str(), word.at_most, count)
            })))
            p.estimate {
                "Without stop words of the languages found."
                @if !words.are_exact { " Counts are estimates that may be too high by at most " (grouped(words.frequent.iter().map(|word| word.at_most - word.at_least).max().unwrap_or(0))) "." }
            }
        }
    }
}

fn bars<'a>(label: &str, rows: impl Iterator<Item = (&'a str, u64, String)>) -> Markup {
    let rows: Vec<_> = rows.collect();
    let most = rows.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
    html! {
        @if rows.is_empty() { p { "There is none." } }
        div.bars.chart role="img" aria-label=(label) {
            @for (name, count, shown) in &rows {
                div.name dir="auto" { (visible(name)) }
                div.track { div.bar style=(format!("width: {:.2}%", *count as f64 * 100.0 / most.max(1) as f64)) {} }
                div.count { (shown) }
            }
        }
    }
}

fn examples(title: &str, examples: &[Example]) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if examples.is_empty() { p { "There is none." } }
            @for example in examples {
                blockquote dir="auto" {
                    (visible(&example.beginning))
                    @if example.is_cut() { span.soft { "…" } }
                }
                p.soft { (grouped(example.characters)) " characters" }
            }
        }
    }
}

/// Returns a text whose control characters are seen, as their pictures (U+2400 and on) and as U+FFFD; lines stay lines.
fn visible(text: &str) -> String {
    let shown = text.chars().map(|character| match character {
        '\t' | '\n' | '\r' => character,
        '\0'..' ' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(character),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => char::REPLACEMENT_CHARACTER,
        other => other,
    });
    shown.collect()
}

/// Returns a number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a number in few characters.
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{} k", number / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} M", number as f64 / 1e6),
        _ => format!("{:.1} G", number as f64 / 1e9),
    }
}

/// Returns a share in percent.
pub(crate) fn share(part: u64, whole: u64) -> String {
    format!("{:.1}", part as f64 * 100.0 / whole.max(1) as f64)
}

fn percent(part: u64, whole: u64) -> String {
    format!("{} %", share(part, whole))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lexstream_udfs::text::tokenizers::Word;

    use super::super::Measure;
    use super::*;

    fn profile(texts: &[Option<&str>]) -> Profile {
        let mut measure = Measure::new(Arc::new(Word));
        for text in texts {
            measure.add(*text);
        }
        Measure::finish(vec![measure])
    }

    #[test]
    fn a_text_of_the_corpus_is_no_markup() {
        let hostile =
            "</style></blockquote><script>alert(1)</script><img src=x onerror=alert(2)> &amp;";
        let page = page(&profile(&[Some(hostile), None]), "<b>corpus</b>", "\"><i>");
        for markup in ["<script", "<img", "<b>", "<i>"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert_eq!(page.matches("</style>").count(), 1);
    }

    #[test]
    fn control_characters_are_seen() {
        assert_eq!(visible("\u{1b}[1m\0\n\u{7f}\u{9b}é"), "␛[1m␀\n␡\u{fffd}é");
    }

    #[test]
    fn a_corpus_without_a_text_has_a_page_too() {
        for texts in [&[][..], &[None], &[Some("")]] {
            let page = page(&profile(texts), "empty", "text");
            assert!(page.ends_with("</html>"));
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
