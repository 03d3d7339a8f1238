//! Topics behind TLS and SASL (RFC 4616), as tables and in streams.

use std::path::PathBuf;

use lexstream_integration_tests::binary::{Ended, run};
use lexstream_integration_tests::kafka::{Broker, Isolation, Record, Secured};

/// A broker, and what a test's tables say of it.
struct Guest {
    broker: Broker,
    secured: Secured,
}

impl Guest {
    fn new() -> Self {
        let (broker, secured) = Broker::secured();
        Self { broker, secured }
    }

    /// Returns the statement that makes a topic's table, with a password as it stands in the options.
    fn table(&self, name: &str, topic: &str, password: &str) -> String {
        let Secured {
            address,
            user,
            authority,
            ..
        } = &self.secured;
        format!(
            "CREATE EXTERNAL TABLE {name} (id BIGINT) STORED AS KAFKA LOCATION 'kafka://{address}/{topic}' OPTIONS (\
             'format' 'json', 'security.protocol' 'SASL_SSL', 'sasl.mechanism' 'PLAIN', 'sasl.username' '{user}', \
             'sasl.password' '{password}', 'ssl.ca.location' '{}', 'group.id' 'guests')",
            authority.display()
        )
    }

    /// Returns options' text of the password, which lies in a file.
    fn in_a_file(&self) -> String {
        let file: PathBuf = self.secured.authority.with_file_name("secrets.properties");
        std::fs::write(&file, format!("password={}\n", self.secured.password)).expect("a file");
        format!("${{file:{}:password}}", file.display())
    }

    fn stream(&self, password: &str, topics: [&str; 2]) -> Ended {
        let home = tempfile::tempdir().expect("home");
        let home = home.path().to_str().expect("UTF-8");
        let tables = [
            self.table("input", topics[0], password),
            self.table("output", topics[1], password),
        ];
        let insert = "INSERT INTO output SELECT id + 1 FROM input";
        let script = format!("{};{};{insert}", tables[0], tables[1]);
        run(
            &["stream", "--home", home, "--until-end", "-c", &script],
            "",
        )
    }
}

#[test]
fn topics_behind_tls_and_a_password_are_read_and_written() {
    let guest = Guest::new();
    let kafka = guest.broker.kafka();
    let (from, to) = (kafka.topic("from", 1), kafka.topic("to", 1));
    let password = guest.in_a_file();
    let statements = [
        guest.table("input", &from, &password),
        "INSERT INTO input VALUES (1), (2)".to_owned(),
        "SELECT sum(id) AS sum FROM input".to_owned(),
    ];
    let mut arguments = vec!["sql", "--quiet", "--format", "csv"];
    arguments.extend(statements.iter().flat_map(|statement| ["-c", statement]));
    let ended = run(&arguments, "");
    assert!(ended.output.ends_with("sum\n3\n"), "{ended:?}");

    let ended = guest.stream(&password, [&from, &to]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let records = kafka.read_all(&to, Isolation::Committed);
    let texts: Vec<_> = records.iter().map(Record::text).collect();
    assert_eq!(texts, ["{\"id\":2}", "{\"id\":3}"]);
    assert!(!ended.error.contains(&guest.secured.password), "{ended:?}");

    let ended = guest.stream("wrong-one", [&from, &to]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(
        ended.error.contains("Invalid username or password") && !ended.error.contains("wrong-one"),
        "{ended:?}"
    );
}
