//! Whatever answers the probe over HTTP, its report stays a report, and no credentials get into it.
#![no_main]

use std::io::{self, Read, Write};

use irsa_fuzz::aws::answer;
use irsa_fuzz::net::exchange::{Request, exchange};
use irsa_fuzz::secrets::Secrets;
use irsa_probe::Answer;
use libfuzzer_sys::fuzz_target;

/// Says these bytes, whatever it is asked.
struct Peer<'a>(&'a [u8]);

impl Read for Peer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Peer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let request = Request { method: "GET", target: "/", host: "h", headers: &[], body: b"" };
    let Ok(response) = exchange(&mut Peer(bytes), &request) else { return };
    let answer = answer::read(&response, answer::ASSUME);
    assert!(answer.arn.is_none() || answer::credentials(&response).is_some(), "no credentials, no success");
    let secrets = Secrets::default();
    if let Some(credentials) = answer::credentials(&response) {
        credentials.hide(&secrets);
    }
    let json = serde_json::to_string(&answer).expect("an answer is JSON");
    let scrubbed = secrets.scrub(&json);
    assert!(serde_json::from_str::<Answer>(&scrubbed).is_ok(), "{scrubbed}");
    assert_eq!(secrets.scrub(&scrubbed), scrubbed, "nothing is left to withhold");
});
