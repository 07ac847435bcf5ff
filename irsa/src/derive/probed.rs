//! The probe's report: what it proves, and which links it did not cover.

use crate::aws::endpoint;
use crate::text::duration;
use irsa_probe::{
    Answer, Connection, ContainerCredentials, Ended, Fault, FaultKind, FileSeen, Origin, Report, Skipped,
    TokenFile,
};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use super::caller::{Expected, Who};
use super::sts_answer;
use crate::aws_error;
use crate::facts::aws::StsAttempt;
use crate::facts::issuer::Claims;
use crate::facts::probed::{self, Place};
use crate::facts::{Fact, Facts, Source, Sourced, Unknown, Why};
use crate::mechanism::Mechanism;
use crate::step::Step;

/// The pod as the probe sees it.
#[derive(Debug)]
pub(crate) enum ProbeOutcome<'f> {
    /// It reported.
    Reported(ProbedPod<'f>),
    /// It was requested, and did not report.
    Unknown(&'f Unknown),
    /// An earlier run's report no longer counts.
    Outdated(Unknown),
    /// There is no pod to probe.
    NotApplicable,
}

/// A report.
#[derive(Debug, Clone, Copy)]
pub struct ProbedPod<'f> {
    probed: &'f Sourced<probed::ProbeFacts>,
    caller: Option<(&'f str, Who)>,
    /// How the pod should get its role.
    mechanism: Mechanism,
}

/// Why the application may not read a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Owner, group and mode do not permit it.
    Mode,
    /// They do, so a security module (SELinux, AppArmor) does not.
    SecurityModule,
}

/// How far a connection got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// The name's resolution.
    Lookup,
    /// TCP.
    Tcp,
    /// The proxy's answer to CONNECT.
    Proxy,
    /// TLS.
    Tls,
}

impl<'f> ProbeOutcome<'f> {
    /// Reads it.
    pub(crate) fn of(facts: &'f Facts, expected: &Expected) -> Self {
        match &facts.probed {
            Fact::Known(probed) => {
                if let Some(why) = outdated(facts, &probed.value) {
                    let what = String::from(probed::ProbeFacts::WHAT);
                    return Self::Outdated(Unknown { what, why: Why::Failed(why), grant: None });
                }
                let mut seen = ProbedPod { probed, caller: None, mechanism: expected.mechanism };
                seen.caller = seen.named(expected);
                Self::Reported(seen)
            }
            Fact::Unknown(unknown) if matches!(unknown.why, Why::NotAsked(_)) => Self::NotApplicable,
            Fact::Unknown(unknown) => Self::Unknown(unknown),
            Fact::Absent { .. } => Self::NotApplicable,
        }
    }

    /// The report.
    pub(crate) fn pod(&self) -> Option<&ProbedPod<'f>> {
        match self {
            Self::Reported(seen) => Some(seen),
            Self::Unknown(_) | Self::Outdated(_) | Self::NotApplicable => None,
        }
    }

    /// Why an earlier run's report no longer counts.
    pub(crate) fn outdated(&self) -> Option<&Unknown> {
        match self {
            Self::Outdated(unknown) => Some(unknown),
            Self::Reported(_) | Self::Unknown(_) | Self::NotApplicable => None,
        }
    }

    /// Why a link could not be checked, if only the probe can check it and did not.
    pub(crate) fn gap(&self, step: Step) -> Option<Unknown> {
        if !matches!(step, Step::TokenFile | Step::TokenClaims | Step::Network | Step::Caller) {
            return None;
        }
        match self {
            Self::NotApplicable => None,
            Self::Unknown(unknown) => Some((*unknown).clone()),
            Self::Outdated(unknown) => Some(unknown.clone()),
            Self::Reported(seen) => seen.gap(step),
        }
    }

    /// STS's answer from inside the pod.
    pub(crate) fn sts_answer(&self) -> Option<sts_answer::StsVerdict<'f>> {
        let attempt = self.pod()?.attempt()?;
        Some(sts_answer::StsVerdict::answered(&attempt.value, &attempt.source))
    }
}

impl<'f> ProbedPod<'f> {
    /// What it saw.
    pub fn report(&self) -> &'f Report {
        &self.probed.value.report
    }

    /// Where it ran.
    pub fn place(&self) -> Place {
        self.probed.value.place
    }

    /// The container beside which it ran.
    pub fn container(&self) -> &'f str {
        &self.probed.value.container
    }

    /// Where a field of the report was read: `token.own.stat.mode`.
    pub fn at(&self, field: &str) -> Source {
        self.probed.source.at(field)
    }

    /// The token file meant for STS, or for the Pod Identity agent.
    pub fn token(&self) -> Option<&'f TokenFile> {
        match self.mechanism {
            Mechanism::PodIdentity => self.agent()?.token.as_ref(),
            _ => self.report().token.as_ref(),
        }
    }

    /// What the Pod Identity agent answered.
    fn agent(&self) -> Option<&'f ContainerCredentials> {
        self.report().container_credentials.as_ref()
    }

    /// The answer to GetCallerIdentity with the credentials that the pod should use.
    fn asked(&self) -> Option<&'f Answer> {
        match self.mechanism {
            Mechanism::PodIdentity => self.agent()?.caller.as_ref(),
            _ => self.report().sts.as_ref()?.caller.as_ref(),
        }
    }

    fn named(&self, expected: &Expected) -> Option<(&'f str, Who)> {
        let arn = self.asked()?.arn.as_deref()?;
        Some((arn, expected.who(&aws_error::principal(arn)?)))
    }

    /// When the token in the file expires.
    pub fn expiry(&self) -> Option<(Timestamp, Source)> {
        let expiry = self.token()?.jwt.as_ref()?.claims.as_ref()?.exp?;
        let field = match self.mechanism {
            Mechanism::PodIdentity => "containerCredentials.token.jwt.claims.exp",
            _ => "token.jwt.claims.exp",
        };
        Some((Timestamp::from_second(expiry).ok()?, self.at(field)))
    }

    /// STS's clock when the report was written, if STS answered; else the pod's.
    pub fn true_now(&self) -> Option<Timestamp> {
        self.now()?.checked_sub(self.clock_ahead().unwrap_or_default()).ok()
    }

    /// The token file as the application's process sees it, as far as its file system is open; else in the probe's own mount
    /// of the same volume. With the name of the field.
    pub fn token_file(&self) -> Option<(&'f FileSeen, &'static str)> {
        let token = self.token()?;
        let (own, target) = match self.mechanism {
            Mechanism::PodIdentity => ("containerCredentials.token.own", "containerCredentials.token.target"),
            _ => ("token.own", "token.target"),
        };
        Some(token.target.as_ref().map_or((&token.own, own), |seen| (seen, target)))
    }

    /// Why the application's process may not read the token file, if it may not.
    pub fn denied(&self) -> Option<Denied> {
        let (file, _) = self.token_file()?;
        let refused = file.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::PermissionDenied);
        match (file.mode_permits, file.mode_permits_target) {
            (_, Some(false)) => Some(Denied::Mode),
            (Some(false), None) if refused && self.as_target() => Some(Denied::Mode),
            (Some(true), _) if refused && self.as_target() => Some(Denied::SecurityModule),
            _ => None,
        }
    }

    /// The pod's clock when the report was written.
    pub fn now(&self) -> Option<Timestamp> {
        by_node(self.report())
    }

    /// How far the pod's clock is ahead of STS's.
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        let clock = self.report().clock.as_ref()?;
        Some(Timestamp::from_second(clock.local).ok()?.duration_since(by_sts(self.report())?))
    }

    /// What STS answered to the token in the file.
    pub fn attempt(&self) -> Option<&'f Sourced<StsAttempt>> {
        self.probed.value.attempt.as_deref()
    }

    /// The claims of the token in the file.
    pub fn claims(&self) -> Option<&'f Claims> {
        self.probed.value.claims.as_ref()
    }

    /// The URL of the STS endpoint that the application's SDK would call, and the path to it.
    pub fn way(&self) -> Option<(&'f str, &'f Connection)> {
        let network = self.report().network.as_ref()?;
        Some((network.url.as_deref()?, &network.connection))
    }

    /// At which stage the connection to STS fails, and how; `None` if it does not, or was not tried.
    pub fn blocked(&self) -> Option<(Leg, FaultKind)> {
        let (_, way) = self.way()?;
        let fault = way.fault.as_ref()?;
        let leg = if way.lookup.as_ref().is_some_and(|lookup| lookup.fault.is_some()) {
            Leg::Lookup
        } else if way.tls.as_ref().is_some_and(|tls| tls.fault.is_some()) {
            Leg::Tls
        } else if !way.tcp.iter().any(|attempt| attempt.fault.is_none()) {
            Leg::Tcp
        } else if way.proxy.is_some() && way.tls.is_none() {
            Leg::Proxy
        } else {
            Leg::Tls
        };
        Some((leg, fault.kind))
    }

    /// The host of the STS endpoint that the application's SDK would call.
    pub fn sts_host(&self) -> Option<&'f str> {
        self.way().and_then(|(url, _)| endpoint::host_of_url(url))
    }

    /// True if STS's endpoint was reached: TLS is up.
    pub fn reached_sts(&self) -> bool {
        self.way().is_some_and(|(_, way)| way.tls.as_ref().is_some_and(|tls| tls.fault.is_none()))
    }

    /// Why the endpoint, though reached, gave no answer from STS, and how the answer began if something else sent it.
    pub fn no_answer(&self) -> Option<(&'f Fault, Option<&'f str>)> {
        let answer = self.report().sts.as_ref()?.assume.as_ref()?;
        Some((answer.fault.as_ref()?, answer.excerpt.as_deref()))
    }

    /// What is said of an answer that came from an endpoint of STS, to the token or to its credentials, and is not STS's.
    fn foreign(&self) -> Option<String> {
        let sts = self.report().sts.as_ref()?;
        let is_foreign = |answer: &&Answer| {
            answer.fault.is_none() && answer.arn.is_none() && answer.code.is_none() && answer.status.is_some()
        };
        let answer = [&sts.assume, &sts.caller].into_iter().flatten().find(is_foreign)?;
        let host = self.sts_host().unwrap_or("the endpoint of STS");
        let kind = answer.content_type.as_deref().map_or_else(String::new, |kind| format!(", {kind}"));
        Some(format!("{host} answered with what is not STS's (HTTP {}{kind})", answer.status?))
    }

    /// True if the probe ran as the same user as the application's process.
    pub fn as_target(&self) -> bool {
        let report = self.report();
        let of = |identity: &irsa_probe::Identity| (identity.uid[3], identity.gid[3]);
        let own = report.process.as_ref().and_then(|process| process.identity.as_ref()).map(of);
        let target = report.target.as_ref().and_then(|target| target.identity.as_ref()).map(of);
        own.is_some() && own == target
    }

    /// A variable of the environment that the probe used: its value if that is not secret, else an empty text.
    pub fn variable(&self, name: &str) -> Option<&'f str> {
        let environment = self.report().environment.as_ref()?;
        let found = environment.variables.iter().find(|variable| variable.name == name && !variable.empty)?;
        Some(found.value.as_deref().unwrap_or_default())
    }

    /// True if the environment is that of the application's process itself, and not of its spec.
    pub fn environment_is_targets(&self) -> bool {
        self.report().environment.as_ref().is_some_and(|environment| environment.of == Origin::Target)
    }

    /// Why the environment is not that of the application's process, and what would settle it.
    fn environment_unread(&self, missing: impl Fn() -> String) -> String {
        let report = self.report();
        let user =
            |identity: &Option<irsa_probe::Identity>| identity.as_ref().map(|identity| identity.uid[0]);
        let own = report.process.as_ref().and_then(|process| user(&process.identity));
        let target = report.target.as_ref().and_then(|target| user(&target.identity));
        let (why, settled) = match (&report.environment, own, target) {
            (None, ..) => (missing(), String::from("run debug with permission to get pods/log")),
            (Some(_), Some(own), Some(target)) if own != target => (
                format!(
                    "the probe ran as user {own} and may not read it, as the process runs as user {target}"
                ),
                format!("set runAsUser: {target} in the pod's manifest"),
            ),
            (Some(environment), ..) => {
                let why = match &environment.fault {
                    Some(fault) => format!("the probe could not read it: {}", fault.text),
                    None => String::from("the container was not running"),
                };
                (why, String::from("run debug while the container runs"))
            }
        };
        format!(
            "{why}; access keys in the image or from its entrypoint would come before the role. To settle it, {settled}, or pass \
             with --error what the application prints when it calls AWS"
        )
    }

    /// The caller that AWS named in GetCallerIdentity, with the credentials that STS issued in the pod.
    pub fn caller(&self) -> Option<(&'f str, Who)> {
        self.caller
    }

    /// AWS's refusal of GetCallerIdentity, the first request that is signed.
    pub fn caller_refused(&self) -> Option<(&'f Answer, &'f str)> {
        let answer = self.asked()?;
        Some((answer, answer.code.as_deref()?))
    }

    /// True if this proves the target container's own identity: the probe ran in the pod, STS accepted the token in the pod,
    /// which the application can read, nothing takes precedence over it in the environment of the application's process, and
    /// AWS named the expected role.
    pub fn proves_identity(&self) -> bool {
        self.place() == Place::Pod
            && self.readable_to_target()
            && self.environment_is_targets()
            && self.variable("AWS_ACCESS_KEY_ID").is_none()
            && matches!(self.caller, Some((_, Who::Expected)))
    }

    /// True if the token file can be read by the application's process, as far as its credentials tell.
    pub fn readable_to_target(&self) -> bool {
        self.token_file().is_some_and(|(file, _)| match file.mode_permits_target {
            Some(permits) => permits && self.denied().is_none(),
            None => self.as_target() && file.readable,
        })
    }

    fn gap(&self, step: Step) -> Option<Unknown> {
        let report = self.report();
        let unknown = |what: &str, why: String| {
            Some(Unknown { what: what.to_owned(), why: Why::Failed(why), grant: None })
        };
        let missing = |section: &str| {
            if report.dropped.iter().any(|dropped| dropped == section) {
                format!("the probe's report had no room left for section {section}")
            } else if report.ended == Some(Ended::Complete) {
                format!("the probe's report has no section {section}")
            } else {
                format!("the probe ended before it got to {section}")
            }
        };
        let skipped = report.sts.as_ref().and_then(|sts| sts.skipped);
        let by_agent = self.mechanism == Mechanism::PodIdentity;
        let no_token_file = !by_agent && skipped == Some(Skipped::NoTokenFile);
        let section = if by_agent { "containerCredentials" } else { "token" };
        let excluded = Unknown {
            what: String::from("the application's AWS identity"),
            why: Why::Excluded(String::from("--no-assume")),
            grant: None,
        };
        match step {
            Step::TokenFile if self.token().is_none() && !no_token_file => {
                unknown("the token file", missing(section))
            }
            Step::TokenClaims => match self.token() {
                Some(TokenFile { jwt: None, .. }) => unknown(
                    "exp, aud and sub of the token",
                    String::from("the probe could not read the token file"),
                ),
                None if !no_token_file => unknown("exp, aud and sub of the token", missing(section)),
                _ => None,
            },
            Step::Network if report.network.is_none() => {
                unknown("the network path from the pod to STS", missing("network"))
            }
            Step::Caller if self.denied().is_some() => unknown(
                "the application's AWS identity",
                String::from("the application cannot read its token"),
            ),
            // What the role would be is known; whether the process uses it is not.
            Step::Caller
                if self.caller().is_some()
                    && self.place() == Place::Pod
                    && !self.environment_is_targets() =>
            {
                let missing = || missing("environment");
                unknown("the environment of the application's process", self.environment_unread(missing))
            }
            Step::Caller if self.caller().is_some() || self.caller_refused().is_some() => None,
            Step::Caller if by_agent => match self.agent() {
                Some(agent) => refusal(agent)
                    .map_or(Some(excluded), |why| unknown("the application's AWS identity", why)),
                None => unknown("the application's AWS identity", missing(section)),
            },
            Step::Caller if skipped == Some(Skipped::NoAssume) => Some(excluded),
            Step::Caller => unknown(
                "the application's AWS identity",
                self.foreign()
                    .unwrap_or_else(|| String::from("the probe got no credentials to call AWS with")),
            ),
            _ => None,
        }
    }
}

/// The pod's clock, which is its node's, when the report was written.
fn by_node(report: &Report) -> Option<Timestamp> {
    Timestamp::from_second(report.now?).ok()
}

/// STS's clock when it answered.
fn by_sts(report: &Report) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(&report.clock.as_ref()?.remote).ok()
}

/// How long an earlier run's report counts: what it saw may have been repaired since.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// Why an earlier run's report no longer counts; `None` if it does, or if it is from this run.
///
/// Its age is best measured by STS's clock, which the report holds if STS answered: the pod dated the report, and the kubelet the
/// end of the probe's container, by the node's clock, which may itself be the fault. Whether the container was restarted since
/// then can be told by the node's clock, however wrong it is, because it dated both.
fn outdated(facts: &Facts, probed: &probed::ProbeFacts) -> Option<String> {
    let probed::Run::Earlier { ended } = probed.run else { return None };
    let by_node = by_node(&probed.report).or(ended);
    let seen = by_sts(&probed.report).or(by_node);
    let now = facts.cluster.server_clock.known().map(|clock| clock.value);
    let age = now.zip(seen).map(|(now, seen)| now.duration_since(seen)).unwrap_or_default();
    if age.abs() > FRESH {
        return Some(if age.is_positive() {
            let age = duration::words(age);
            format!("an earlier run's probe report is {age} old, which is too old to count")
        } else {
            String::from("the age of an earlier run's probe report is not known: the node's clock is wrong")
        });
    }
    let statuses = facts.subject.pod().map(|pod| &pod.value.status)?;
    let started = statuses.all_container_statuses().find(|status| status.name == probed.container);
    let started = started.and_then(|status| status.state.running.as_ref()?.started_at.time());
    (started? > by_node?)
        .then(|| String::from("the container was restarted after an earlier run's probe had reported"))
}

/// Why the Pod Identity agent gave no credentials; `None` if it was not asked for any.
fn refusal(agent: &ContainerCredentials) -> Option<String> {
    let way = agent.connection.as_ref().and_then(|way| way.fault.as_ref());
    let answer = agent.answer.as_ref();
    let fault = agent.fault.as_ref().or(way).or_else(|| answer?.fault.as_ref());
    let words = fault.map(|fault| fault.text.clone()).or_else(|| answer?.message.clone());
    let why = match words {
        Some(words) => format!("the Pod Identity agent at {} gave no credentials: {words}", agent.url),
        None if answer.is_some() => {
            String::from("AWS did not say which identity the agent's credentials have")
        }
        None => return None,
    };
    Some(why)
}
