//! From a target to facts, live: the cluster, AWS and the probe side by side.

use irsa::derive::Derived;
use irsa::diagnosis;
use irsa::documents::log::add_said;
use irsa::facts::{Facts, Request, Why};
use irsa::rounds::{CollectError, of_cluster, without_probe};
use irsa::target::Target;

use super::cluster::Api;
use super::identity::{AccountWide, Cloud, Early};
use super::probe::Choice;

/// What is to be found out.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// The namespace.
    pub namespace: &'q str,
    /// The target in it.
    pub target: &'q Target,
    /// `-c`.
    pub container: Option<&'q str>,
    /// What a printed command needs to reach the same cluster.
    pub kubectl_flags: &'q [String],
    /// Flags of this run without which another would not see the same.
    pub own_flags: &'q [String],
    /// The text of `--error`.
    pub said: Option<&'q str>,
    /// By which checks it is decided whether there is anything left for the probe.
    pub checks: &'q diagnosis::Choice,
}

/// Reads everything about a target: one [`Facts`] for each of its pods, newest first; for a workload or a service account
/// without pods, one. Where AWS is not asked, `cloud` says why.
///
/// # Errors
/// The target cannot be read.
pub async fn gather(
    api: &Api,
    cloud: Result<&Cloud, Why>,
    question: Question<'_>,
) -> Result<Vec<Facts>, CollectError> {
    let Question { namespace, target, .. } = question;
    let request = Request {
        kind: target.kind.word().to_owned(),
        name: target.name.clone(),
        container: question.container.map(str::to_owned),
        kubectl_flags: question.kubectl_flags.to_vec(),
        own_flags: question.own_flags.to_vec(),
        aws_flags: cloud.as_ref().map_or_else(|_| Vec::new(), |cloud| cloud.session.cli_flags()),
        live: true,
    };
    let cloud = match cloud {
        Ok(cloud) => cloud,
        Err(why) => {
            let read = Box::pin(of_cluster(api, namespace, target, request, &why, async |_, _| ()));
            let (mut subjects, ()) = read.await?;
            add_errors(&mut subjects, question.said);
            return Ok(subjects);
        }
    };
    let pending = Why::NotAsked(String::from("AWS is asked once the cluster has answered"));
    // What AWS is slow to answer must not hold up the cluster's answers.
    let (wide, subjects) = tokio::join!(
        Box::pin(AccountWide::ask(cloud, api)),
        Box::pin(of_cluster(api, namespace, target, request, &pending, async |accounts, pods| {
            Early::ask(cloud, api, namespace, accounts, pods).await
        }))
    );
    let (mut subjects, early) = subjects?;
    let excluded = Why::Excluded(String::from("--no-probe"));
    let (mut asked, mut candidates) = (Vec::new(), Vec::new());
    for (index, facts) in subjects.iter().enumerate() {
        let derived = Derived::of(facts);
        asked.push(cloud.asked(&derived));
        candidates.push(match &cloud.probing {
            Some(probing) => probing.candidate(index, &derived),
            None => Err(Box::new(without_probe(&derived, &excluded))),
        });
    }
    let read = &mut subjects;
    let complete = Box::pin(async move {
        cloud.complete(api, &wide, &early, &asked, read).await;
        add_errors(read, question.said);
        read
    });
    let probed = match &cloud.probing {
        Some(probing) => Box::pin(probing.beside(api, candidates, question.checks, complete)).await,
        None => {
            complete.await;
            Choice::among(&candidates).unseen
        }
    };
    for (facts, probed) in subjects.iter_mut().zip(probed) {
        facts.probed = probed;
    }
    Ok(subjects)
}

/// Adds what the user has pasted.
fn add_errors(subjects: &mut [Facts], said: Option<&str>) {
    if let Some(text) = said {
        subjects.iter_mut().for_each(|facts| add_said(facts, text));
    }
}
