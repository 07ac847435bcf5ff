//! One request from the socket to its answer, in the order of a real server: authentication, impersonation,
//! authorization, then the handler.

use super::TOKEN;
use super::accept::{Form, negotiate};
use super::controllers::Controllers;
use super::log::Seen;
use super::logs::{self, ContainerLog};
use super::meta;
use super::pods::Pods;
use super::protobuf::{self, PROTOBUF};
use super::resources::{Resource, VERSION, by_path, group_exists};
use super::route::{ResourcePath, Route};
use super::status::{self, Answer};
use super::store::{self, Store};
use super::tls::Authority;
use super::token::Issuer;
use super::watch::{Watch, WatchBody, watch};
use super::webhook::HasAssociation;
use super::writes::Writes;
use crate::fault::Faults;
use crate::timeline::Log;
use crate::world::{Header, World, uid_of};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use jiff::fmt::rfc2822::DateTimePrinter;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Everything that the connections share.
pub struct Server {
    /// The first document of the world.
    pub header: Header,
    /// Its objects.
    pub store: Store,
    /// What containers have logged, by `NAMESPACE/POD/CONTAINER`.
    pub logs: Mutex<BTreeMap<String, ContainerLog>>,
    /// Signs tokens.
    pub issuer: Issuer,
    /// What was asked.
    pub log: Log<Seen>,
    /// What goes wrong with answers.
    pub faults: Faults,
    /// Delay of every answer.
    pub latency: Mutex<Duration>,
    /// How many requests are answered with 429, and after how many seconds the server wants to be asked again.
    pub busy: Mutex<(usize, u64)>,
    /// Requests for secrets in a form that carries values.
    pub secret_values_read: AtomicUsize,
    /// Set once there is an AWS.
    pub has_association: OnceLock<Box<HasAssociation>>,
    answers: AtomicUsize,
}

/// A handler's answer.
enum Reply {
    Once(Answer),
    Stream(Watch),
}

type Body = BoxBody<Bytes, Infallible>;

impl Server {
    /// A server of this world that has not been asked anything yet.
    pub fn new(world: &World) -> Server {
        Server {
            header: world.header.clone(),
            store: Store::new(world),
            logs: Mutex::new(world.header.logs.clone()),
            issuer: Issuer::new(&world.header.issuer),
            log: Log::default(),
            faults: Faults::default(),
            latency: Mutex::new(Duration::ZERO),
            busy: Mutex::new((0, 0)),
            secret_values_read: AtomicUsize::new(0),
            has_association: OnceLock::new(),
            answers: AtomicUsize::new(0),
        }
    }

    /// Serves one request. `trusted` says whether the connection came with a client certificate of our CA.
    pub async fn serve(&self, request: Request<Incoming>, trusted: bool) -> Response<Body> {
        let (head, body) = request.into_parts();
        let route = Route::parse(&head.method, head.uri.path(), head.uri.query());
        let target = head.uri.path_and_query().map_or("/", |p| p.as_str());
        let number = self.log.start(Seen::new(head.method.as_str(), target, &route, &head.headers));
        let latency = *self.latency.lock().expect("no thread panics while it holds the latency");
        tokio::time::sleep(latency).await;
        let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
        let reply = match self.admit(&route, &head.headers, trusted).await {
            Err(refused) => Reply::Once(refused),
            Ok(()) => self.answer(&head.method, &route, &head.headers, &body).unwrap_or_else(Reply::Once),
        };
        let code = match &reply {
            Reply::Once(answer) => answer.code,
            Reply::Stream(_) => 200,
        };
        self.log.update(number, |seen| {
            seen.finished = Some(Instant::now());
            seen.status = Some(code);
        });
        self.respond(reply, code)
    }

    /// Everything that comes before the handler.
    async fn admit(&self, route: &Route, headers: &HeaderMap, trusted: bool) -> Result<(), Answer> {
        if !trusted && text(headers, "authorization") != format!("Bearer {TOKEN}") {
            return Err(status::unauthorized());
        }
        self.count_secret_values(route, headers);
        if self.header.hang.iter().any(|rule| rule.matches(route)) {
            std::future::pending::<()>().await;
        }
        if let Some(seconds) = self.busy() {
            let mut busy = status::failure(429);
            busy.headers.push(("Retry-After", seconds.to_string()));
            return Err(busy);
        }
        if let Some((_, code)) = self.header.fail.iter().find(|(rule, _)| rule.matches(route)) {
            return Err(status::failure(*code));
        }
        let user = self.impersonate(headers)?;
        if self.header.deny.iter().any(|rule| rule.matches(route)) {
            return Err(status::forbidden(&user, route));
        }
        Ok(())
    }

    fn busy(&self) -> Option<u64> {
        let mut busy = self.busy.lock().expect("no thread panics while it holds it");
        busy.0 = busy.0.checked_sub(1)?;
        Some(busy.1)
    }

    /// Asking for anything but metadata is the violation, also when this answer is a refusal (RBAC, or a media type
    /// that only the fake does not speak): on a real cluster it may be none.
    fn count_secret_values(&self, route: &Route, headers: &HeaderMap) {
        let secrets = route.resource.as_ref().is_some_and(|r| r.plural == "secrets" && r.group.is_empty());
        let reads = matches!(route.verb.as_str(), "get" | "list" | "watch");
        let metadata_only = matches!(negotiate(&accept(headers)), Ok(Form::Partial | Form::PartialList));
        if secrets && reads && !metadata_only {
            self.secret_values_read.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The name in RBAC messages: the impersonated user's, if the rules allow to impersonate.
    fn impersonate(&self, headers: &HeaderMap) -> Result<String, Answer> {
        let own = self.header.user.clone();
        let wanted = [
            ("impersonate-user", "", "users"),
            ("impersonate-group", "", "groups"),
            ("impersonate-uid", "authentication.k8s.io", "uids"),
        ];
        for (header, group, plural) in wanted {
            for value in headers.get_all(header).iter().filter_map(|v| v.to_str().ok()) {
                let asked = ResourcePath {
                    group: group.to_owned(),
                    plural: plural.to_owned(),
                    name: value.to_owned(),
                    ..ResourcePath::default()
                };
                if self.header.deny.iter().any(|rule| rule.matches_resource("impersonate", &asked)) {
                    return Err(status::forbidden_resource(&own, "impersonate", &asked));
                }
            }
        }
        let user = text(headers, "impersonate-user");
        Ok(if user.is_empty() { own } else { user })
    }

    fn answer(
        &self,
        method: &Method,
        route: &Route,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Reply, Answer> {
        let accept = accept(headers);
        let Some(at) = &route.resource else {
            return self.answer_path(method, route, &accept).map(Reply::Once);
        };
        if at.version != VERSION || !group_exists(&at.group) {
            return Err(status::no_such_path());
        }
        if [&at.plural, &at.with_subresource()].iter().any(|name| self.header.missing.contains(name)) {
            return Err(status::no_such_resource());
        }
        let is_account = (at.group.as_str(), at.with_subresource().as_str()) == ("", "serviceaccounts");
        if is_account && *method == Method::POST && media_type(headers) == PROTOBUF {
            let account = protobuf::service_account(body).ok_or_else(status::unsupported_media_type)?;
            let body = account.to_string();
            return self.write(method, route, at, status::JSON, body.as_bytes()).map(Reply::Once);
        }
        check_body_type(method, headers)?;
        match (at.group.as_str(), at.with_subresource().as_str()) {
            ("authorization.k8s.io", "selfsubjectaccessreviews") if *method == Method::POST => {
                meta::access_review(body, &self.header.deny).map(Reply::Once)
            }
            ("", "serviceaccounts/token") if *method == Method::POST => {
                self.issuer.create(&self.store, at, body, self.header.now).map(Reply::Once)
            }
            ("", "pods/log") if *method == Method::GET => {
                let log_of = |container: &str| self.log_of(&at.namespace, &at.name, container);
                logs::answer(&self.store, at, route, log_of).map(Reply::Once)
            }
            ("", "pods/ephemeralcontainers") if *method == Method::PATCH => {
                self.pods().patch(at, route, &media_type(headers), body).map(Reply::Once)
            }
            ("", "pods") if *method == Method::POST && !at.named => {
                self.pods().create(at, route, body).map(Reply::Once)
            }
            ("", "pods") if *method == Method::DELETE && at.named => {
                let before =
                    by_path("", "pods").and_then(|pods| self.store.find(pods, &at.namespace, &at.name));
                let answer = self.pods().delete(at, route, body)?;
                let is_gone = by_path("", "pods")
                    .is_some_and(|pods| self.store.find(pods, &at.namespace, &at.name).is_none());
                if let Some(before) = before.filter(|_| is_gone) {
                    self.controllers().replace(&before.value);
                }
                Ok(Reply::Once(answer))
            }
            _ if [Method::POST, Method::PATCH, Method::DELETE].contains(method) => {
                self.write(method, route, at, &media_type(headers), body).map(Reply::Once)
            }
            _ => self.answer_object(method, route, at, &accept),
        }
    }

    fn pods(&self) -> Pods<'_> {
        Pods {
            store: &self.store,
            policy: self.header.admission_policy.as_ref(),
            issuer: self.issuer.url(),
            now: self.header.now,
            has_association: self.has_association.get().map_or(&|_, _| false, |known| &**known),
        }
    }

    fn controllers(&self) -> Controllers<'_> {
        Controllers { pods: self.pods(), logs: &self.logs }
    }

    /// What EKS puts into a cluster as its add-on: a pod of the agent on every node. False if it is there.
    pub fn install_agent(&self) -> bool {
        self.controllers().install("kube-system", "eks-pod-identity-agent")
    }

    /// What changes an object, and what comes of it.
    fn write(
        &self,
        method: &Method,
        route: &Route,
        at: &ResourcePath,
        media_type: &str,
        body: &[u8],
    ) -> Result<Answer, Answer> {
        let resource = by_path(&at.group, &at.plural).ok_or_else(status::no_such_resource)?;
        if !at.subresource.is_empty()
            || !in_scope(resource, at)
            || resource.namespaced && at.namespace.is_empty()
        {
            return Err(status::no_such_resource());
        }
        let writes = Writes { store: &self.store, now: self.header.now };
        let written = match (method.as_str(), at.named) {
            ("POST", false) => writes.create(resource, at, route, body)?,
            ("PATCH", true) => writes.patch(resource, at, route, media_type, body)?,
            ("DELETE", true) => writes.delete(resource, at, route)?,
            _ => return Err(status::method_not_allowed()),
        };
        self.controllers().act(&written);
        Ok(written.answer)
    }

    /// What a container has logged so far.
    fn log_of(&self, namespace: &str, pod: &str, container: &str) -> Option<ContainerLog> {
        let logs = self.logs.lock().expect("no thread panics while it holds the logs");
        logs.get(&format!("{namespace}/{pod}/{container}")).cloned()
    }

    fn answer_path(&self, method: &Method, route: &Route, accept: &str) -> Result<Answer, Answer> {
        if *method != Method::GET && *method != Method::HEAD {
            return Err(status::method_not_allowed());
        }
        match route.path.as_str() {
            "/version" => Ok(meta::version(self.header.server_version.as_deref())),
            "/.well-known/openid-configuration" => self.issuer.answer_configuration(accept),
            "/openid/v1/jwks" => self.issuer.answer_key_set(accept),
            path => meta::discovery(path, &self.header.missing)
                .or_else(|| meta::openapi(path))
                .ok_or_else(status::no_such_path),
        }
    }

    fn answer_object(
        &self,
        method: &Method,
        route: &Route,
        at: &ResourcePath,
        accept: &str,
    ) -> Result<Reply, Answer> {
        let resource = by_path(&at.group, &at.plural).ok_or_else(status::no_such_resource)?;
        if !at.subresource.is_empty() || !in_scope(resource, at) {
            return Err(status::no_such_resource());
        }
        match (method, route.verb.as_str()) {
            (&Method::GET | &Method::HEAD, "get") => {
                store::get(&self.store, resource, at, accept).map(Reply::Once)
            }
            (&Method::GET, "watch") => watch(&self.store, resource, at, route, accept).map(Reply::Stream),
            (&Method::GET | &Method::HEAD, _) => {
                store::list(&self.store, resource, at, route, accept).map(Reply::Once)
            }
            _ => Err(status::method_not_allowed()),
        }
    }

    fn respond(&self, reply: Reply, code: u16) -> Response<Body> {
        let serial = self.answers.fetch_add(1, Ordering::SeqCst);
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&self.header.now);
        let mut response = Response::builder()
            .status(code)
            .header("Audit-Id", uid_of(&format!("answer {serial}")))
            .header("Cache-Control", "no-cache, private")
            .header("Date", date.expect("a world's time has a year of four digits"));
        let body = match reply {
            Reply::Once(answer) => {
                response = response.header("Content-Type", answer.content_type);
                for (name, value) in answer.headers {
                    response = response.header(name, value);
                }
                Full::new(Bytes::from(answer.body)).boxed()
            }
            Reply::Stream(watch) => {
                response = response.header("Content-Type", status::JSON);
                WatchBody::new(watch).boxed()
            }
        };
        response.body(body).expect("all header values are plain ASCII")
    }
}

/// Objects to create come as JSON; no Content-Type counts as JSON, as on a real server.
fn check_body_type(method: &Method, headers: &HeaderMap) -> Result<(), Answer> {
    let readable = *method != Method::POST || matches!(media_type(headers).as_str(), "" | status::JSON);
    if readable { Ok(()) } else { Err(status::unsupported_media_type()) }
}

fn media_type(headers: &HeaderMap) -> String {
    text(headers, "content-type").split(';').next().unwrap_or_default().trim().to_owned()
}

/// Whether the path has a namespace exactly where the resource needs one. A namespace lies in itself.
fn in_scope(resource: &Resource, at: &ResourcePath) -> bool {
    match resource.namespaced {
        true => !at.namespace.is_empty() || !at.named,
        false => at.namespace.is_empty() || (at.plural == "namespaces" && at.namespace == at.name),
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

fn accept(headers: &HeaderMap) -> String {
    let values = headers.get_all("accept").iter().filter_map(|v| v.to_str().ok());
    values.collect::<Vec<_>>().join(", ")
}

/// Whether the client of this TLS connection showed a certificate of our CA.
pub fn is_trusted(connection: &rustls::ServerConnection) -> bool {
    connection.peer_certificates().is_some_and(|chain| Authority::of_process().accepts(chain))
}
