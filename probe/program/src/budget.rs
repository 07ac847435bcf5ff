//! The report within a number of bytes.
//!
//! The kubelet cuts a termination message where its share of bytes ends, and half a JSON is none. So whole parts are left out,
//! those that the diagnosis misses least first, and are named in `dropped`.

use crate::environment::shortened;
use irsa_probe::{Answer, Report};

/// A part of a report, and how to leave it out.
type Part = (&'static str, fn(&mut Report));

/// What is left out, in this order.
const ORDER: [Part; 15] = [
    ("sdks", |report| report.sdks = None),
    ("process", |report| report.process = None),
    ("resolver", |report| {
        if let Some(network) = &mut report.network {
            network.resolver = None;
        }
    }),
    ("sharedFiles", |report| report.shared_files.clear()),
    ("imds", |report| report.imds = None),
    ("others", |report| {
        if let Some(target) = &mut report.target {
            target.others.clear();
        }
    }),
    ("environment", |report| report.environment = None),
    ("containerCredentials", |report| report.container_credentials = None),
    ("target", |report| report.target = None),
    ("network", |report| report.network = None),
    ("details", without_details),
    ("token", |report| report.token = None),
    ("rest", |report| {
        report.termination_fault = None;
        report.detail = None;
        report.unfinished.clear();
    }),
    ("clock", |report| report.clock = None),
    ("sts", |report| report.sts = None),
];

/// The report as JSON, of at most so many bytes as long as these suffice for its schema and how it ended.
pub fn fit(report: &Report, budget: usize) -> serde_json::Result<String> {
    let mut report = report.clone();
    let mut json = serde_json::to_string(&report)?;
    for (name, leave_out) in ORDER {
        if json.len() <= budget {
            break;
        }
        let before = report.clone();
        leave_out(&mut report);
        if report != before {
            report.dropped.push(name.into());
            json = serde_json::to_string(&report)?;
        }
    }
    Ok(json)
}

/// The codes stay, the words go.
fn without_details(report: &mut Report) {
    /// As much of a message as tells apart what STS says.
    const LONGEST: usize = 100;
    fn trim(answer: &mut Answer) {
        answer.request_id = None;
        answer.expiration = None;
        answer.content_type = None;
        answer.excerpt = None;
        let texts = answer.message.iter_mut().chain(answer.fault.iter_mut().map(|fault| &mut fault.text));
        texts.for_each(|text| *text = shortened(text, LONGEST));
    }
    if let Some(sts) = &mut report.sts {
        sts.role_arn = None;
        sts.session_name = None;
        sts.assume.iter_mut().chain(&mut sts.caller).for_each(trim);
    }
    if let Some(token) = &mut report.token {
        token.target = None;
        token.own.links.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use irsa_probe::*;
    use proptest::prelude::*;

    fn render(report: &Report) -> String {
        serde_json::to_string(report).unwrap()
    }

    fn fault(text: &str) -> Option<Fault> {
        Some(Fault::new(FaultKind::Other, text))
    }

    /// A report in which everything is long.
    fn long(text: &str, times: usize) -> Report {
        let answer = Answer {
            status: Some(403),
            code: Some("AccessDenied".into()),
            message: Some(text.into()),
            request_id: Some(text.into()),
            fault: fault(text),
            ..Answer::default()
        };
        let seen = FileSeen {
            path: text.into(),
            links: vec![Link { path: text.into(), to: text.into() }; times],
            ..FileSeen::default()
        };
        let identity = Identity { groups: vec![u32::MAX; times], ..Identity::default() };
        let variable = Variable { name: text.into(), value: Some(text.into()), empty: false };
        Report {
            version: Some("0.1.0".into()),
            ended: Some(Ended::Complete),
            detail: Some(text.into()),
            unfinished: vec![text.into(); times],
            now: Some(i64::MIN),
            millis: Some(u64::MAX),
            sts: Some(Sts { assume: Some(answer.clone()), caller: Some(answer), ..Sts::default() }),
            clock: Some(Clock { local: 0, remote: text.into() }),
            token: Some(TokenFile { own: seen.clone(), target: Some(seen.clone()), jwt: None }),
            network: Some(Network {
                url: Some(text.into()),
                resolver: Some(Resolver { search: vec![text.into(); times], ..Resolver::default() }),
                ..Network::default()
            }),
            process: Some(Process { identity: Some(identity.clone()), ..Process::default() }),
            target: Some(Target {
                identity: Some(identity),
                others: vec![
                    Other { name: text.into(), lacks: vec![text.into()], ..Other::default() };
                    times
                ],
                ..Target::default()
            }),
            environment: Some(Environment { variables: vec![variable; times], ..Environment::default() }),
            container_credentials: Some(ContainerCredentials {
                url: text.into(),
                ..ContainerCredentials::default()
            }),
            imds: Some(Imds { url: text.into(), ..Imds::default() }),
            shared_files: vec![SharedFile { file: seen, profiles: Vec::new() }; times],
            sdks: Some(Sdks {
                found: vec![Sdk { package: text.into(), version: None, path: text.into() }; times],
                complete: true,
            }),
            ..Report::empty()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn it_fits_and_is_json(text in ".{0,200}", times in 0_usize..8, budget in 400_usize..=4096) {
            let report = long(&text, times);
            let json = fit(&report, budget).unwrap();
            prop_assert!(json.len() <= budget, "{} > {budget}", json.len());
            let read: Report = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read.schema.as_str(), SCHEMA);
            prop_assert_eq!(read.ended, report.ended);
            // Whatever is missing is named, and nothing is left out without need.
            prop_assert_eq!(read == report, read.dropped.is_empty());
            prop_assert_eq!(render(&report).len() <= budget, read.dropped.is_empty());
        }
    }

    #[test]
    fn what_sts_said_is_the_last_to_go() {
        let report = long(&"x".repeat(300), 4);
        let read: Report = serde_json::from_str(&fit(&report, 900).unwrap()).unwrap();
        let answer = read.sts.unwrap().assume.unwrap();
        assert_eq!(answer.code.as_deref(), Some("AccessDenied"));
        assert_eq!(read.dropped.last().map(String::as_str), Some("clock"));
    }

    #[test]
    fn what_fits_is_whole() {
        let report = long("x", 1);
        assert_eq!(fit(&report, 100_000).unwrap(), render(&report));
    }
}
