//! The options of a topic's table: Lexstream's own, the format's, and librdkafka's under their own names.

use std::collections::BTreeMap;

use lexstream_text::nearest;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;

use super::config_provider::Environment;
use super::dead_letters::DeadLetterOptions;
use super::error::OptionsError;
use super::location::Location;
use super::own_options::{OPTIONS, REFUSED, is_of_format};
use super::properties::{PROPERTIES, Property, Side};
use super::settings::Settings;
use super::start::{self, Start};

/// The mechanisms of SASL that librdkafka is built with here.
const MECHANISMS: &[&str] = &["OAUTHBEARER", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// Defaults that differ from librdkafka's own.
const DEFAULTS: &[(&str, Side, &str)] = &[
    ("client.id", Side::Both, "lexstream"),
    ("isolation.level", Side::Consumer, "read_committed"),
    // As the Java client, so that both send a key to the same partition.
    ("partitioner", Side::Producer, "murmur2_random"),
    // A transaction that begins while the one before still writes its markers is told to try again: librdkafka's 100 ms
    // are longer than that takes, and were most of a transaction's time.
    ("retry.backoff.ms", Side::Producer, "10"),
    // How long a group waits for a member that was killed.
    (SESSION_TIMEOUT, Side::Consumer, "10000"),
];

const SESSION_TIMEOUT: &str = "session.timeout.ms";

/// Returns the defaults that differ from librdkafka's own.
pub fn defaults() -> impl Iterator<Item = (&'static str, &'static str)> {
    DEFAULTS.iter().map(|(option, _, value)| (*option, *value))
}

/// The topic of a table, or the topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// One topic.
    Name(String),
    /// Every topic whose name the regular expression finds at its beginning; it begins with `^`.
    Pattern(String),
}

/// Where a table's messages are, and how they are read and written.
///
/// [`Debug`] shows no secret, and no value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicOptions {
    brokers: String,
    topic: Topic,
    settings: Settings,
    format_options: BTreeMap<String, String>,
    dead_letters: DeadLetterOptions,
    start: Start,
}

impl TopicOptions {
    /// Reads a location and options.
    ///
    /// `formats` are the names of the message formats that there are: an option that begins with one of them and a dot is
    /// the format's. Keys come as SQL hands them on: in lower case, those without a dot behind `format.`. Variables are replaced here,
    /// once: `${env:NAME}` from `environment`, `${file:PATH:KEY}` from a file of Java properties.
    ///
    /// # Errors
    /// Where an option is unknown or wrong, or would break a guarantee of tables and streams.
    pub fn try_new(
        location: &str,
        options: impl IntoIterator<Item = (String, String)>,
        formats: &[&str],
        environment: &Environment<'_>,
    ) -> Result<Self, OptionsError> {
        let at = Location::parse(location)?;
        let mut settings = Settings::default();
        let mut format_options = BTreeMap::new();
        for (key, text) in options {
            let key = key.strip_prefix("format.").unwrap_or(&key);
            let property = property(key);
            if property.is_none() && !is_of_format(key, formats) && !is_own(key) {
                return Err(unknown(key));
            }
            let is_secret = property.is_some_and(|property| property.secret);
            settings.insert(key, &text, is_secret, environment)?;
            if is_of_format(key, formats) {
                let value = settings.text(key).unwrap_or_default();
                format_options.insert(key.to_owned(), value.to_owned());
            }
        }
        check_refused(&settings)?;
        check_properties(&settings)?;
        check_mechanism(&settings)?;
        Ok(Self {
            topic: topic(location, at.topic, &settings)?,
            brokers: at.brokers,
            format_options,
            dead_letters: DeadLetterOptions::of(&settings)?,
            start: start(&settings)?,
            settings,
        })
    }

    /// Returns the brokers, `host:port` separated by commas.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Returns the topic, or the topics.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Returns the consumer group, `group.id`.
    pub fn group(&self) -> Option<&str> {
        self.settings.text("group.id")
    }

    /// Returns the name of the format; none is needed where every column is a special one.
    pub fn format(&self) -> Option<&str> {
        self.settings.text("format")
    }

    /// Returns the options that are the format's, by key.
    pub fn format_options(&self) -> &BTreeMap<String, String> {
        &self.format_options
    }

    /// Returns how errors are handled.
    pub fn dead_letters(&self) -> &DeadLetterOptions {
        &self.dead_letters
    }

    /// Returns where reading starts in a partition without a committed offset.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// Returns the prefix of every producer's `transactional.id`.
    pub fn transactional_id_prefix(&self) -> &str {
        let prefix = self.settings.text("transactional.id.prefix");
        prefix.unwrap_or("lexstream")
    }

    /// Tells whether an option was given, under this name or an alias.
    pub fn is_set(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Returns an option as it was given, under this name or an alias; it may be a secret.
    pub fn get(&self, key: &str) -> Option<&str> {
        let meant = property(key).map_or(key, |property| property.stands_for);
        let stands_for = |name| property(name).map_or(name, |property| property.stands_for);
        let mut settings = self.settings.iter();
        let found = settings.find(|(name, _)| stands_for(name) == meant);
        found.map(|(_, value)| value)
    }

    /// Returns every option, masked where it is secret.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.shown()
    }

    /// Returns the configuration of a producer, without a `transactional.id`; it holds secrets.
    pub fn producer(&self) -> ClientConfig {
        self.client(Side::Producer)
    }

    /// Returns the configuration of a consumer, with its group where there is one, and nothing about committing offsets; it
    /// holds secrets.
    pub fn consumer(&self) -> ClientConfig {
        self.client(Side::Consumer)
    }

    fn client(&self, side: Side) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        // Under the protocol of KIP-848 the broker says how long a session is.
        let of_broker = self.settings.text("group.protocol") == Some("consumer");
        for (key, of, value) in DEFAULTS {
            if takes(side, *of) && !(of_broker && *key == SESSION_TIMEOUT) {
                config.set(*key, *value);
            }
        }
        for (key, value) in self.settings.iter() {
            if property(key).is_some_and(|property| takes(side, property.side)) {
                set_option(&mut config, key, value);
            }
        }
        config
    }
}

/// Sets an option of a client as librdkafka knows it.
pub fn set_option(config: &mut ClientConfig, key: &str, value: &str) {
    config.set(key, value);
    // rdkafka sets the level itself, over what the properties say.
    if key == "log_level"
        && let Some(level) = log_level(value)
    {
        config.set_log_level(level);
    }
}

fn takes(client: Side, of: Side) -> bool {
    of == Side::Both || of == client
}

fn property(key: &str) -> Option<&'static Property> {
    let at = PROPERTIES.binary_search_by(|property| property.name.cmp(key));
    at.ok().map(|at| &PROPERTIES[at])
}

fn is_own(key: &str) -> bool {
    OPTIONS.iter().any(|option| option.name == key)
}

fn unknown(key: &str) -> OptionsError {
    let own = OPTIONS.iter().map(|option| option.name);
    let known = own.chain(PROPERTIES.iter().map(|property| property.name));
    let known = known.filter(|name| REFUSED.iter().all(|refused| refused.name != *name));
    OptionsError::Unknown {
        option: key.to_owned(),
        meant: nearest(key, known)
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default(),
    }
}

fn check_refused(settings: &Settings) -> Result<(), OptionsError> {
    for refused in REFUSED {
        let Some(value) = settings.text(refused.name) else {
            continue;
        };
        let is_allowed = refused
            .except
            .is_some_and(|only| only.eq_ignore_ascii_case(value));
        if !is_allowed {
            return Err(OptionsError::Refused {
                option: refused.name.to_owned(),
                reason: refused.reason,
            });
        }
    }
    Ok(())
}

/// Asks librdkafka about every value, and refuses one option under two names.
fn check_properties(settings: &Settings) -> Result<(), OptionsError> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in settings.iter() {
        let Some(property) = property(key) else {
            continue;
        };
        if let Some(other) = names.insert(property.stands_for, key) {
            return Err(OptionsError::Together {
                option: other.to_owned(),
                other: key.to_owned(),
                reason: "two names of one option".to_owned(),
            });
        }
        let mut config = ClientConfig::new();
        let Err(error) = config.set(key, value).create_native_config() else {
            continue;
        };
        let problem = match error {
            // It says what is wrong with a text by showing it.
            KafkaError::ClientConfig(_, problem, ..)
                if settings.is_public(key) || !problem.contains(value) =>
            {
                problem
            }
            _ => "librdkafka does not take the value".to_owned(),
        };
        return Err(OptionsError::Property {
            option: key.to_owned(),
            problem,
            found: settings.found(key),
        });
    }
    Ok(())
}

fn check_mechanism(settings: &Settings) -> Result<(), OptionsError> {
    let protocol = settings.text("security.protocol").unwrap_or_default();
    if !protocol.to_ascii_lowercase().starts_with("sasl") {
        return Ok(());
    }
    let names = ["sasl.mechanism", "sasl.mechanisms"];
    let named = names.iter().find(|name| settings.text(name).is_some());
    let key = named.copied().unwrap_or(names[0]);
    // Left out, it is GSSAPI for librdkafka.
    let found = settings.text(key).unwrap_or_default();
    if MECHANISMS
        .iter()
        .any(|name| name.eq_ignore_ascii_case(found))
    {
        return Ok(());
    }
    Err(settings.wrong(key, format!("one of {}", MECHANISMS.join(", "))))
}

fn topic(
    location: &str,
    named: Option<String>,
    settings: &Settings,
) -> Result<Topic, OptionsError> {
    const PATTERN: &str = "topic.pattern";
    match (named, settings.text(PATTERN)) {
        (Some(name), None) => Ok(Topic::Name(name)),
        (None, Some(pattern)) => {
            let pattern = format!("^{}", pattern.strip_prefix('^').unwrap_or(pattern));
            match regex::Regex::new(&pattern) {
                Ok(_) => Ok(Topic::Pattern(pattern)),
                Err(_) => Err(settings.wrong(PATTERN, "a regular expression")),
            }
        }
        (Some(_), Some(_)) => Err(OptionsError::Together {
            option: "LOCATION".to_owned(),
            other: PATTERN.to_owned(),
            reason: "only one of them names topics".to_owned(),
        }),
        (None, None) => Err(OptionsError::Location {
            location: location.to_owned(),
            expected: "a topic behind the brokers, or the option `topic.pattern`",
            found: "neither".to_owned(),
        }),
    }
}

fn start(settings: &Settings) -> Result<Start, OptionsError> {
    const TIMESTAMP: &str = "start.timestamp";
    const OFFSETS: &str = "start.offsets";
    let timestamp = match settings.text(TIMESTAMP) {
        None => None,
        Some(text) => Some(
            start::timestamp(text).ok_or_else(|| settings.wrong(TIMESTAMP, start::TIMESTAMP))?,
        ),
    };
    let offsets = match settings.text(OFFSETS) {
        None => None,
        Some(text) => {
            Some(start::offsets(text).ok_or_else(|| settings.wrong(OFFSETS, start::OFFSETS))?)
        }
    };
    let names = ["earliest", "latest", "timestamp", "offsets"];
    let choice = settings.choice("start", &names.map(|name| (name, name)))?;
    let together = |option: &str, other: &str| OptionsError::Together {
        option: option.to_owned(),
        other: other.to_owned(),
        reason: "they name two places".to_owned(),
    };
    match (choice, timestamp, offsets) {
        (None | Some("timestamp"), Some(timestamp), None) => Ok(Start::Timestamp(timestamp)),
        (None | Some("offsets"), None, Some(offsets)) => Ok(Start::Offsets(offsets)),
        (Some("earliest"), None, None) => Ok(Start::Earliest),
        (Some("latest"), None, None) => Ok(Start::Latest),
        (Some("timestamp"), None, None) => Err(settings.wrong(TIMESTAMP, start::TIMESTAMP)),
        (Some(_), None, None) => Err(settings.wrong(OFFSETS, start::OFFSETS)),
        (None, None, None) => match settings.text("auto.offset.reset") {
            Some("latest" | "largest" | "end") => Ok(Start::Latest),
            _ => Ok(Start::Earliest),
        },
        (_, Some(_), Some(_)) => Err(together(TIMESTAMP, OFFSETS)),
        (Some(_), Some(_), None) => Err(together("start", TIMESTAMP)),
        (Some(_), None, Some(_)) => Err(together("start", OFFSETS)),
    }
}

fn log_level(text: &str) -> Option<RDKafkaLogLevel> {
    let levels = [
        RDKafkaLogLevel::Emerg,
        RDKafkaLogLevel::Alert,
        RDKafkaLogLevel::Critical,
        RDKafkaLogLevel::Error,
        RDKafkaLogLevel::Warning,
        RDKafkaLogLevel::Notice,
        RDKafkaLogLevel::Info,
        RDKafkaLogLevel::Debug,
    ];
    let level: usize = text.trim().parse().ok()?;
    levels.get(level).copied()
}

#[cfg(test)]
mod tests;
