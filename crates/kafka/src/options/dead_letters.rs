//! Error handling: options `errors.…`, by Kafka Connect's names.

use std::time::Duration;

use super::error::OptionsError;
use super::location::is_topic;
use super::settings::Settings;

/// Dead letters of messages that can't be decoded or fail, and retries of failures that may pass.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetterOptions {
    /// Whether such a message is passed over; else it ends the query or the stream.
    pub tolerate: bool,
    /// Where such messages go; with none they are left out.
    pub topic: Option<String>,
    /// Whether headers say what is wrong with them.
    pub headers: bool,
    /// The share of messages beyond which the stream stops; none is no bound.
    pub max_rate: Option<f64>,
    /// How long a failure that may pass is tried again; none is for ever.
    pub retry_timeout: Option<Duration>,
    /// The longest pause between two attempts.
    pub retry_delay_max: Duration,
}

const TOLERANCE: &str = "errors.tolerance";
const TOPIC: &str = "errors.deadletterqueue.topic.name";

impl DeadLetterOptions {
    pub(crate) fn of(settings: &Settings) -> Result<Self, OptionsError> {
        let topic = settings.text(TOPIC).map(str::to_owned);
        if topic.as_ref().is_some_and(|topic| !is_topic(topic)) {
            return Err(settings.wrong(TOPIC, "a topic's name"));
        }
        let tolerance = [("all", true), ("none", false)];
        let tolerate = settings.choice(TOLERANCE, &tolerance)?;
        if topic.is_some() && tolerate == Some(false) {
            return Err(OptionsError::Together {
                option: TOLERANCE.to_owned(),
                other: TOPIC.to_owned(),
                reason: "a dead-letter topic needs the tolerance `all`".to_owned(),
            });
        }
        let flags = [("true", true), ("false", false)];
        let headers = settings.choice("errors.deadletterqueue.context.headers.enable", &flags)?;
        let max_rate = settings.number(
            "errors.deadletterqueue.max.rate",
            "a share above 0 and at most 1",
            |rate: &f64| *rate > 0.0 && *rate <= 1.0,
        )?;
        let retry_timeout = settings.number(
            "errors.retry.timeout",
            "milliseconds, or -1",
            |milliseconds: &i64| *milliseconds >= -1,
        )?;
        let retry_delay_max = settings.number(
            "errors.retry.delay.max.ms",
            "milliseconds, at least 1",
            |milliseconds: &u64| *milliseconds > 0,
        )?;
        Ok(Self {
            tolerate: tolerate.unwrap_or(topic.is_some()),
            topic,
            headers: headers.unwrap_or(true),
            max_rate,
            retry_timeout: u64::try_from(retry_timeout.unwrap_or(0))
                .ok()
                .map(Duration::from_millis),
            retry_delay_max: Duration::from_millis(retry_delay_max.unwrap_or(60_000)),
        })
    }
}
