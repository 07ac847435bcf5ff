//! A socket with a deadline. The system's own timeouts bound a single call: a peer that sends a byte now and then could hang it
//! for ever.

use crate::deadline::Deadline;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A socket with a deadline.
pub struct Timed {
    stream: TcpStream,
    deadline: Deadline,
}

impl Timed {
    /// This socket, until then.
    pub fn new(stream: TcpStream, deadline: Deadline) -> Timed {
        Timed { stream, deadline }
    }

    /// Until then.
    pub fn until(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.deadline.remaining()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.deadline.remaining()?))?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
