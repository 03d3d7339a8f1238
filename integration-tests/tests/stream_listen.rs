//! What a stream tells over HTTP while it runs: health, and figures that are those of its topics.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use lexstream_integration_tests::kafka::{NewRecord, shared, wait_for};
use lexstream_integration_tests::onnx;
use lexstream_integration_tests::stream::{Processor, Workshop};

const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the status and the body of an answer.
fn ask(address: SocketAddr, request: &str) -> Option<(String, String)> {
    let mut connection = TcpStream::connect(address).ok()?;
    connection.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!("{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    Some((status.to_owned(), body.to_owned()))
}

fn address(processor: &mut Processor) -> SocketAddr {
    let found = wait_for("the address", PATIENCE, || {
        processor.expect_running();
        let log = processor.log();
        let told = log
            .lines()
            .find(|line| line.contains("metrics and health"))?;
        told.rsplit_once("address=")?.1.trim().parse().ok()
    });
    found.unwrap_or_else(|error| panic!("{error}\n{}", processor.log()))
}

/// Returns a figure out of the text that Prometheus reads.
fn figure(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line?.trim().parse().ok()
}

#[test]
fn figures_are_those_of_the_topics_and_of_the_models() {
    let kafka = shared();
    let workshop =
        Workshop::with_script(kafka, "listen", 1, |workshop| {
            let source = [
                ("format", "json"),
                ("group.id", &*workshop.group),
                ("errors.deadletterqueue.topic.name", &*workshop.dead),
            ];
            let format = [("format", "json")];
            let model = onnx::models().join("all-MiniLM-L6-v2");
            [
            format!(
                "CREATE MODEL IF NOT EXISTS minilm WITH ('path' = '{}');\n",
                model.display()
            ),
            workshop.table("reviews", "id BIGINT, text VARCHAR", &workshop.input, &source),
            workshop.table("scored", "id BIGINT, v FLOAT[]", &workshop.outputs[0], &format),
            "INSERT INTO scored SELECT id, embed('minilm', text) FROM reviews WHERE id % 10 < 9"
                .to_owned(),
        ]
        .concat()
        });
    let text = |id: i32| match id {
        13 => "broken".to_owned(),
        _ => format!(r#"{{"id":{id},"text":"review {id}"}}"#),
    };
    let records: Vec<_> = (0..40).map(|id| NewRecord::of(text(id))).collect();
    kafka.send(&workshop.input, &records);
    let mut processor = workshop.start_with("one", &["--listen", "127.0.0.1:0"]);
    let address = address(&mut processor);
    let alive = ask(address, "GET /health/live").map(|(status, _)| status);
    assert_eq!(alive.as_deref(), Some("200"));
    let told = wait_for("40 messages", PATIENCE, || {
        processor.expect_running();
        let (_, text) = ask(address, "GET /metrics")?;
        let messages = figure(&text, r#"lexstream_stream_messages_total{table="reviews"}"#)?;
        let lag = "lexstream_stream_lag{table=\"reviews\",topic=\"";
        let lag = format!("{lag}{}\",partition=\"0\"}}", workshop.input);
        (messages == 40.0 && figure(&text, &lag) == Some(0.0)).then_some(text)
    });
    let told = told.unwrap_or_else(|error| panic!("{error}\n{}", processor.log()));
    for (name, expected) in [
        (r#"outputs_total{table="reviews"}"#, 35.0),
        (r#"dead_letters_total{table="reviews"}"#, 1.0),
        (r#"filtered_total{table="reviews"}"#, 4.0),
        (r#"aborts_total{table="reviews"}"#, 0.0),
        (r#"latency_seconds_count{table="reviews"}"#, 40.0),
    ] {
        let found = figure(&told, &format!("lexstream_stream_{name}"));
        assert_eq!(found, Some(expected), "{name}\n{told}");
    }
    // Every text is another one; the golden text at loading comes on top.
    let of_model = |name: &str| {
        let name = format!("lexstream_stream_{name}_total{{model=\"minilm@1\"}}");
        figure(&told, &name).unwrap_or_else(|| panic!("{name}\n{told}"))
    };
    assert!((35.0..=36.0).contains(&of_model("model_texts")), "{told}");
    assert!(of_model("model_tokens") > 35.0 * 3.0 && of_model("model_seconds") > 0.0);
    for (request, status) in [
        ("GET /health/ready", "200"),
        ("GET /nothing", "404"),
        ("POST /metrics", "405"),
    ] {
        let found = ask(address, request).map(|(status, _)| status);
        assert_eq!(found.as_deref(), Some(status), "{request}");
    }
    processor.stop("TERM");
}
