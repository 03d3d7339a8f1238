//! Topics as tables of `lexstream sql`, as a person would make and read them.

use crate::binary::{Ended, run};
use crate::kafka::Kafka;

/// Returns the statement that makes a topic's table; `options` stand in it as they are.
pub fn table(kafka: &Kafka, name: &str, columns: &str, topic: &str, options: &str) -> String {
    format!(
        "CREATE EXTERNAL TABLE {name} ({columns}) STORED AS KAFKA LOCATION 'kafka://{}/{topic}' OPTIONS ({options})",
        kafka.address()
    )
}

/// Runs statements by `lexstream sql` in one partition; rows are printed as JSON objects.
pub fn sql(statements: &[&str]) -> Ended {
    let mut arguments = vec!["sql", "--quiet", "--format", "nd-json"];
    arguments.extend(["--set", "datafusion.execution.target_partitions=1"]);
    for statement in statements {
        arguments.extend(["-c", statement]);
    }
    run(&arguments, "")
}

/// Runs statements that must not fail; returns the lines they print.
pub fn rows(statements: &[&str]) -> Vec<String> {
    let ended = sql(statements);
    assert_eq!(ended.status, Some(0), "{statements:#?}: {}", ended.error);
    ended.output.lines().map(str::to_owned).collect()
}

/// Runs statements that must fail; returns what they print and say.
pub fn failure(statements: &[&str]) -> Ended {
    let ended = sql(statements);
    assert_eq!(ended.status, Some(1), "{statements:#?}: {}", ended.output);
    ended
}
