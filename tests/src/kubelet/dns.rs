//! A name server: answers questions for IPv4 addresses, RFC 1035.

use super::setup::Dns;
use std::net::Ipv4Addr;

const HEADER: usize = 12;
const NX_DOMAIN: u8 = 3;
const SERV_FAIL: u8 = 2;
const TYPE_A: u16 = 1;

/// The answer to a question, if there is one.
pub fn answer(question: &[u8], mode: Dns, find: impl Fn(&str) -> Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let (name, end) = name(question)?;
    let kind = u16::from_be_bytes(question.get(end..end + 2)?.try_into().ok()?);
    let section = question.get(HEADER..end + 4)?;
    let found = find(&name);
    let (code, address) = match mode {
        Dns::Silent => return None,
        Dns::ServFail => (SERV_FAIL, None),
        Dns::NxDomain => (NX_DOMAIN, None),
        Dns::Empty => (0, None),
        Dns::Answers if found.is_none() => (NX_DOMAIN, None),
        // There are no addresses of other kinds.
        Dns::Answers => (0, found.filter(|_| kind == TYPE_A)),
    };
    // A response to a recursive query, by a server that recurses; one question, as many answers.
    let counts = [0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0];
    let mut response = [&question[..2], &[0x81, 0x80 | code], &counts, section].concat();
    if let Some(address) = address {
        // The name of the question, type A, class IN, 30 seconds, four bytes.
        response.extend([0xC0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4]);
        response.extend(address.octets());
    }
    Some(response)
}

/// The name that is asked for, and where it ends.
fn name(question: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        let label = question.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_lowercase());
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03sts\x03aws\x00\x00\x01\x00\x01";

    fn ask(question: &[u8], mode: Dns) -> Option<Vec<u8>> {
        answer(question, mode, |name| (name == "sts.aws").then_some(Ipv4Addr::new(10, 0, 0, 1)))
    }

    #[test]
    fn an_address() {
        let answer = ask(QUESTION, Dns::Answers).unwrap();
        assert_eq!(&answer[..8], b"\x12\x34\x81\x80\x00\x01\x00\x01");
        assert!(answer.ends_with(&[0, 4, 10, 0, 0, 1]));
    }

    #[test]
    fn no_address() {
        let other = [&QUESTION[..13], b"xyz", &QUESTION[16..]].concat();
        assert_eq!(ask(&other, Dns::Answers).unwrap()[3], 0x80 | NX_DOMAIN);
        assert_eq!(ask(QUESTION, Dns::ServFail).unwrap()[3], 0x80 | SERV_FAIL);
        assert_eq!(ask(QUESTION, Dns::Empty).unwrap()[6..8], [0, 0]);
        assert_eq!(ask(QUESTION, Dns::Silent), None);
        let ipv6 = [&QUESTION[..22], b"\x1c\x00\x01"].concat();
        assert_eq!(ask(&ipv6, Dns::Answers).unwrap()[6..8], [0, 0], "the name exists");
        assert_eq!(ask(b"short", Dns::Answers), None);
    }
}
