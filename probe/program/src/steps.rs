//! The steps of a run: what is looked at, and in which order.

use crate::aws::region::{self, StsEndpoint};
use crate::aws::{Credentials, container, imds, sts};
use crate::deadline::Deadline;
use crate::environment::{Env, showable};
use crate::look::{path, process, sdks, shared_files, token};
use crate::net::proxy::Proxy;
use crate::net::tls::{Bundle, Trust};
use crate::net::{self, Route, Stream, resolver};
use crate::secrets::Secrets;
use irsa_probe::{
    Answer, ContainerCredentials, Fault, FaultKind, Identity, Network, Options, Report, Skipped, Sts, Target,
};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// The session's name where the application sets none.
const SESSION: &str = "kubectl-irsa-probe";
const SEARCH: Duration = Duration::from_secs(3);

/// What all steps share.
pub struct Probe {
    /// How the probe was started.
    pub options: Options,
    /// When every step must have ended.
    pub deadline: Deadline,
    /// What was seen so far.
    report: Mutex<Report>,
    /// What may never be printed.
    pub secrets: Secrets,
}

/// What the later steps need of the first one.
pub struct Found {
    env: Env,
    me: Option<Identity>,
    target: Option<Target>,
    /// The target's file system, if it is open.
    root: Option<PathBuf>,
    token: Option<Zeroizing<Vec<u8>>>,
}

/// A step that needs what the first one found.
pub type Step = (&'static str, fn(&Probe, &Found));

/// The steps that follow the first, all at once.
pub const LATER: [Step; 5] = [
    ("sts", ask_sts),
    ("containerCredentials", ask_container),
    ("imds", |probe, found| {
        let seen = imds::ask(&found.env, &probe.secrets, probe.deadline);
        probe.note(|report| report.imds = Some(seen));
    }),
    ("sharedFiles", look_at_shared_files),
    ("sdks", search_sdks),
];

impl Probe {
    /// Nothing was seen yet.
    pub fn new(options: Options, deadline: Deadline) -> Probe {
        Probe { options, deadline, report: Mutex::new(Report::empty()), secrets: Secrets::default() }
    }

    /// What was seen so far.
    pub fn report(&self) -> Report {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, add: impl FnOnce(&mut Report)) {
        add(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The first step: processes, the environment and the token. It waits for nobody.
pub fn look(probe: &Probe) -> Found {
    let proc = &probe.options.proc;
    let own = process::own(proc);
    let me = own.identity.clone();
    probe.note(|report| report.process = Some(own));
    let mut target = process::target(proc, probe.options.container_id.as_deref());
    probe.note(|report| report.target = target.clone());
    let directory = target.as_ref().and_then(|target| Some(proc.join(target.pid?.to_string())));
    let env = Env::read(directory.as_deref());
    probe.note(|report| report.environment = Some(env.seen.clone()));
    let mut content = None;
    if let Some(path) = env.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let (seen, read) = token::look(proc, path, me.as_ref(), target.as_mut());
        content = read;
        probe.note(|report| {
            report.token = Some(seen);
            report.target = target.clone();
        });
    }
    if let Some(content) = &content {
        probe.secrets.add(content);
    }
    let root = process::root_of(proc, target.as_ref());
    Found { env, me, target, root, token: content }
}

fn ask_sts(probe: &Probe, found: &Found) {
    let env = &found.env;
    let resolver = resolver::read(Path::new("/etc/resolv.conf"));
    let mut network = Network { resolver: Some(resolver), ..Network::default() };
    let sts = match region::sts(env) {
        Ok(sts) => sts,
        Err((why, fault)) => {
            network.why = Some(why);
            network.connection.fault = Some(fault);
            let skipped = Sts { skipped: Some(Skipped::NoConnection), ..Sts::default() };
            return probe.note(|report| {
                report.network = Some(network);
                report.sts = Some(skipped);
            });
        }
    };
    network.why = Some(sts.why);
    network.url = Some(sts.endpoint.url());
    let trust = trust(found);
    let proxy = Proxy::of(env, &sts.endpoint);
    let route = Route { endpoint: &sts.endpoint, proxy: proxy.as_ref(), trust: &trust };
    let (connection, stream) = net::connect(route, probe.deadline);
    network.connection = connection;
    probe.note(|report| report.network = Some(network));
    try_token(probe, found, &sts, route, stream);
}

/// What the token would be tried with, or why it is not.
fn trial<'a>(probe: &Probe, found: &'a Found, sts: &StsEndpoint) -> Result<sts::Trial<'a>, Skipped> {
    let env = &found.env;
    if probe.options.no_assume {
        return Err(Skipped::NoAssume);
    }
    let role_arn = env.get("AWS_ROLE_ARN").ok_or(Skipped::NoRoleArn)?;
    env.get("AWS_WEB_IDENTITY_TOKEN_FILE").ok_or(Skipped::NoTokenFile)?;
    let token = found.token.as_deref().ok_or(Skipped::NoToken)?;
    if !sts.endpoint.keeps_secrets() {
        return Err(Skipped::PlainHttp);
    }
    Ok(sts::Trial { role_arn, session_name: session_name(env), token })
}

fn session_name(env: &Env) -> &str {
    env.get("AWS_ROLE_SESSION_NAME").unwrap_or(SESSION)
}

fn try_token(
    probe: &Probe,
    found: &Found,
    sts: &StsEndpoint,
    route: Route<'_>,
    stream: Option<Box<dyn Stream>>,
) {
    let mut seen = Sts {
        role_arn: found.env.get("AWS_ROLE_ARN").map(showable),
        session_name: Some(showable(session_name(&found.env))),
        ..Sts::default()
    };
    let (trial, mut stream) = match (trial(probe, found, sts), stream) {
        (Ok(trial), Some(stream)) => (trial, stream),
        (result, stream) => {
            seen.skipped = Some(result.err().unwrap_or(Skipped::NoConnection));
            probe.note(|report| report.sts = Some(seen));
            // The clock is worth a look all the same.
            let clock = stream.and_then(|mut stream| sts::clock(stream.as_mut(), sts));
            return probe.note(|report| report.clock = clock);
        }
    };
    let (answer, clock, credentials) = sts::assume(stream.as_mut(), sts, &trial);
    seen.assume = Some(answer);
    probe.note(|report| {
        report.clock = clock;
        report.sts = Some(seen.clone());
    });
    if let Some(credentials) = credentials {
        seen.caller = Some(caller(probe, sts, route, &credentials));
        probe.note(|report| report.sts = Some(seen));
    }
}

fn caller(probe: &Probe, sts: &StsEndpoint, route: Route<'_>, credentials: &Credentials) -> Answer {
    credentials.hide(&probe.secrets);
    sts::caller(route, sts, credentials, probe.deadline)
}

/// The authorities that the application's settings name.
fn trust(found: &Found) -> Trust {
    let name = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].into_iter().find(|name| found.env.get(name).is_some());
    let bundle = name.and_then(|name| Some((name, found.env.get(name)?)));
    let root = found.root.as_deref().unwrap_or(Path::new("/"));
    Trust {
        bundle: bundle.map(|(name, path)| Bundle {
            name: format!("{name}={}", showable(path)),
            path: path::resolve(root, Path::new(path)),
        }),
    }
}

fn ask_container(probe: &Probe, found: &Found) {
    let Some(url) = found.env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") else { return };
    let mut seen = ContainerCredentials { url: showable(url), ..ContainerCredentials::default() };
    if let Err(fault) = ask_agent(probe, found, url, &mut seen) {
        seen.fault = Some(fault);
    }
    probe.note(|report| report.container_credentials = Some(seen));
}

fn ask_agent(probe: &Probe, found: &Found, url: &str, seen: &mut ContainerCredentials) -> Result<(), Fault> {
    let path = found.env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    let token = path.and_then(|path| {
        let mut target = found.target.clone();
        let (file, content) = token::look(&probe.options.proc, path, found.me.as_ref(), target.as_mut());
        seen.token = Some(file);
        content
    });
    if let Some(token) = &token {
        probe.secrets.add(token);
    }
    let endpoint = container::endpoint(url)?;
    let trust = trust(found);
    // SDKs differ on proxies for the agent; straight is what it is made for.
    let route = Route { endpoint: &endpoint, proxy: None, trust: &trust };
    let (connection, stream) = net::connect(route, probe.deadline.at_most(container::PATIENCE));
    seen.connection = Some(connection);
    let Some(mut stream) = stream else { return Ok(()) };
    if probe.options.no_assume {
        return Ok(());
    }
    if path.is_some() && token.is_none() {
        return Err(Fault::new(FaultKind::NotFound, "there is no token to show to the agent"));
    }
    let (answer, credentials) =
        container::ask(stream.as_mut(), &endpoint, token.as_ref().map(|token| token.as_slice()));
    seen.answer = Some(answer);
    // What is wrong with the endpoint stands in the section on the network.
    let sts = region::sts(&found.env).ok().filter(|sts| sts.endpoint.keeps_secrets());
    if let (Some(credentials), Some(sts)) = (credentials, sts) {
        let proxy = Proxy::of(&found.env, &sts.endpoint);
        let route = Route { endpoint: &sts.endpoint, proxy: proxy.as_ref(), trust: &trust };
        seen.caller = Some(caller(probe, &sts, route, &credentials));
    }
    Ok(())
}

fn look_at_shared_files(probe: &Probe, found: &Found) {
    let Some(root) = &found.root else { return };
    let target = found.target.as_ref().and_then(|target| target.identity.as_ref());
    let files = shared_files::look(root, &found.env, found.me.as_ref(), target);
    probe.note(|report| report.shared_files = files);
}

fn search_sdks(probe: &Probe, found: &Found) {
    let Some(root) = &found.root else { return };
    let sdks = sdks::search(root, &root.with_file_name("exe"), probe.deadline.at_most(SEARCH));
    probe.note(|report| report.sdks = Some(sdks));
}
