//! Ctrl-C and SIGTERM: every wait looks here, so that all processes are stopped in order.

use crate::{Error, Result};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Longest time until an interruption is noticed.
const SLICE: Duration = Duration::from_millis(25);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens for SIGINT and SIGTERM from now on. The second one ends the program at once.
///
/// # Errors
///
/// If the system refuses to deliver signals to this program.
pub fn listen() -> Result<()> {
    let fail = |cause: std::io::Error| {
        Error::failed("signals", cause.to_string(), "stop this program's children by hand later")
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fail)?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            wait_for_signal().await;
            INTERRUPTED.store(true, Ordering::SeqCst);
            wait_for_signal().await;
            std::process::exit(130);
        });
    });
    Ok(())
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{signal, SignalKind};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Whether a signal came.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Fails if a signal came.
///
/// # Errors
///
/// [`Error::Interrupted`].
pub fn check() -> Result<()> {
    if interrupted() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

/// Sleeps, unless a signal comes.
///
/// # Errors
///
/// [`Error::Interrupted`].
pub fn sleep(duration: Duration) -> Result<()> {
    let end = Instant::now() + duration;
    loop {
        check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(SLICE));
    }
}

/// Asks `ready` every `every` until it answers, at most for `limit`; `None` if the time is over.
///
/// # Errors
///
/// [`Error::Interrupted`], and whatever `ready` fails with.
pub fn poll<T>(
    limit: Duration,
    every: Duration,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = ready()? {
            return Ok(Some(value));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        sleep(every)?;
    }
}
