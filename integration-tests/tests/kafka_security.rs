//! Topics behind TLS, with SASL (RFC 4616, RFC 7677) or certificates of both sides, as tables and in streams.

use std::path::PathBuf;

use lexstream_integration_tests::binary::{Ended, run};
use lexstream_integration_tests::kafka::{Broker, Isolation, MECHANISMS, Record, Secured};

/// Where a broker is, and how it is asked in.
struct Way<'a> {
    address: &'a str,
    options: String,
}

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

    /// Returns the way in by a password, as it stands in the options.
    fn by_password(&self, mechanism: &str, password: &str) -> Way<'_> {
        let user = self.secured.user;
        Way {
            address: &self.secured.address,
            options: format!(
                "'security.protocol' 'SASL_SSL', 'sasl.mechanism' '{mechanism}', 'sasl.username' '{user}', \
                 'sasl.password' '{password}'"
            ),
        }
    }

    /// Returns the way in by a certificate.
    fn by_certificate(&self) -> Way<'_> {
        let (keys, lock) = (self.secured.keys.display(), self.secured.lock);
        Way {
            address: &self.secured.mutual,
            options: format!(
                "'security.protocol' 'SSL', 'ssl.keystore.location' '{keys}', 'ssl.keystore.password' '{lock}'"
            ),
        }
    }

    /// Returns the statement that makes a topic's table.
    fn table(&self, name: &str, topic: &str, way: &Way<'_>) -> String {
        let Way { address, options } = way;
        format!(
            "CREATE EXTERNAL TABLE {name} (id BIGINT) STORED AS KAFKA LOCATION 'kafka://{address}/{topic}' OPTIONS (\
             'format' 'json', {options}, 'ssl.ca.location' '{}', 'group.id' 'guests-{topic}')",
            self.secured.authority.display()
        )
    }

    /// Returns options' text of the password, which lies in a file.
    fn in_a_file(&self) -> String {
        let file: PathBuf = self.secured.authority.with_file_name("secrets.properties");
        std::fs::write(&file, format!("password={}\n", self.secured.password)).expect("a file");
        format!("${{file:{}:password}}", file.display())
    }

    fn stream(&self, way: &Way<'_>, topics: [&str; 2]) -> Ended {
        let home = tempfile::tempdir().expect("home");
        let home = home.path().to_str().expect("UTF-8");
        let tables = [
            self.table("input", topics[0], way),
            self.table("output", topics[1], way),
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
fn topics_behind_tls_are_read_and_written_by_a_password_or_a_certificate() {
    let guest = Guest::new();
    let kafka = guest.broker.kafka();
    let password = guest.in_a_file();
    let by_password = MECHANISMS.map(|mechanism| guest.by_password(mechanism, &password));
    for way in by_password.into_iter().chain([guest.by_certificate()]) {
        let (from, to) = (kafka.topic("from", 1), kafka.topic("to", 1));
        let statements = [
            guest.table("input", &from, &way),
            "INSERT INTO input VALUES (1), (2)".to_owned(),
            "SELECT sum(id) AS sum FROM input".to_owned(),
        ];
        let mut arguments = vec!["sql", "--quiet", "--format", "csv"];
        arguments.extend(statements.iter().flat_map(|statement| ["-c", statement]));
        let ended = run(&arguments, "");
        assert!(ended.output.ends_with("sum\n3\n"), "{ended:?}");

        let ended = guest.stream(&way, [&from, &to]);
        assert_eq!(ended.status, Some(0), "{ended:?}");
        let records = kafka.read_all(&to, Isolation::Committed);
        let texts: Vec<_> = records.iter().map(Record::text).collect();
        assert_eq!(texts, ["{\"id\":2}", "{\"id\":3}"]);
        assert!(!ended.error.contains(&guest.secured.password), "{ended:?}");
    }

    let topics = [kafka.topic("from", 1), kafka.topic("to", 1)];
    let topics = [&*topics[0], &*topics[1]];
    for mechanism in MECHANISMS {
        let way = guest.by_password(mechanism, "wrong-one");
        let ended = guest.stream(&way, topics);
        assert_eq!(ended.status, Some(1), "{mechanism}: {ended:?}");
        let says_why = ["Invalid username or password", "invalid credentials"];
        assert!(
            says_why.iter().any(|why| ended.error.contains(why))
                && !ended.error.contains("wrong-one"),
            "{mechanism}: {ended:?}"
        );
    }
    let mut without = guest.by_certificate();
    without.options = "'security.protocol' 'SSL'".to_owned();
    let ended = guest.stream(&without, topics);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.error.contains("certificate"), "{ended:?}");
}
