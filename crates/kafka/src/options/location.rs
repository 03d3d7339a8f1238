//! Where a topic is: `kafka://host:port[,host:port…]/topic`.

use super::error::OptionsError;

/// The longest name of a topic.
const LONGEST_TOPIC: usize = 249;

/// Brokers and, where it is named, a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// `host:port`, separated by commas, as librdkafka takes them.
    pub brokers: String,
    /// The topic; none where a pattern names topics.
    pub topic: Option<String>,
}

impl Location {
    /// Parses a location; an IPv6 address is in brackets.
    ///
    /// # Errors
    /// Where it names no brokers, or its topic can't be one.
    pub fn parse(location: &str) -> Result<Self, OptionsError> {
        let wrong = |expected, found: &str| OptionsError::Location {
            location: without_credentials(location),
            expected,
            found: if found.is_empty() {
                "nothing".to_owned()
            } else {
                format!("`{found}`")
            },
        };
        let Some(rest) = location.strip_prefix("kafka://") else {
            let scheme = location.split_once("://").map_or("", |(scheme, _)| scheme);
            return Err(wrong("kafka://host:port/topic", scheme));
        };
        if rest.contains('@') {
            return Err(wrong(
                "credentials in the options sasl.username and sasl.password",
                "an `@`",
            ));
        }
        let (brokers, topic) = rest.split_once('/').unwrap_or((rest, ""));
        let brokers: Vec<_> = brokers.split(',').map(str::trim).collect();
        for broker in &brokers {
            if !is_broker(broker) {
                return Err(wrong("brokers host:port, separated by commas", broker));
            }
        }
        if !topic.is_empty() && !is_topic(topic) {
            return Err(wrong(
                "a topic's name of letters, digits, `.`, `_` and `-`, 249 at most",
                topic,
            ));
        }
        Ok(Self {
            brokers: brokers.join(","),
            topic: (!topic.is_empty()).then(|| topic.to_owned()),
        })
    }
}

/// Tells whether a topic can have the name.
pub(crate) fn is_topic(name: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=LONGEST_TOPIC).contains(&name.len())
        && name.bytes().all(is_known)
        && name != "."
        && name != ".."
}

fn is_broker(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            !host.is_empty() && host.bytes().all(is_known)
        }
    };
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Leaves out what stands before an `@`: it may be a password.
fn without_credentials(location: &str) -> String {
    match location.rsplit_once('@') {
        Some((_, rest)) => format!("kafka://***@{rest}"),
        None => location.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(location: &str, brokers: &str, topic: Option<&str>) {
        let expected = Location {
            brokers: brokers.to_owned(),
            topic: topic.map(str::to_owned),
        };
        assert_eq!(Location::parse(location), Ok(expected), "{location}");
    }

    fn check_error(location: &str, expected: &str) {
        let error = Location::parse(location).expect_err(location).to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn brokers_and_topic_are_named() {
        check("kafka://a:9092/t", "a:9092", Some("t"));
        check(
            "kafka://a:9092,b.c:1,[::1]:9093/a.b_c-d",
            "a:9092,b.c:1,[::1]:9093",
            Some("a.b_c-d"),
        );
        check("kafka://a:9092", "a:9092", None);
        check("kafka://a:9092/", "a:9092", None);
    }

    #[test]
    fn what_is_no_location_is_refused() {
        check_error("reviews.json", "expected kafka://host:port/topic");
        check_error("http://a:1/t", "found `http`");
        check_error("kafka://a/t", "expected brokers host:port");
        check_error("kafka:///t", "found nothing");
        check_error("kafka://a:1,/t", "found nothing");
        check_error("kafka://::1:9092/t", "found `::1:9092`");
        check_error("kafka://a:0/t", "found `a:0`");
        check_error("kafka://a:1/t/u", "found `t/u`");
        check_error("kafka://a:1/..", "found `..`");
    }

    #[test]
    fn a_password_is_not_shown() {
        let error = Location::parse("kafka://user:geheim@a:1/t").expect_err("an @");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("kafka://***@a:1/t"), "{shown}");
        assert!(!shown.contains("geheim"), "{shown}");
    }
}
