//! The broker's process.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::client::Kafka;
use super::guarded::Guarded;
use super::wait_for;
use crate::binary::built;

/// A broker starts in seconds, but not while the other core compiles.
const START: Duration = Duration::from_secs(90);

/// Any 16 bytes in base64.
const CLUSTER: &str = "MkU3OEVBNTcwNTJENDM2Qg";

/// The system takes ports of outgoing connections from 32,768 on: none of these is taken while a broker is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A broker of Apache Kafka, one node, on ports and a folder of its own; it ends when it is dropped.
#[derive(Debug)]
pub struct Broker {
    folder: PathBuf,
    kafka: Kafka,
    port: u16,
    process: Option<Guarded>,
}

/// Returns the broker that tests share: the one at `LEXSTREAM_TEST_KAFKA`, else one that is started once a test binary.
pub fn shared() -> &'static Kafka {
    static SHARED: OnceLock<Result<(Kafka, Option<Broker>), String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        if let Ok(address) = std::env::var("LEXSTREAM_TEST_KAFKA") {
            let kafka = Kafka::at(&address);
            kafka.wait_until_ready(super::PATIENCE)?;
            return Ok((kafka, None));
        }
        let broker = Broker::start(Duration::from_secs(9))?;
        Ok((broker.kafka.clone(), Some(broker)))
    });
    match shared {
        Ok((kafka, _)) => kafka,
        Err(error) => panic!("{error}"),
    }
}

/// How a broker is reached by TLS and a password or a certificate.
#[derive(Debug)]
pub struct Secured {
    /// Host and port where it asks for a password.
    pub address: String,
    /// Host and port where it asks for a certificate.
    pub mutual: String,
    /// The user that it knows.
    pub user: &'static str,
    /// The user's password.
    pub password: String,
    /// The broker's certificate, in a file; no one else vouches for it.
    pub authority: PathBuf,
    /// A certificate that the broker knows, and its key, in a PKCS #12 file.
    pub keys: PathBuf,
    /// What that file is locked with.
    pub lock: &'static str,
}

/// The ways in which a password is proved (RFC 4616, RFC 7677).
pub const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

impl Broker {
    /// Starts a broker for one test, with a second listener that asks for TLS and a password, and a third one for TLS and a
    /// certificate.
    pub fn secured() -> (Self, Secured) {
        let started = Self::start_with(Duration::from_secs(9), |folder| {
            let [port, mutual] = free_ports();
            let secured = Secured {
                address: format!("127.0.0.1:{port}"),
                mutual: format!("127.0.0.1:{mutual}"),
                user: "alice",
                password: "correct horse".to_owned(),
                authority: folder.join("authority.pem"),
                keys: folder.join("guest.p12"),
                lock: STORE,
            };
            let keys = folder.join("keys.p12");
            certificate(&keys, &secured.authority)?;
            let guest = folder.join("guest.pem");
            certificate(&secured.keys, &guest)?;
            let guests = folder.join("guests.p12");
            let import = ["-importcert", "-noprompt", "-file", text(&guest)];
            keytool(&import, &store(&guests))?;
            let settings = format!(
                "listeners=PLAINTEXT://127.0.0.1:{{port}},SECURED://{address},MUTUAL://{mutual},CONTROLLER://127.0.0.1:{{controller}}
advertised.listeners=PLAINTEXT://127.0.0.1:{{port}},SECURED://{address},MUTUAL://{mutual}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms={mechanisms}
listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}=\"{password}\";
listener.name.secured.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secured.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.truststore.type=PKCS12
listener.name.mutual.ssl.truststore.location={guests}
listener.name.mutual.ssl.truststore.password={STORE}
ssl.keystore.type=PKCS12
ssl.keystore.location={keys}
ssl.keystore.password={STORE}
",
                address = secured.address,
                mutual = secured.mutual,
                mechanisms = MECHANISMS.join(","),
                user = secured.user,
                password = secured.password,
                guests = text(&guests),
                keys = text(&keys),
            );
            let known = MECHANISMS[1..].iter().flat_map(|mechanism| {
                let user = format!("name={},password={}", secured.user, secured.password);
                ["--add-scram".to_owned(), format!("{mechanism}=[{user}]")]
            });
            let known = known.collect();
            Ok((settings, known, secured))
        });
        started.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts a broker for one test, which may kill it.
    pub fn own() -> Self {
        // A restarted broker has to wait until the one that was killed is no longer expected back.
        Self::start(Duration::from_secs(3)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn start(session: Duration) -> Result<Self, String> {
        let started = Self::start_with(session, |_| Ok((String::new(), Vec::new(), ())))?;
        Ok(started.0)
    }

    /// Starts a broker with settings that `more` makes for its folder, of two of one name the later holds, and with what its
    /// data are to begin with. `{port}` and `{controller}` in the settings are the broker's ports.
    fn start_with<T>(
        session: Duration,
        more: impl FnOnce(&Path) -> Result<(String, Vec<String>, T), String>,
    ) -> Result<(Self, T), String> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let target = built().parent().expect("target").to_owned();
        let name = format!("kafka-{}-{number}", std::process::id());
        let folder = target.join("tmp").join(name);
        fs::create_dir_all(folder.join("tmp")).expect("a folder for a broker");
        let [port, controller] = free_ports();
        let (settings, known, made) = more(&folder)?;
        let settings = settings
            .replace("{port}", &port.to_string())
            .replace("{controller}", &controller.to_string());
        let properties = properties(&folder, port, controller, session) + &settings;
        fs::write(folder.join("server.properties"), properties).expect("server.properties");
        let mut broker = Self {
            kafka: Kafka::at(&format!("127.0.0.1:{port}")),
            folder,
            port,
            process: None,
        };
        broker.format(&known)?;
        broker.run()?;
        Ok((broker, made))
    }

    /// Returns what tests do with the broker.
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// Returns the broker's process id.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("the broker runs").id()
    }

    /// Kills the broker with signal 9; its folder stays.
    pub fn kill(&mut self) {
        self.process.take().expect("the broker runs").kill();
    }

    /// Starts a killed broker again, on the same ports and folder, and waits until it answers.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "the broker runs");
        self.run().unwrap_or_else(|error| panic!("{error}"));
    }

    /// Gives an empty folder the marks of a cluster.
    fn format(&self, known: &[String]) -> Result<(), String> {
        let mut command = Command::new("java");
        command.args(self.java("kafka.tools.StorageTool"));
        command.args(["format", "-t", CLUSTER, "-c"]);
        command.arg(self.folder.join("server.properties"));
        command.args(known);
        let done = command.output().map_err(|error| format!("java: {error}"))?;
        if done.status.success() {
            return Ok(());
        }
        let error = String::from_utf8_lossy(&done.stderr);
        Err(format!("kafka.tools.StorageTool format: {error}"))
    }

    fn run(&mut self) -> Result<(), String> {
        let properties = self.folder.join("server.properties");
        let java = self.java("kafka.Kafka");
        let mut command = vec!["java"];
        command.extend(java.iter().map(String::as_str));
        command.push(properties.to_str().expect("UTF-8"));
        let process = Guarded::start(&self.folder, &command);
        let ready = wait_for("Apache Kafka", START, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()
        });
        let ready = ready
            .map(drop)
            .and_then(|()| self.kafka.wait_until_ready(START));
        ready.map_err(|error| {
            let output = fs::read_to_string(self.folder.join("output")).unwrap_or_default();
            format!("{error}; it printed {output:?}")
        })?;
        self.process = Some(process);
        Ok(())
    }

    /// Returns arguments of `java` that run a class of Kafka's: little memory, and code that is compiled fast.
    fn java(&self, class: &str) -> Vec<String> {
        let tmp = self.folder.join("tmp");
        vec![
            "-Xms256m".into(),
            "-Xmx1g".into(),
            "-XX:+UseSerialGC".into(),
            "-XX:TieredStopAtLevel=1".into(),
            "-XX:-UsePerfData".into(),
            format!("-Djava.io.tmpdir={}", tmp.display()),
            "-cp".into(),
            format!("{}/*", jars().display()),
            class.into(),
        ]
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Where it runs, its guard deletes the folder.
        if self.process.is_none() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// What a store of keys is locked with.
const STORE: &str = "secret";

/// Makes a key with its certificate in a store, and writes the certificate to a file, too.
fn certificate(keys: &Path, file: &Path) -> Result<(), String> {
    let name = ["-dname", "CN=127.0.0.1", "-ext", "SAN=ip:127.0.0.1"];
    let store = store(keys);
    keytool(
        &["-genkeypair", "-keyalg", "EC", "-validity", "2"],
        &[&name[..], &store].concat(),
    )?;
    keytool(&["-exportcert", "-rfc", "-file", text(file)], &store)
}

/// Returns options that name a store.
fn store(keys: &Path) -> [&str; 6] {
    [
        "-alias",
        "only",
        "-keystore",
        text(keys),
        "-storepass",
        STORE,
    ]
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Runs Java's tool for keys, which stands beside `java`.
fn keytool(command: &[&str], options: &[&str]) -> Result<(), String> {
    let mut keytool = Command::new("keytool");
    keytool
        .args(command)
        .args(["-storetype", "PKCS12"])
        .args(options);
    let done = keytool
        .output()
        .map_err(|error| format!("keytool: {error}"))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!(
            "keytool: {}",
            String::from_utf8_lossy(&done.stdout)
        )),
    }
}

/// Returns the folder of Kafka's jars; a test without it fails with the command that fetches them.
fn jars() -> PathBuf {
    let target = built();
    let folder = target.parent().expect("target").join("tools/kafka");
    assert!(
        folder.join(".ready").exists(),
        "{} is missing; fetch it: make kafka",
        folder.display()
    );
    folder.join("lib")
}

/// Returns two ports that nobody listens on.
fn free_ports() -> [u16; 2] {
    // Test binaries that run at once begin elsewhere.
    let first = PORTS.start + (std::process::id() % u32::from(PORTS.end - PORTS.start)) as u16;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    [(); 2].map(|()| {
        let listener = (0..PORTS.len()).find_map(|_| {
            let step = TAKEN.fetch_add(1, Ordering::Relaxed) as usize;
            let place = (usize::from(first - PORTS.start) + step) % PORTS.len();
            TcpListener::bind((Ipv4Addr::LOCALHOST, PORTS.start + place as u16)).ok()
        });
        let address = listener.expect("a free port").local_addr();
        address.expect("an address").port()
    })
}

/// Returns the settings of a node that is broker and controller.
///
/// Topics are made by tests only, records stay whatever their timestamp says, and what a broker does every few minutes
/// it does every second.
fn properties(folder: &Path, port: u16, controller: u16, session: Duration) -> String {
    let data = folder.join("data");
    let data = data.display();
    let session = session.as_millis();
    let heartbeat = session / 6;
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.session.timeout.ms={session}
broker.heartbeat.interval.ms={heartbeat}
auto.create.topics.enable=false
log.retention.ms=-1
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=1000
log.cleaner.backoff.ms=1000
"
    )
}
