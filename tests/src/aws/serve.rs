//! One request from its host name to its answer.

use super::account::{Account, ForeignError, IssuerCertificate, VpcEndpoint};
use super::call::{Call, Origin};
use super::endpoint::{Endpoint, Service};
use super::failure::{Common, Failure, Protocol, Refusal};
use super::issuer::{Issuers, host_of};
use super::keyring::{Key, Keyring};
use super::log::Seen;
use super::sigv4::authenticate;
use super::xml::Xml;
use super::{cloudtrail, eks, iam, sts, tls};
use crate::certificates::Ca;
use crate::fault::{Cut, Faults, IN_POD};
use crate::timeline::Log;
use crate::world::{Header, uid_of};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Everything that the connections share.
pub struct Server {
    /// The first document of the world.
    pub header: Header,
    /// The accounts of the world, as they are now.
    accounts: Mutex<Arc<[Account]>>,
    /// Access keys.
    pub keys: Keyring,
    /// What issuers publish.
    pub issuers: Issuers,
    /// What was asked.
    pub log: Log<Seen>,
    /// What goes wrong with answers.
    pub faults: Faults,
    /// Delay of every answer.
    pub latency: Mutex<Duration>,
    /// Installs the EKS Pod Identity Agent in the cluster; false if it is there.
    pub cluster: OnceLock<Box<dyn Fn() -> bool + Send + Sync>>,
    /// What must fail the test.
    pub problems: Mutex<Vec<String>>,
    /// Signatures of the web identity tokens that were sent.
    pub signatures: Mutex<Vec<String>>,
}

/// The NAT gateway of the pods' network.
const PODS_SOURCE_IP: &str = "198.51.100.23";

/// What a host name leads to.
#[derive(Debug, Clone)]
pub enum Host {
    /// A service of AWS.
    Aws(Endpoint),
    /// An issuer.
    Issuer,
}

/// An answer before it is put on the wire.
struct Answer {
    status: u16,
    content_type: &'static str,
    error_type: Option<&'static str>,
    body: String,
}

/// What a service answers.
enum Body {
    Xml(Xml),
    Json(Value),
}

impl Server {
    /// A server of this world that has not been asked anything yet; `keys` are published by the world's issuer.
    pub fn new(header: &Header, accounts: &[Account], keys: Value) -> Server {
        Server {
            header: header.clone(),
            accounts: Mutex::new(accounts.into()),
            keys: Keyring::new(accounts),
            issuers: Issuers::new(header, accounts, keys),
            log: Log::default(),
            faults: Faults::default(),
            latency: Mutex::new(Duration::ZERO),
            cluster: OnceLock::new(),
            problems: Mutex::default(),
            signatures: Mutex::default(),
        }
    }

    /// The accounts as they are now.
    pub fn accounts(&self) -> Arc<[Account]> {
        self.accounts.lock().expect("no thread panics while it holds the accounts").clone()
    }

    /// Other accounts from now on; their access keys stay those of the first.
    pub fn set_accounts(&self, accounts: &[Account]) {
        *self.accounts.lock().expect("no thread panics while it holds the accounts") = accounts.into();
    }

    /// Changes an account as an operation asks, unless it refuses.
    pub fn change<T>(
        &self,
        number: &str,
        edit: impl FnOnce(&mut Account) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut accounts = self.accounts.lock().expect("no thread panics while it holds the accounts");
        let mut changed = accounts.to_vec();
        let account = changed.iter_mut().find(|account| account.account == number);
        let result = edit(account.ok_or_else(|| Failure::NotModelled(format!("account {number}")))?)?;
        *accounts = changed.into();
        Ok(result)
    }

    /// How AWS sees a caller: through this VPC endpoint, or else from this address.
    pub fn way(&self, origin: Origin) -> (Option<&VpcEndpoint>, &str) {
        match (origin, &self.header.kubelet) {
            (Origin::Pod, Some(nodes)) => {
                (nodes.endpoint.as_ref(), nodes.source_ip.as_deref().unwrap_or(PODS_SOURCE_IP))
            }
            _ => (self.header.laptop.endpoint.as_ref(), &self.header.laptop.source_ip),
        }
    }

    /// Whether the user's machine can reach this host.
    pub fn is_reachable(&self, name: &str) -> bool {
        self.header.laptop.unreachable.iter().all(|host| host != name)
    }

    /// What a host name leads to, if anything.
    pub fn host(&self, name: &str) -> Option<Host> {
        let endpoint = Endpoint::of(name).map(Host::Aws);
        endpoint.or_else(|| self.issuers.live_on(name).then_some(Host::Issuer))
    }

    /// Whether this issuer's certificate is of the private CA.
    pub fn is_private(&self, issuer: &str) -> bool {
        let serves = self.header.issuer_serves.as_ref();
        issuer == self.header.issuer && serves.is_some_and(|s| s.certificate == IssuerCertificate::PrivateCa)
    }

    /// The CA of a host's certificate.
    pub fn ca(&self, host: &str) -> &'static Ca {
        let private = self.is_private(&self.header.issuer) && host_of(&self.header.issuer) == host;
        if private { tls::private_ca() } else { tls::public_ca() }
    }

    /// The clock of AWS.
    pub fn now(&self) -> Timestamp {
        self.header.aws_now.unwrap_or(self.header.now)
    }

    /// Serves one request.
    pub async fn serve(
        &self,
        origin: Origin,
        name: &str,
        host: &Host,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
        let kind = match host {
            Host::Issuer => format!("issuer GET {}", page_of(head.uri.path())),
            Host::Aws(Endpoint { service: Service::Sts, .. }) if is_bare_get(&head) => "sts GET /".to_owned(),
            Host::Aws(endpoint) => Call::read(origin, endpoint.clone(), &head, &body).action(),
        };
        let kind = format!("{kind}{}", if origin == Origin::Pod { IN_POD } else { "" });
        self.faults.between(&kind, self.undisturbed(origin, name, host, head, body), |body| body).await
    }

    async fn undisturbed(
        &self,
        origin: Origin,
        name: &str,
        host: &Host,
        head: Parts,
        body: Bytes,
    ) -> Result<Response<Full<Bytes>>, Cut> {
        let latency = *self.latency.lock().expect("no thread panics while it holds the latency");
        match host {
            Host::Issuer => {
                let number = self.log.start(Seen::page(name, head.uri.path()));
                tokio::time::sleep(latency).await;
                let answer = self.page(name, head.uri.path()).await;
                Ok(self.respond(number, &self.answer_id(number), answer))
            }
            // STS sends browsers to a page about it. The probe reads the clock there.
            Host::Aws(Endpoint { service: Service::Sts, .. }) if is_bare_get(&head) => {
                let number = self.log.start(Seen::page(name, "/"));
                tokio::time::sleep(latency).await;
                let answer =
                    Answer { status: 302, content_type: "text/html", error_type: None, body: String::new() };
                Ok(self.respond(number, &self.answer_id(number), answer))
            }
            Host::Aws(endpoint) => {
                let call = Call::read(origin, endpoint.clone(), &head, &body);
                let number = self.log.start(Seen::call(name, &call, &head));
                let id = self.answer_id(number);
                tokio::time::sleep(latency).await;
                let result = match self.answer(&call, &head, &body).await {
                    Ok(body) => Ok(body),
                    Err(failure) => Err(self.refuse(&call, failure)?),
                };
                Ok(self.respond(number, &id, encode(&call, &id, result)))
            }
        }
    }

    async fn page(&self, host: &str, path: &str) -> Answer {
        let page = self.issuers.page(&format!("https://{host}{path}"));
        match page.delay {
            Some(delay) => tokio::time::sleep(delay).await,
            None => std::future::pending().await,
        }
        Answer { status: page.status, content_type: page.content_type, error_type: None, body: page.body }
    }

    async fn answer(&self, call: &Call, head: &Parts, body: &[u8]) -> Result<Body, Failure> {
        if call.operation.is_empty() {
            return Err(Failure::NotModelled(format!("{} {}", head.method, head.uri)));
        }
        if call.operation == "AssumeRoleWithWebIdentity" {
            let signature = call.text("WebIdentityToken").rsplit('.').next().unwrap_or_default().to_owned();
            self.signatures.lock().expect("no thread panics while it holds the signatures").push(signature);
            let (owner, accounts) = (sts::account_of(call.text("RoleArn")), self.accounts());
            if let Some(account) = accounts.iter().find(|account| account.account == owner) {
                self.obstruct(account, call).await?;
            }
            return sts::answer(self, call, None).map(Body::Xml);
        }
        let key = authenticate(head, body, &call.endpoint, &self.keys).map_err(Failure::Common)?;
        let accounts = self.accounts();
        let account = accounts.iter().find(|account| account.account == key.account);
        let account =
            account.ok_or_else(|| Failure::NotModelled(format!("a key of account {}", key.account)))?;
        self.obstruct(account, call).await?;
        if account.deny.iter().any(|pattern| pattern.matches(&call.action())) {
            return Err(Failure::Common(Common::Denied(denial(&key, account, call))));
        }
        match call.endpoint.service {
            Service::Sts => sts::answer(self, call, Some(&key)).map(Body::Xml),
            Service::Iam => iam::answer(self, call, account).map(Body::Xml),
            Service::Eks => eks::answer(self, call, account).map(Body::Json),
            Service::CloudTrail => cloudtrail::answer(self, call, account).map(Body::Json),
        }
    }

    /// What the world puts in the way of an action.
    async fn obstruct(&self, account: &Account, call: &Call) -> Result<(), Failure> {
        let action = call.action();
        if account.hang.iter().any(|pattern| pattern.matches(&action)) {
            std::future::pending::<()>().await;
        }
        if account.cut.iter().any(|pattern| pattern.matches(&action)) {
            return Err(Failure::Cut);
        }
        if account.throttle.iter().any(|pattern| pattern.matches(&action)) {
            return Err(Failure::Common(Common::Throttled));
        }
        let earlier = || self.log.all().iter().filter(|seen| seen.action == action).count();
        if account.stumble.iter().any(|(pattern, first)| pattern.matches(&action) && earlier() <= *first) {
            return Err(Failure::Common(Common::Broken(503)));
        }
        if let Some((_, error)) = account.answer.iter().find(|(pattern, _)| pattern.matches(&action)) {
            let ForeignError { status, code, message } = error.clone();
            return Err(Failure::Refused(Refusal { status, code: code.leak(), message }));
        }
        match account.fail.iter().find(|(pattern, _)| pattern.matches(&action)) {
            Some((_, status)) => Err(Failure::Common(Common::Broken(*status))),
            None => Ok(()),
        }
    }

    fn refuse(&self, call: &Call, failure: Failure) -> Result<Refusal, Cut> {
        match failure {
            Failure::Cut => Err(Cut),
            Failure::Common(common) => Ok(common.refusal(call.protocol())),
            Failure::Refused(refusal) => Ok(refusal),
            Failure::NotModelled(what) => {
                let message = format!("the fake AWS does not know the answer: {what}");
                self.problems
                    .lock()
                    .expect("no thread panics while it holds the problems")
                    .push(message.clone());
                Ok(Refusal { status: 500, code: "InternalFailure", message })
            }
        }
    }

    /// The id of an answer: the same in every run, in whatever order concurrent requests come.
    fn answer_id(&self, number: usize) -> String {
        let all = self.log.all();
        let this = &all[number];
        let earlier =
            all[..number].iter().filter(|seen| (&seen.host, &seen.action) == (&this.host, &this.action));
        uid_of(&format!("answer {} of {} to {}", earlier.count(), this.host, this.action))
    }

    fn respond(&self, number: usize, id: &str, answer: Answer) -> Response<Full<Bytes>> {
        self.log.update(number, |seen| {
            seen.finished = Some(Instant::now());
            seen.status = Some(answer.status);
        });
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&self.now());
        let mut response = Response::builder()
            .status(answer.status)
            .header("Date", date.expect("a world's time has a year of four digits"))
            .header("Content-Type", answer.content_type)
            .header("x-amzn-RequestId", id);
        if let Some(code) = answer.error_type {
            response = response.header("x-amzn-ErrorType", code);
        }
        response.body(Full::new(Bytes::from(answer.body))).expect("all header values are plain ASCII")
    }
}

/// What an issuer's page is, whichever issuer it is of.
fn page_of(path: &str) -> &str {
    path.find("/.well-known").and_then(|at| path.get(at..)).unwrap_or("keys")
}

fn is_bare_get(head: &Parts) -> bool {
    head.method == "GET" && head.uri.path() == "/" && head.uri.query().is_none()
}

/// An answer in the words of the service's protocol.
fn encode(call: &Call, id: &str, result: Result<Body, Refusal>) -> Answer {
    let namespace = match call.endpoint.service {
        Service::Iam => " xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"",
        _ => " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"",
    };
    let xml = |status, element: &str, fields: Xml| Answer {
        status,
        content_type: "text/xml",
        error_type: None,
        body: fields.element(element, namespace),
    };
    let json = |status, error_type, body: &Value| Answer {
        status,
        content_type: if call.protocol() == Protocol::Json11 {
            "application/x-amz-json-1.1"
        } else {
            "application/json"
        },
        error_type,
        body: body.to_string(),
    };
    match result {
        Ok(Body::Json(body)) => json(200, None, &body),
        Ok(Body::Xml(result)) => {
            let name = &call.operation;
            let body = format!(
                "{}{}",
                result.element(&format!("{name}Result"), ""),
                Xml::fields([("RequestId", id.into())]).element("ResponseMetadata", "")
            );
            let element = format!("{name}Response");
            Answer {
                status: 200,
                content_type: "text/xml",
                error_type: None,
                body: format!("<{element}{namespace}>{body}</{element}>"),
            }
        }
        Err(Refusal { status, code, message }) => match call.protocol() {
            Protocol::Query => {
                let sender = if status < 500 { "Sender" } else { "Receiver" };
                let error = Xml::fields([
                    ("Type", sender.into()),
                    ("Code", code.into()),
                    ("Message", message.into()),
                ]);
                xml(status, "ErrorResponse", Xml::fields([("Error", error), ("RequestId", id.into())]))
            }
            Protocol::RestJson => json(status, Some(code), &json!({ "message": message })),
            Protocol::Json11 => json(status, None, &json!({ "__type": code, "message": message })),
        },
    }
}

/// The words for what no policy of the caller allows.
fn denial(key: &Key, account: &Account, call: &Call) -> String {
    let action = call.action();
    let resource = match call.endpoint.service {
        Service::Iam => format!(" on resource: {}", iam::resource(account, call)),
        Service::Eks => format!(" on resource: {}", eks::resource(account, call)),
        Service::Sts | Service::CloudTrail => String::new(),
    };
    format!(
        "User: {} is not authorized to perform: {action}{resource} because no identity-based policy allows the \
         {action} action",
        key.arn
    )
}
