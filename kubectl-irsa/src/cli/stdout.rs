//! Writing to stdout so that no failure is taken for a success.
//!
//! What was closed before the start (`>&-`) cannot be noticed: Go's runtime in kubectl, and Rust's here, put `/dev/null` in its place
//! before a line of a program runs, and a caller that wants to see nothing hands over the very same.

use std::io;

/// Writes all of it.
#[cfg(unix)]
pub fn write(bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::fd::AsFd;
    // std's own handle takes it for written where the descriptor cannot be written to (EBADF).
    std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?).write_all(bytes)
}

/// Writes all of it.
#[cfg(not(unix))]
pub fn write(bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
