//! Answers of the AWS query protocol, and what is no such answer.

use super::Credentials;
use crate::environment::shortened;
use crate::net::exchange::Response;
use irsa_probe::Answer;
use zeroize::Zeroizing;

/// No message is longer in the report.
const LONGEST: usize = 1024;
/// What is quoted of an answer that is not the service's.
const EXCERPT: usize = 200;

/// What an answer to this operation says, apart from credentials. What is not the service's says neither yes nor no: only what came
/// instead is told.
pub fn read(response: &Response, operation: &str) -> Answer {
    let body = text(response);
    let header = |name| response.head.header(name).map(|value| shortened(value, LONGEST));
    let mut answer = Answer {
        status: Some(response.head.status),
        request_id: element(&body, "RequestId").or_else(|| header("x-amzn-requestid")),
        ..Answer::default()
    };
    if response.head.status < 300 {
        if let Some(body) = accepted(&body, operation) {
            answer.arn = element(body, "Arn");
            answer.account = element(body, "Account");
            answer.expiration = element(body, "Expiration");
        }
    } else if response.head.status >= 400
        && let Some(body) = within(&body, "ErrorResponse")
    {
        answer.code = element(body, "Code").filter(|code| !code.is_empty());
        answer.message = element(body, "Message").filter(|_| answer.code.is_some());
    }
    if answer.arn.is_none() && answer.code.is_none() {
        answer.content_type = header("content-type");
        // Of a success nothing is quoted: it could hold credentials in a form that is not known here.
        answer.excerpt = (response.head.status >= 300).then(|| shortened(body.trim(), EXCERPT));
    }
    answer
}

/// The credentials of a successful answer.
pub fn credentials(response: &Response) -> Option<Credentials> {
    let body = text(response);
    Some(response).filter(|response| response.head.status == 200)?;
    given(within(&body, &format!("{ASSUME}Response"))?)
}

/// The operation whose answer holds credentials.
pub const ASSUME: &str = "AssumeRoleWithWebIdentity";

fn given(body: &str) -> Option<Credentials> {
    let body = inner(body, "Credentials")?;
    let secret = |name| {
        inner(body, name)
            .map(|text| unescaped(text.trim()))
            .filter(|text| !text.is_empty())
            .map(Zeroizing::new)
    };
    Some(Credentials {
        access_key: secret("AccessKeyId")?,
        secret_key: secret("SecretAccessKey")?,
        session_token: secret("SessionToken")?,
    })
}

/// A whole answer that says yes: who is meant, and with credentials where there must be some.
fn accepted<'a>(xml: &'a str, operation: &str) -> Option<&'a str> {
    let body = within(xml, &format!("{operation}Response"))?;
    let is_whole = inner(body, "Arn").is_some() && (operation != ASSUME || given(body).is_some());
    is_whole.then_some(body)
}

/// What is in the element that is the whole document.
fn within<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let mut text = xml.trim_start_matches('\u{feff}').trim();
    if text.starts_with("<?xml") {
        text = text.split_once("?>")?.1.trim_start();
    }
    let rest = text.strip_prefix('<')?.strip_prefix(name)?;
    let (attributes, rest) = rest.split_once('>')?;
    let named = attributes.is_empty() || attributes.starts_with(|c: char| c.is_ascii_whitespace());
    rest.strip_suffix(&format!("</{name}>")).filter(|_| named)
}

fn text(response: &Response) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(&response.body).into_owned())
}

/// The text of the first element of this name. STS nests no two elements of a name in each other.
fn element(xml: &str, name: &str) -> Option<String> {
    inner(xml, name).map(|text| shortened(unescaped(text).trim(), LONGEST))
}

fn inner<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let rest = xml.get(start..)?;
    rest.get(..rest.find(&format!("</{name}>"))?)
}

/// The entities that XML itself defines; `&amp;` last, so that no text is unescaped twice.
fn unescaped(text: &str) -> String {
    const ENTITIES: [(&str, &str); 6] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::exchange::{Request, exchange};
    use std::io::{self, Cursor, Read, Write};

    struct Says(Cursor<String>);

    impl Read for Says {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Says {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            Ok(buffer.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const SESSION: &str = "<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser>";
    const KEYS: &str = "<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>very-secret</SecretAccessKey>\
                        <SessionToken>also-secret</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration></Credentials>";
    const REFUSED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not &amp;lt; &quot;you&quot;\
                           </Message></Error><RequestId>r-2</RequestId></ErrorResponse>";

    fn given_to(operation: &str, result: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>\
             {result}</{operation}Result></{operation}Response>\n"
        )
    }

    fn response(status: u16, body: &str) -> Response {
        let says =
            format!("HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nx-amzn-RequestId: r-1\r\n\r\n{body}");
        let request = Request { method: "GET", target: "/", host: "h", headers: &[], body: b"" };
        exchange(&mut Says(Cursor::new(says)), &request).unwrap()
    }

    #[test]
    fn an_error_is_quoted() {
        let answer = read(&response(403, REFUSED), ASSUME);
        assert_eq!((answer.status, answer.code.as_deref()), (Some(403), Some("AccessDenied")));
        assert_eq!(answer.message.as_deref(), Some("Not &lt; \"you\""));
        assert_eq!((answer.request_id.as_deref(), answer.excerpt), (Some("r-2"), None));
    }

    #[test]
    fn a_success_has_credentials_and_shows_none() {
        let response = response(200, &given_to(ASSUME, &format!("{SESSION}{KEYS}")));
        let answer = read(&response, ASSUME);
        assert_eq!(answer.arn.as_deref(), Some("arn:aws:sts::1:assumed-role/r/s"));
        assert_eq!(answer.expiration.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert!(!format!("{answer:?}").contains("secret"));
        assert!(credentials(&response).is_some_and(|found| *found.secret_key == "very-secret"));
    }

    #[test]
    fn what_is_not_sts_says_neither_yes_nor_no() {
        let whole = given_to(ASSUME, &format!("{SESSION}{KEYS}"));
        let half = whole.get(..whole.len() - 30).unwrap();
        let without_keys = given_to(ASSUME, SESSION);
        let without_secret = given_to(ASSUME, &format!("{SESSION}{}", KEYS.replace("very-secret", " ")));
        let of_another = given_to("GetCallerIdentity", &format!("{SESSION}{KEYS}"));
        let page = format!("<html><body>{REFUSED}{SESSION}{KEYS}</body></html>");
        let bodies = [
            "",
            " \n",
            "null",
            "{}",
            "[]",
            "ok",
            "<a/>",
            half,
            &without_keys,
            &without_secret,
            &of_another,
            &page,
        ];
        for body in bodies {
            for status in [200, 204, 302, 400, 403, 407, 500, 502, 503] {
                let response = response(status, body);
                let answer = read(&response, ASSUME);
                assert_eq!((answer.arn, answer.code, answer.message), (None, None, None), "{status} {body}");
                assert_eq!(answer.status, Some(status));
                assert!(credentials(&response).is_none(), "{status} {body}");
                assert_eq!(answer.excerpt.is_some(), status >= 300, "{status} {body}");
            }
        }
        for end in 0..REFUSED.len() {
            assert_eq!(read(&response(403, REFUSED.get(..end).unwrap()), ASSUME).code, None, "{end}");
        }
        assert_eq!(read(&response(200, REFUSED), ASSUME).code, None);
        assert_eq!(read(&response(302, REFUSED), ASSUME).code, None);
    }

    #[test]
    fn what_is_not_sts_is_quoted_only_as_a_failure() {
        let page = read(&response(502, "<html>Bad gateway</html>"), ASSUME);
        assert_eq!(page.excerpt.as_deref(), Some("<html>Bad gateway</html>"));
        assert_eq!(
            (page.content_type.as_deref(), page.request_id.as_deref()),
            (Some("text/xml"), Some("r-1"))
        );
        let half = "<AssumeRoleWithWebIdentityResponse><Arn>arn:aws:sts::1:assumed-role/r/s</Arn>";
        assert_eq!(read(&response(200, half), ASSUME).arn, None);
        let page = read(&response(200, "{\"SecretAccessKey\":\"very-secret\"}"), ASSUME);
        assert_eq!((page.excerpt, page.code), (None, None));
    }
}
