//! Long work on threads, without Python's lock, that Ctrl-C stops.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cookc::data::Observer;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::ThreadPool;

use crate::error::raised;

/// Between two looks at whether a signal came.
const TICK: Duration = Duration::from_millis(50);

/// The threads, and the process that they are of: a forked process has none of its parent's.
static THREADS: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Does work on all cores, without Python's lock. A signal whose handler raises, as Ctrl-C's does,
/// stops it.
pub fn detached<T: Send>(
    py: Python,
    work: impl FnOnce(&Observer) -> Result<T, cookc::Error> + Send,
) -> PyResult<T> {
    let threads = threads(py)?;
    let cancel = AtomicBool::new(false);
    let mut interrupt = None;
    let done = py.detach(|| {
        let (sender, receiver) = sync_channel(1);
        threads.in_place_scope(|scope| {
            let cancel = &cancel;
            scope.spawn(move |_| {
                let observer = Observer { cancel, event: &|_| {} };
                // The other end waits for it, or for the panic that leaves it without one.
                let _ = sender.send(work(&observer));
            });
            loop {
                match receiver.recv_timeout(TICK) {
                    Ok(done) => return Some(done),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) if interrupt.is_some() => {}
                    Err(RecvTimeoutError::Timeout) => {
                        interrupt = Python::attach(|py| py.check_signals()).err();
                        cancel.store(interrupt.is_some(), Ordering::Relaxed);
                    }
                }
            }
        })
    });
    if let Some(interrupt) = interrupt {
        return Err(interrupt);
    }
    match done {
        Some(done) => done.map_err(|error| raised(py, error)),
        None => Err(PyRuntimeError::new_err("the work ended without a result")),
    }
}

/// This process' threads. The lock is taken with Python's lock held, so no other thread has it at
/// the moment of a fork.
pub fn threads(_: Python) -> PyResult<Arc<ThreadPool>> {
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    match threads.take() {
        Some((of, pool)) if of == process => {
            *threads = Some((of, pool.clone()));
            return Ok(pool);
        }
        // Nothing of the parent's threads is here to be ended.
        Some(parent) => std::mem::forget(parent),
        None => {}
    }
    let pool = rayon::ThreadPoolBuilder::new().build();
    let pool = pool.map_err(|why| PyRuntimeError::new_err(format!("no threads: {why}")))?;
    let pool = Arc::new(pool);
    *threads = Some((process, pool.clone()));
    Ok(pool)
}
