//! Reading from what may have no end. Whatever is read from outside comes through here (a file, a program's output, an answer of a
//! server), each with the most that it can sensibly be. What is dropped while it is read is wiped: any of it may be a secret.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

/// What a read begins with where nothing tells how much will come.
const FIRST: usize = 16 << 10;

/// A size in bytes, at most. It prints itself as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub usize);

impl Limit {
    /// So many KiB.
    pub const fn kib(count: usize) -> Self {
        Self(count << 10)
    }

    /// So many MiB.
    pub const fn mib(count: usize) -> Self {
        Self(count << 20)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 => write!(f, "{} MiB", bytes >> 20),
            bytes => write!(f, "{} KiB", bytes >> 10),
        }
    }
}

/// More came than is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the answer is larger than {0}")]
pub struct TooLarge(pub Limit);

/// What an error of a body is, whoever sends it.
type Failure = Box<dyn Error + Send + Sync>;

/// The same body, with [`TooLarge`] instead of what goes beyond the limit.
pub fn body<B>(body: B, limit: Limit) -> impl Body<Data = Bytes, Error = Failure>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Failure>,
{
    Limited::new(body, limit.0).map_err(move |error: Failure| match error.is::<LengthLimitError>() {
        true => TooLarge(limit).into(),
        false => error,
    })
}

/// The whole of a body. One that says beforehand that it is too large is not read at all.
///
/// # Errors
/// [`TooLarge`], or what the body ends with.
pub async fn whole<B>(from: B, limit: Limit) -> Result<Zeroizing<Vec<u8>>, Failure>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Failure>,
{
    let promised = from.size_hint().lower();
    if promised > limit.0 as u64 {
        return Err(TooLarge(limit).into());
    }
    let mut read = buffer(usize::try_from(promised).unwrap_or_default());
    let mut from = std::pin::pin!(body(from, limit));
    while let Some(frame) = from.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            add(&mut read, &bytes, limit);
        }
    }
    Ok(read)
}

/// The beginning of a body, where it goes on beyond the limit.
///
/// # Errors
/// What the body ends with before that.
pub async fn beginning<B>(mut from: B, limit: Limit) -> Result<Zeroizing<Vec<u8>>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut read = buffer(0);
    while let Some(frame) = from.frame().await {
        let Ok(bytes) = frame?.into_data() else { continue };
        let room = limit.0 - read.len();
        add(&mut read, bytes.get(..room).unwrap_or(&bytes), limit);
        if bytes.len() >= room {
            break;
        }
    }
    Ok(read)
}

/// What a program writes; `None` if that is too much.
///
/// # Errors
/// The system's.
pub async fn output(
    mut from: impl AsyncRead + Unpin,
    limit: Limit,
) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let (mut read, mut part) = (buffer(0), buffer(FIRST));
    part.resize(FIRST, 0);
    loop {
        match from.read(&mut part).await? {
            0 => return Ok(Some(read)),
            count if read.len() + count > limit.0 => return Ok(None),
            count => add(&mut read, part.get(..count).unwrap_or_default(), limit),
        }
    }
}

/// A file cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system's reason.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is too large to be what it should be, or has no end.
    #[error("it is larger than {0}")]
    TooLarge(Limit),
}

/// A file that somebody named. It may be a pipe (`<(…)`), a device or a directory. Blocks: call it where that holds up nothing.
///
/// # Errors
/// It cannot be read, or it is too large.
pub fn file(path: &Path, limit: Limit) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > limit.0 as u64 {
        return Err(FileError::TooLarge(limit));
    }
    // One byte more, so that the end is seen without another buffer.
    stream(file, usize::try_from(size).unwrap_or_default() + 1, limit)
}

/// The same of what is open already.
///
/// # Errors
/// It cannot be read, or it is too large.
#[expect(clippy::disallowed_methods, reason = "each time as far as there is room")]
pub fn stream(mut from: impl Read, expected: usize, limit: Limit) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut read = buffer(expected.max(1));
    loop {
        // `Read::read_to_end` would leave what it read so far where it was, each time that it needs more room.
        let (length, room) = (read.len(), read.capacity());
        let mut free = Read::take(&mut from, (room - length) as u64);
        free.read_to_end(&mut read)?;
        if read.len() > limit.0 {
            return Err(FileError::TooLarge(limit));
        }
        if read.len() < room {
            return Ok(read);
        }
        // One byte more, by which too much is known.
        grow(&mut read, (2 * room).min(limit.0 + 1));
    }
}

/// The same, where something else goes on meanwhile. What hangs (a pipe that nobody writes to) is left behind with its thread.
///
/// # Errors
/// It cannot be read, or it is too large.
pub async fn file_meanwhile(path: &str, limit: Limit) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || file(Path::new(&path), limit)).await;
    read.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

fn buffer(capacity: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(capacity))
}

/// Adds to a buffer. A `Vec` that grows by itself leaves its content where it was, and may grow beyond what will ever be in it.
fn add(to: &mut Zeroizing<Vec<u8>>, bytes: &[u8], limit: Limit) {
    let needed = to.len() + bytes.len();
    if needed > to.capacity() {
        grow(to, needed.max((2 * to.capacity()).max(FIRST).min(limit.0)));
    }
    to.extend_from_slice(bytes);
}

fn grow(buffer: &mut Zeroizing<Vec<u8>>, capacity: usize) {
    let mut larger = self::buffer(capacity);
    larger.extend_from_slice(buffer);
    *buffer = larger;
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::SocketAddr;

    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server whose every answer has this status and no end.
    pub async fn endless(status: &'static str) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let head = format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n");
                    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
                    let _ = stream.read(&mut [0; 4096]).await;
                    let mut sent = stream.write_all(head.as_bytes()).await;
                    while sent.is_ok() {
                        sent = stream.write_all(chunk.as_bytes()).await;
                    }
                });
            }
        });
        address
    }

    fn of(size: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![b'x'; size]))
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let limit = Limit::kib(1);
        assert_eq!(whole(of(1024), limit).await.unwrap().len(), 1024);
        let error = whole(of(1025), limit).await.unwrap_err();
        assert_eq!(error.to_string(), "the answer is larger than 1 KiB");
        assert_eq!(beginning(of(1025), limit).await.unwrap().len(), 1024);
        assert_eq!(beginning(of(3), limit).await.unwrap().as_slice(), b"xxx");
    }

    #[tokio::test]
    async fn an_output_is_read_up_to_its_limit() {
        let limit = Limit::kib(64);
        let text = vec![b'x'; limit.0];
        assert_eq!(output(text.as_slice(), limit).await.unwrap().unwrap().len(), limit.0);
        assert!(output([text.as_slice(), b"x"].concat().as_slice(), limit).await.unwrap().is_none());
        assert!(output(tokio::io::repeat(b'x'), limit).await.unwrap().is_none());
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let limit = Limit::kib(64);
        for size in [0, 1, 31, 32, 33, 4095, limit.0] {
            let text = vec![b'x'; size];
            std::fs::write(&path, &text).unwrap();
            assert_eq!(*file(&path, limit).unwrap(), text);
            assert_eq!(*stream(text.as_slice(), 0, limit).unwrap(), text);
        }
        std::fs::write(&path, vec![b'x'; limit.0 + 1]).unwrap();
        assert_eq!(file(&path, limit).unwrap_err().to_string(), "it is larger than 64 KiB");
        assert!(matches!(file(directory.path(), limit), Err(FileError::Io(_))));
    }

    #[test]
    #[cfg(unix)]
    fn a_device_without_end_is_refused() {
        let zero = file(Path::new("/dev/zero"), Limit::mib(1));
        assert!(matches!(zero, Err(FileError::TooLarge(_))));
        assert!(file(Path::new("/dev/null"), Limit::mib(1)).unwrap().is_empty());
    }
}
