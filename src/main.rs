//! The `lexstream` command.

use std::ffi::{c_int, c_long};
use std::process::ExitCode;

/// Queries allocate and free many batches on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, which the crate has no name for.
const PURGE_DELAY: c_int = 15;

/// How long freed memory waits for the next batch before the system has it back, in milliseconds.
///
/// mimalloc's 10 are shorter than a batch takes: the kernel cleared every page anew, a third of the time of `tokenize`.
const WAITING: c_long = 500;

fn main() -> ExitCode {
    #[expect(unsafe_code, reason = "the allocator has no safe call for it")]
    // SAFETY: it takes two numbers and touches nothing but its own options. MIMALLOC_PURGE_DELAY goes first.
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, WAITING);
    }
    lexstream::cli::main()
}
