//! Streams at their limits: a batch slower than a poll may be, outputs and dead letters that are too large.

use std::time::{Duration, Instant};

use lexstream_integration_tests::check::{Fate, Wanted, check};
use lexstream_integration_tests::kafka::{Isolation, NewRecord, Record, shared};
use lexstream_integration_tests::stream::{Rule, Workshop};

/// No step may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a text whose distance from its reverse takes about so long here and now.
fn slow_text(seconds: f64) -> String {
    const TRIED: usize = 10_000;
    let engine = lexstream::builder().build().expect("an engine");
    let query = format!(
        "SELECT levenshtein(t, reverse(t)) FROM (VALUES ('{}')) v(t)",
        "ab".repeat(TRIED)
    );
    let began = Instant::now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let frame = runtime.block_on(engine.sql(&query)).expect("a query");
    runtime.block_on(frame.collect()).expect("a distance");
    let took = began.elapsed().as_secs_f64();
    // The time grows with the square of the length.
    "ab".repeat((TRIED as f64 * (seconds / took).sqrt()) as usize)
}

/// A pipeline that takes the distance of each text from its reverse.
fn slow_workshop(hint: &str) -> Workshop<'static> {
    Workshop::with_script(shared(), hint, 1, |workshop| {
        let source = [
            ("format", "raw"),
            ("group.id", &workshop.group),
            ("session.timeout.ms", "6000"),
            ("max.poll.interval.ms", "6000"),
        ];
        [
            workshop.table("texts", "t VARCHAR", &workshop.input, &source),
            workshop.table(
                "distances",
                "d BIGINT",
                &workshop.outputs[0],
                &[("format", "json")],
            ),
            "INSERT INTO distances SELECT levenshtein(t, reverse(t)) AS d FROM texts".to_owned(),
        ]
        .concat()
    })
}

/// In a word of `ab` again and again, the reverse is one letter shifted: take one away here, add one there.
fn distance(_: &str, record: &Record) -> Fate {
    let distance = if record.text().is_empty() { 0 } else { 2 };
    Fate::Out(vec![vec![Wanted::Json(
        serde_json::json!({ "d": distance }),
    )]])
}

#[test]
fn a_batch_that_takes_longer_than_a_poll_may_loses_no_partition() {
    let workshop = slow_workshop("slow");
    let texts = ["ab".to_owned(), slow_text(12.0), "abab".to_owned()];
    shared().send(&workshop.input, &texts.map(NewRecord::of));
    let processor = workshop.start_with("one", &["--until-end"]);
    processor.expect_end(PATIENCE);
    let tally = check(&workshop.seen(1), distance).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(tally.inputs, 3);
    let log = workshop.logs();
    assert_eq!(log.matches("partitions are assigned").count(), 1, "{log}");
    assert!(
        !log.contains("partitions are lost") && !log.contains("WARN"),
        "{log}"
    );
}

#[test]
fn a_stream_ends_in_time_though_a_batch_would_take_longer() {
    let workshop = slow_workshop("late");
    let texts = ["ab".to_owned(), slow_text(40.0)];
    shared().send(&workshop.input, &texts.clone().map(NewRecord::of));
    let mut processor = workshop.start_with("one", &["--set", "lexstream.stream.batch_rows=1"]);
    workshop.wait_for(1, &mut processor);
    // It holds it to ten seconds.
    processor.stop("TERM");
    let committed = shared().committed(&workshop.group, &workshop.input);
    assert_eq!(committed, [(0, 1)].into());
    let found = shared().read_all(&workshop.outputs[0], Isolation::Committed);
    assert_eq!(found.len(), 1);
}

/// Bytes that the output's topic takes, and so many more than a client sends.
const TAKES: usize = 2_000;
const LARGEST: usize = 1_000_000;

/// A pipeline that writes each text ten times over.
fn growing_workshop(hint: &str, letter_takes: &str) -> (Workshop<'static>, String) {
    let kafka = shared();
    let takes = TAKES.to_string();
    let output = kafka.topic_with(
        &format!("{hint}-small"),
        1,
        &[("max.message.bytes", &takes)],
    );
    let letters = kafka.topic_with(
        &format!("{hint}-letters"),
        1,
        &[("max.message.bytes", letter_takes)],
    );
    let mut workshop = Workshop::with_script(kafka, hint, 1, |workshop| {
        let source = [
            ("format", "raw"),
            ("group.id", &workshop.group),
            ("errors.deadletterqueue.topic.name", &letters),
        ];
        [
            workshop.table("texts", "t VARCHAR", &workshop.input, &source),
            workshop.table("grown", "t VARCHAR", &output, &[("format", "raw")]),
            "INSERT INTO grown SELECT repeat(t, 10) AS t FROM texts".to_owned(),
        ]
        .concat()
    });
    workshop.outputs[0] = output.clone();
    workshop.dead = letters;
    (workshop, output)
}

/// Sends texts of these sizes through the pipeline, and checks what became of each.
fn check_grown(sizes: &[usize], hint: &str, run: impl FnOnce(&Workshop<'_>)) {
    let (workshop, _) = growing_workshop(hint, "1000000");
    let records = sizes.iter();
    let records: Vec<_> = records
        .map(|size| NewRecord::of("x".repeat(*size)).key("k"))
        .collect();
    shared().send(&workshop.input, &records);
    run(&workshop);
    let fate = |_: &str, record: &Record| match record.text().repeat(10) {
        text if text.len() > TAKES => Fate::Dead,
        text => Fate::Out(vec![vec![Wanted::Bytes(text.into_bytes())]]),
    };
    let tally = check(&workshop.seen(1), fate)
        .unwrap_or_else(|faults| panic!("{faults}\n{}", workshop.logs()));
    let dead = sizes.iter().filter(|size| **size * 10 > TAKES).count();
    let found = (tally.inputs, tally.out, tally.dead);
    assert_eq!(found, (sizes.len(), sizes.len() - dead, dead));
    for letter in shared().read_all(&workshop.dead, Isolation::Committed) {
        let reason = letter.header("__connect.errors.exception.message");
        assert!(
            reason.is_some_and(|reason| reason.contains("MessageSizeTooLarge")),
            "{reason:?}"
        );
    }
}

#[test]
fn an_output_that_is_too_large_is_set_aside_and_the_rest_is_sent() {
    // The second is refused by the broker, the fourth is more than a client sends at all.
    let sizes = [10, TAKES / 5, 20, LARGEST / 5, 30, TAKES / 5, 40];
    check_grown(&sizes, "grown", |workshop| {
        workshop.finish("one");
    });
}

#[test]
fn what_is_refused_is_known_when_it_is_read_again() {
    let sizes = [10, TAKES / 5, 20, TAKES / 5, 30, TAKES / 5, 40];
    check_grown(&sizes, "known", |workshop| {
        workshop
            .start_under(Rule::AbortsInVain, "one", "stream_rules::runs_a_stream")
            .expect_end(PATIENCE);
    });
}

#[test]
fn a_dead_letter_that_is_too_large_ends_the_stream() {
    let (workshop, output) = growing_workshop("letters", "1000");
    let sizes = [10, TAKES, 20];
    let records = sizes.map(|size| NewRecord::of("x".repeat(size)).key("k"));
    shared().send(&workshop.input, &records);
    let ended = workshop.run(&["--until-end"]);
    assert_eq!(ended.status, Some(1), "{}", ended.error);
    let last = ended.error.lines().last().expect("an error");
    let place = format!("error: {}[0]@1: ", workshop.input);
    assert!(
        last.starts_with(&place) && last.contains("dead letter"),
        "{last}"
    );
    let found = shared().read_all(&output, Isolation::Committed);
    assert!(found.len() <= 1, "{found:?}");
}
