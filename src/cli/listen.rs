//! `--listen`: what a running stream counts, and whether it is well, over HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use lexstream_stream::{Control, exposition};

/// How long a client may take to send its request's head.
const HEAD: Duration = Duration::from_secs(5);

/// The streams that are told of, by the tables that they read.
pub(super) type Streams = Arc<Vec<(String, Arc<Control>)>>;

/// Binds the address; port 0 is a free one.
pub(super) async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "metrics and health are told");
    Ok(listener)
}

/// Answers until it is dropped.
pub(super) async fn serve(listener: TcpListener, streams: Streams) {
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // Too many files are open, say; it passes.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let streams = Arc::clone(&streams);
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let response = answer(&request, &streams);
                async move { Ok::<_, Infallible>(response) }
            });
            // A client that goes away is no concern of ours.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(connection), answer)
                .await;
        });
    }
}

fn answer(request: &Request<Incoming>, streams: &Streams) -> Response<Full<Bytes>> {
    let text = |status, kind: &'static str, text: String| {
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let kind = hyper::header::HeaderValue::from_static(kind);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    };
    const PLAIN: &str = "text/plain; charset=utf-8";
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "GET\n".to_owned());
        let allowed = hyper::header::HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    match request.uri().path() {
        "/metrics" => text(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            exposition(streams),
        ),
        "/health/live" => text(StatusCode::OK, PLAIN, "alive\n".to_owned()),
        "/health/ready" => {
            let waiting: Vec<_> = streams
                .iter()
                .filter(|(_, control)| !control.metrics.is_ready())
                .map(|(table, _)| table.as_str())
                .collect();
            match waiting.is_empty() {
                true => text(StatusCode::OK, PLAIN, "ready\n".to_owned()),
                false => text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    PLAIN,
                    format!("not reading yet: {}\n", waiting.join(", ")),
                ),
            }
        }
        _ => text(
            StatusCode::NOT_FOUND,
            PLAIN,
            "/metrics, /health/live, /health/ready\n".to_owned(),
        ),
    }
}
