//! The `lexstream` command.

use std::process::ExitCode;

/// Queries allocate and free many batches on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lexstream::cli::main()
}
