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

/// What an answer says, apart from credentials.
pub fn read(response: &Response) -> Answer {
    let body = text(response);
    let header = |name| response.head.header(name).map(|value| shortened(value, LONGEST));
    let mut answer = Answer {
        status: Some(response.head.status),
        request_id: element(&body, "RequestId").or_else(|| header("x-amzn-requestid")),
        ..Answer::default()
    };
    if response.head.status < 300 && is_whole(&body) {
        answer.arn = element(&body, "Arn");
        answer.account = element(&body, "Account");
        answer.expiration = element(&body, "Expiration");
    } else if response.head.status >= 300 {
        answer.code = element(&body, "Code");
        answer.message = element(&body, "Message");
    }
    if answer.arn.is_none() && answer.code.is_none() {
        answer.content_type = header("content-type");
        // Of a success nothing is quoted: it could hold credentials in a form that is not known here.
        answer.excerpt = (response.head.status >= 300).then(|| shortened(body.trim(), EXCERPT));
    }
    answer
}

/// Whether the document ends with the element that it begins with.
fn is_whole(xml: &str) -> bool {
    let text = xml.trim();
    let body = match text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_, rest)) => rest.trim_start(),
        None => text,
    };
    let name = body.strip_prefix('<').and_then(|rest| rest.split(['>', ' ', '\n']).next());
    name.is_some_and(|name| body.ends_with(&format!("</{name}>")))
}

/// The credentials of a successful answer.
pub fn credentials(response: &Response) -> Option<Credentials> {
    let body = text(response);
    let body = inner(&body, "Credentials")?;
    let secret = |name| inner(body, name).map(unescaped).map(Zeroizing::new);
    Some(Credentials {
        access_key: secret("AccessKeyId")?,
        secret_key: secret("SecretAccessKey")?,
        session_token: secret("SessionToken")?,
    })
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

    fn response(status: u16, body: &str) -> Response {
        let says =
            format!("HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nx-amzn-RequestId: r-1\r\n\r\n{body}");
        let request = Request { method: "GET", target: "/", host: "h", headers: &[], body: b"" };
        exchange(&mut Says(Cursor::new(says)), &request).unwrap()
    }

    #[test]
    fn an_error_is_quoted() {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not &amp;lt; &quot;you&quot;\
                    </Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
        let answer = read(&response(403, body));
        assert_eq!((answer.status, answer.code.as_deref()), (Some(403), Some("AccessDenied")));
        assert_eq!(answer.message.as_deref(), Some("Not &lt; \"you\""));
        assert_eq!((answer.request_id.as_deref(), answer.excerpt), (Some("r-2"), None));
    }

    #[test]
    fn a_success_has_credentials_and_shows_none() {
        let body = "<R><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser><Credentials>\
                    <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>very-secret</SecretAccessKey>\
                    <SessionToken>also-secret</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration></Credentials></R>";
        let response = response(200, body);
        let answer = read(&response);
        assert_eq!(answer.arn.as_deref(), Some("arn:aws:sts::1:assumed-role/r/s"));
        assert_eq!(answer.expiration.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert!(!format!("{answer:?}").contains("secret"));
        assert!(credentials(&response).is_some_and(|found| *found.secret_key == "very-secret"));
    }

    #[test]
    fn what_is_not_sts_is_quoted_only_as_a_failure() {
        let page = read(&response(502, "<html>Bad gateway</html>"));
        assert_eq!(page.excerpt.as_deref(), Some("<html>Bad gateway</html>"));
        assert_eq!(
            (page.content_type.as_deref(), page.request_id.as_deref()),
            (Some("text/xml"), Some("r-1"))
        );
        let half = "<R><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser>";
        assert_eq!(read(&response(200, half)).arn, None);
        let page = read(&response(200, "{\"SecretAccessKey\":\"very-secret\"}"));
        assert_eq!((page.excerpt, page.code), (None, None));
        assert!(credentials(&response(200, "<Credentials><AccessKeyId>")).is_none());
    }
}
