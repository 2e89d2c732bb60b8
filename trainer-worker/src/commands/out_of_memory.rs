//! What a program says when the system refuses it memory.
//!
//! Rust's own answer is to abort with the size of the allocation. That does not help who runs a
//! training, so the allocator says what to lower. It cannot speak where the system grants memory
//! that it does not have and kills the process later (Linux, as it is set up mostly): a training
//! leaves a mark for that case, see [`super::train`].

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

/// Whether errors are JSON objects.
static JSON: AtomicBool = AtomicBool::new(false);
/// What the running command can do about it.
static ADVICE: OnceLock<&'static str> = OnceLock::new();

/// Says errors as JSON objects from here on.
pub(crate) fn as_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Sets what is said beside the size of the allocation; the first to set it is heard.
pub(crate) fn advise(text: &'static str) {
    let _ = ADVICE.set(text);
}

/// The system's allocator, which ends the process with an error where there is no memory.
pub(crate) struct Allocator;

impl Allocator {
    #[cold]
    fn refuse(size: usize) -> ! {
        let advice = ADVICE.get().copied().unwrap_or(
            "use a smaller model or a quantised one, or give the process more (ulimit -v, control group)",
        );
        // Nothing here allocates: the formatting goes to the descriptor piece by piece.
        let mut out = std::io::stderr();
        let (open, close) = if JSON.load(Ordering::Relaxed) {
            ("{\"error\":{\"kind\":\"refused\",\"code\":null,\"message\":\"", "\",\"next\":null}}")
        } else {
            ("error: ", "")
        };
        let _ = writeln!(
            out,
            "{open}out of memory: the system refuses {:.1} MiB more; {advice}{close}",
            size as f64 / f64::from(1 << 20)
        );
        #[cfg(unix)]
        {
            extern "C" {
                fn _exit(code: i32) -> !;
            }
            // SAFETY: ends the process at once. Handlers of a normal exit might need memory.
            unsafe { _exit(super::error::Kind::Refused as i32) }
        }
        #[cfg(not(unix))]
        std::process::abort()
    }
}

fn checked(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() {
        Allocator::refuse(size);
    }
    pointer
}

// SAFETY: every call is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.realloc(pointer, layout, size) }, size)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
