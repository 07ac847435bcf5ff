//! One request and one answer of HTTP/1.1.

use irsa_probe::{Fault, FaultKind};
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

/// No answer is longer.
const LONGEST: usize = 64 * 1024;
const MOST_HEADERS: usize = 64;

/// A request.
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path and query; for CONNECT the authority.
    pub target: &'a str,
    /// The header `Host`.
    pub host: &'a str,
    /// The other headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
}

/// An answer. Its body may hold credentials.
pub struct Response {
    /// The head.
    pub head: Head,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl Head {
    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(found.1.as_str())
    }
}

/// Sends a request and reads its answer; the connection is of no more use then.
pub fn exchange(stream: &mut (impl Read + Write + ?Sized), request: &Request<'_>) -> Result<Response, Fault> {
    send(stream, request)?;
    let (head, rest) = read_head(stream, 4096)?;
    let body = read_body(stream, &head, rest)?;
    Ok(Response { head, body })
}

/// Sends a request.
pub fn send(stream: &mut (impl Write + ?Sized), request: &Request<'_>) -> Result<(), Fault> {
    let Request { method, target, host, headers, body } = request;
    let length = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>();
    // One allocation: what a growing vector leaves behind is not wiped.
    let mut message =
        Zeroizing::new(Vec::with_capacity(256 + target.len() + host.len() + length + body.len()));
    write!(
        message,
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: irsa-probe\r\nAccept: */*\r\n"
    )?;
    if *method != "CONNECT" {
        write!(message, "Connection: close\r\nContent-Length: {}\r\n", body.len())?;
    }
    for (name, value) in *headers {
        // A line break would begin a header of its own.
        if value.contains(['\r', '\n', '\0']) {
            return Err(Fault::new(FaultKind::Invalid, format!("{name} has a line break")));
        }
        write!(message, "{name}: {value}\r\n")?;
    }
    message.extend_from_slice(b"\r\n");
    message.extend_from_slice(body);
    stream.write_all(&message)?;
    stream.flush()?;
    Ok(())
}

/// Reads the head of an answer, `step` bytes at a time, and what was read beyond it.
pub fn read_head(
    stream: &mut (impl Read + ?Sized),
    step: usize,
) -> Result<(Head, Zeroizing<Vec<u8>>), Fault> {
    let mut read = Zeroizing::new(Vec::with_capacity(LONGEST + step));
    loop {
        match parse_head(&read)? {
            // An interim answer: the real one follows.
            Some((length, head)) if (100..200).contains(&head.status) => drop(read.drain(..length)),
            Some((length, head)) => {
                read.drain(..length);
                return Ok((head, read));
            }
            None if read.len() > LONGEST => return Err(protocol("its head is too long")),
            None => {
                if more(stream, &mut read, step)? == 0 {
                    let after = if read.is_empty() { "nothing" } else { "a part of its head" };
                    return Err(Fault::new(
                        FaultKind::Reset,
                        format!("the connection was closed after {after}"),
                    ));
                }
            }
        }
    }
}

/// A head and its length, if it is complete.
fn parse_head(read: &[u8]) -> Result<Option<(usize, Head)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(read) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(protocol(&error.to_string())),
    };
    let status = response.code.ok_or_else(|| protocol("it has no status"))?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = response.headers.iter().map(|header| (header.name.to_owned(), text(header.value)));
    Ok(Some((length, Head { status, headers: headers.collect() })))
}

fn read_body(
    stream: &mut (impl Read + ?Sized),
    head: &Head,
    mut read: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let chunked = head.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let length = match head.header("content-length") {
        _ if chunked => None,
        _ if matches!(head.status, 204 | 304) => Some(0),
        Some(value) => Some(value.parse().map_err(|_| protocol("its length is no number"))?),
        None => None,
    };
    loop {
        if let Some(length) = length
            && read.len() >= length
        {
            read.truncate(length);
            return Ok(read);
        }
        if chunked && let Some(body) = unchunk(&read)? {
            return Ok(body);
        }
        if read.len() > LONGEST {
            return Err(protocol("it is too long"));
        }
        match more(stream, &mut read, 4096) {
            // Without a length the end of the connection is the end of the body; many servers end TLS without a word.
            Ok(0) if length.is_none() && !chunked => return Ok(read),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && length.is_none() && !chunked => {
                return Ok(read);
            }
            Ok(0) => return Err(Fault::new(FaultKind::Reset, "the connection was closed within the answer")),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The body of complete chunks, if they are.
fn unchunk(mut read: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    let mut body = Zeroizing::new(Vec::with_capacity(read.len()));
    loop {
        let (start, size) = match httparse::parse_chunk_size(read) {
            Ok(httparse::Status::Complete(chunk)) => chunk,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(protocol("a chunk has no size")),
        };
        if size == 0 {
            return Ok(Some(body));
        }
        let size = usize::try_from(size).ok().filter(|&size| size <= LONGEST);
        let end = start + size.ok_or_else(|| protocol("a chunk is too long"))?;
        // Two bytes end the line.
        let Some(chunk) = read.get(start..end).filter(|_| read.len() >= end + 2) else { return Ok(None) };
        body.extend_from_slice(chunk);
        read = &read[end + 2..];
    }
}

fn more(stream: &mut (impl Read + ?Sized), to: &mut Vec<u8>, step: usize) -> io::Result<usize> {
    let old = to.len();
    to.resize(old + step, 0);
    let result = loop {
        match stream.read(&mut to[old..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    to.truncate(old + result.as_ref().map_or(0, |&count| count));
    result
}

fn protocol(why: &str) -> Fault {
    Fault::new(FaultKind::Protocol, format!("the answer is not understood: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Answers with these bytes, a few at a time, and keeps what it is told.
    struct Peer<'a> {
        says: &'a [u8],
        at_a_time: usize,
        heard: Vec<u8>,
    }

    impl Read for Peer<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.says.len().min(self.at_a_time).min(buffer.len());
            let (now, later) = self.says.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.says = later;
            Ok(count)
        }
    }

    impl Write for Peer<'_> {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.heard.extend_from_slice(buffer);
            Ok(buffer.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const REQUEST: Request<'_> =
        Request { method: "POST", target: "/x", host: "h", headers: &[("A", "b")], body: b"body" };

    fn answer(says: &str, at_a_time: usize) -> Result<(u16, String), FaultKind> {
        let mut peer = Peer { says: says.as_bytes(), at_a_time, heard: Vec::new() };
        let response = exchange(&mut peer, &REQUEST).map_err(|fault| fault.kind)?;
        Ok((response.head.status, String::from_utf8(response.body.to_vec()).unwrap()))
    }

    #[test]
    fn a_request_has_a_host_a_length_and_its_headers() {
        let mut peer = Peer { says: b"", at_a_time: 1, heard: Vec::new() };
        send(&mut peer, &REQUEST).unwrap();
        let heard = String::from_utf8(peer.heard).unwrap();
        assert!(heard.starts_with("POST /x HTTP/1.1\r\nHost: h\r\n"), "{heard}");
        assert!(heard.ends_with("Content-Length: 4\r\nA: b\r\n\r\nbody"), "{heard}");
    }

    #[test]
    fn no_header_is_smuggled() {
        let mut peer = Peer { says: b"", at_a_time: 1, heard: Vec::new() };
        let request = Request { headers: &[("A", "b\r\nC: d")], ..REQUEST };
        assert_eq!(send(&mut peer, &request).unwrap_err().kind, FaultKind::Invalid);
        assert!(peer.heard.is_empty());
    }

    #[test]
    fn bodies_end_by_length_chunk_or_close() {
        for at_a_time in [1, 3, 5000] {
            for (says, status, body) in [
                ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", 200, "ab"),
                (
                    "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
                    403,
                    "abc",
                ),
                ("HTTP/1.0 200 OK\r\n\r\nabc", 200, "abc"),
                ("HTTP/1.1 204 None\r\n\r\n", 204, ""),
                ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 200, "a"),
            ] {
                assert_eq!(answer(says, at_a_time), Ok((status, body.to_owned())), "{says}");
            }
        }
    }

    #[test]
    fn broken_answers_are_told_apart() {
        for (says, kind) in [
            ("", FaultKind::Reset),
            ("HTTP/1.1 200", FaultKind::Reset),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", FaultKind::Reset),
            ("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc", FaultKind::Protocol),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", FaultKind::Protocol),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                FaultKind::Protocol,
            ),
            ("SSH-2.0-OpenSSH\r\n\r\n", FaultKind::Protocol),
        ] {
            assert_eq!(answer(says, 7), Err(kind), "{says}");
        }
        let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(LONGEST + 4096));
        assert_eq!(answer(&long, 5000), Err(FaultKind::Protocol));
    }

    #[test]
    fn the_head_of_a_tunnel_ends_where_it_ends() {
        let says = b"HTTP/1.1 200 Connection established\r\n\r\nTLS";
        let mut peer = Peer { says, at_a_time: 100, heard: Vec::new() };
        let (head, rest) = read_head(&mut peer, 1).unwrap();
        assert_eq!((head.status, rest.len(), peer.says), (200, 0, b"TLS".as_slice()));
    }

    proptest! {
        #[test]
        fn no_answer_is_too_wild(says: Vec<u8>, head: bool, at_a_time in 1_usize..50) {
            let mut all = if head { b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec() } else { Vec::new() };
            all.extend(says);
            let mut peer = Peer { says: &all, at_a_time, heard: Vec::new() };
            if let Ok(response) = exchange(&mut peer, &REQUEST) {
                prop_assert!(response.body.len() <= all.len());
            }
        }
    }
}
