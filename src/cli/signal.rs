//! A person's or the system's wish that a command ends.

use super::failure::Failure;

/// Waits for it.
pub(super) async fn signal() -> Failure {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            return tokio::select! {
                _ = tokio::signal::ctrl_c() => Failure::Interrupted,
                _ = terminate.recv() => Failure::Terminated,
            };
        }
    }
    // Without a handler, the signal ends the process.
    let _ = tokio::signal::ctrl_c().await;
    Failure::Interrupted
}
