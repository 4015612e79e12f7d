//! Who wants a command to end: Ctrl-C, or a scheduler.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::tell::tell;

static TERMINATED: AtomicBool = AtomicBool::new(false);

/// Whether a scheduler has asked the process to end (SIGTERM).
pub(super) fn was_terminated() -> bool {
    TERMINATED.load(Ordering::Relaxed)
}

/// Waits until a scheduler asks the process to end.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut stream) => drop(stream.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// A flag that the first Ctrl-C sets, or a scheduler; the second Ctrl-C ends the process at once.
pub(super) fn stop_on_interrupt() -> io::Result<&'static AtomicBool> {
    static STOP: AtomicBool = AtomicBool::new(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let terminate = async {
        terminated().await;
        TERMINATED.store(true, Ordering::Relaxed);
        STOP.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    };
    let interrupt = async {
        while tokio::signal::ctrl_c().await.is_ok() {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            tell("\nfinishing what is running; Ctrl-C again stops at once");
        }
    };
    let listen = async move {
        tokio::join!(terminate, interrupt);
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || runtime.block_on(listen))?;
    Ok(&STOP)
}
