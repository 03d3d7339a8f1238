//! A stream in this process, under a rule.

use std::time::Duration;

use lexstream::stream::{Stream, StreamOptions};
use tokio::runtime::Builder;

use super::broken::broken;
use super::rule::Rule;

/// Names the rule, and whatever else the process needs to know, in the environment.
pub(super) const VARIABLES: [&str; 5] = [
    "LEXSTREAM_TEST_RULE",
    "LEXSTREAM_TEST_INSTANCE",
    "LEXSTREAM_TEST_BROKERS",
    "LEXSTREAM_TEST_GROUP",
    "LEXSTREAM_TEST_DEAD",
];

/// The most messages that one transaction of [`run_under_rule`] has: batches that are done gather while the last one is under
/// way, eight times as many as are scored at once.
pub const TRANSACTION: u64 = 10 * 2 * 8;

/// Runs `pipeline.sql` in the current folder as the environment says; nothing where it says nothing.
///
/// The test binary starts itself again to run this, as a process that can be killed.
pub fn run_under_rule() {
    let variables = VARIABLES.map(|name| std::env::var(name).ok());
    let [
        Some(rule),
        Some(instance),
        Some(brokers),
        Some(group),
        Some(dead),
    ] = variables
    else {
        return;
    };
    let rule: Rule = rule.parse().expect("a rule");
    let home = std::env::current_dir().expect("a folder").join("home");
    let engine = lexstream::builder()
        .set("lexstream.stream.batch_rows", "10")
        .set("lexstream.stream.batches_in_flight", "2")
        .home(&home)
        .build()
        .expect("an engine");
    let sql = std::fs::read_to_string("pipeline.sql").expect("a script");
    let options = StreamOptions {
        instance: Some(instance),
        until_end: !matches!(rule, Rule::Dies { .. }),
        home: Some(home),
    };
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build()
        .expect("a runtime");
    let stream = runtime.block_on(Stream::of_script(&engine, &sql, options));
    let running = stream
        .expect("a plan")
        .start_with(runtime.handle(), move |source, producer| {
            broken((source, producer), rule, &brokers, &group, &dead)
        })
        .expect("the stream starts");
    for pipeline in running {
        pipeline.join().unwrap_or_else(|error| panic!("{error}"));
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
}
