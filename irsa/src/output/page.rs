//! The page of a failure mode on a terminal. In a pipe it is the Markdown that it is written in.

use super::style::{Paint, Style, wrap};
use crate::checks::catalogue::Entry;
use crate::diagnosis::docs;
use crate::step::Step;

/// Before every line but the headings.
const INDENT: &str = "  ";

/// Before lines that begin with `bad` or `good`.
const EXAMPLES: &str = "```text\n";

/// The page: its title and id, its sections under headings, how to look for oneself, and where it is to be read.
pub fn render(entry: &Entry, style: &Style) -> String {
    let mut page = Page { out: String::new(), style };
    for paragraph in entry.page.split("\n\n") {
        if let Some(examples) = paragraph.strip_prefix(EXAMPLES) {
            page.examples(examples);
            continue;
        }
        let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(title) = text.strip_prefix("# ") {
            page.text("", title, Paint::Strong);
            let link = entry.link;
            page.text("", &format!("{}: {link}", entry.id), Paint::Dim);
        } else if let Some((heading, text)) = section(&text) {
            page.heading(heading);
            page.text(INDENT, &text, Paint::Plain);
        } else {
            page.line("");
            page.text(INDENT, &text, Paint::Plain);
        }
    }
    if let Some(commands) = entry.step.map(by_hand) {
        page.heading("By hand");
        for command in commands {
            page.line(&format!("{INDENT}{}", style.paint(Paint::Command, command)));
        }
    }
    page.line("");
    page.line(&style.paint(Paint::Dim, &docs(entry.id)));
    page.out
}

/// What a paragraph that begins in bold type is about, and what it says: a sentence of its own after a colon or comma, else the
/// rest of the heading's.
fn section(paragraph: &str) -> Option<(&str, String)> {
    let (heading, rest) = paragraph.strip_prefix("**")?.split_once("**")?;
    let text = rest.trim_start_matches([':', ',', ' ']);
    let mut chars = text.chars();
    let capital = chars.next().filter(|_| !rest.starts_with(' '));
    let text = capital.map_or_else(|| text.to_owned(), |first| first.to_uppercase().chain(chars).collect());
    Some((heading, text))
}

/// Commands that show what a link's checks look at, for whoever wants to see it.
const fn by_hand(step: Step) -> &'static [&'static str] {
    match step {
        Step::Target => &["kubectl describe pod POD -n NAMESPACE"],
        Step::ServiceAccount => &["kubectl get serviceaccount NAME -n NAMESPACE -o yaml"],
        Step::Pod => &["kubectl get pod POD -n NAMESPACE -o yaml"],
        Step::Injection => &[
            "kubectl get pod POD -n NAMESPACE -o yaml | grep -A1 -e AWS_ -e aws-iam-token",
            "kubectl get mutatingwebhookconfigurations -o yaml",
        ],
        Step::TokenFile => &[
            "kubectl exec POD -n NAMESPACE -- id",
            "kubectl exec POD -n NAMESPACE -- ls -lnL /var/run/secrets/eks.amazonaws.com/serviceaccount",
        ],
        Step::TokenClaims => &[
            "kubectl create token NAME -n NAMESPACE --audience sts.amazonaws.com | cut -d. -f2 | tr _- /+ | base64 -d 2>/dev/null",
        ],
        Step::Network => &[
            "kubectl exec POD -n NAMESPACE -- curl -sv https://sts.REGION.amazonaws.com",
            "kubectl get networkpolicies -n NAMESPACE",
        ],
        Step::Issuer => &[
            "kubectl get --raw /.well-known/openid-configuration",
            "aws eks describe-cluster --name CLUSTER --query cluster.identity.oidc.issuer",
        ],
        Step::OidcProvider => &[
            "aws iam list-open-id-connect-providers",
            "aws iam get-open-id-connect-provider --open-id-connect-provider-arn ARN",
        ],
        Step::Role => &["aws iam get-role --role-name ROLE"],
        Step::TrustPolicy => &["aws iam get-role --role-name ROLE --query Role.AssumeRolePolicyDocument"],
        Step::Sts => &[
            "token=$(kubectl create token NAME -n NAMESPACE --audience sts.amazonaws.com)",
            "aws sts assume-role-with-web-identity --role-arn ARN --role-session-name by-hand --query AssumedRoleUser --web-identity-token \"$token\"",
        ],
        Step::Caller => &["kubectl exec POD -n NAMESPACE -- aws sts get-caller-identity"],
        Step::Permissions => &[
            "aws iam list-attached-role-policies --role-name ROLE",
            "aws iam simulate-principal-policy --policy-source-arn ARN --action-names ACTION",
        ],
    }
}

struct Page<'s> {
    out: String,
    style: &'s Style,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.line("");
        self.line(&self.style.paint(Paint::Strong, &self.style.line(text)));
    }

    fn examples(&mut self, lines: &str) {
        self.line("");
        for line in lines.lines().take_while(|line| *line != "```") {
            let (word, example) = line.split_once(' ').unwrap_or((line, ""));
            let paint = if word == "good" { Paint::Good } else { Paint::Bad };
            self.line(&format!("{INDENT}{} {}", self.style.paint(paint, word), self.style.line(example)));
        }
    }

    fn text(&mut self, indent: &str, text: &str, paint: Paint) {
        let columns = self.style.columns().saturating_sub(indent.len());
        let mut marks = Marks::default();
        for line in wrap(&self.style.line(text), columns, columns, false) {
            let line = marks.paint(&line, paint, self.style);
            self.line(&format!("{indent}{line}"));
        }
    }
}

/// Which of Markdown's marks are open. A mark may close on a later line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Marks {
    code: bool,
    emphasis: bool,
}

impl Marks {
    /// The line with colours in place of its marks; without colours the marks stay.
    fn paint(&mut self, line: &str, plain: Paint, style: &Style) -> String {
        let (mut out, mut start) = (String::new(), 0);
        for (at, mark) in line.match_indices(['`', '*']) {
            if mark == "*" && self.code {
                continue;
            }
            out.push_str(&style.paint(self.current(plain), line.get(start..at).unwrap_or_default()));
            if !style.color {
                out.push_str(mark);
            }
            match mark {
                "`" => self.code = !self.code,
                _ => self.emphasis = !self.emphasis,
            }
            start = at + mark.len();
        }
        out + &style.paint(self.current(plain), line.get(start..).unwrap_or_default())
    }

    fn current(&self, plain: Paint) -> Paint {
        match (self.code, self.emphasis) {
            (true, _) => Paint::Command,
            (false, true) => Paint::Strong,
            (false, false) => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::catalogue::{entries, entry};
    use crate::output::style::width;

    /// What is not a word's own.
    const MARKS: [char; 5] = ['`', '*', '#', ':', ','];

    fn style(width: usize, color: bool) -> Style {
        Style { color, width, ..Style::default() }
    }

    /// Without its colours.
    fn plain(text: &str) -> String {
        let mut rest = text.split('\u{1b}');
        let first = rest.next().unwrap_or_default().to_owned();
        rest.fold(first, |out, piece| out + piece.split_once('m').map_or("", |(_, text)| text))
    }

    #[test]
    fn a_page_as_it_is_on_a_terminal() {
        let page = |id: &str, width| plain(&render(&entry(id).unwrap(), &style(width, true)));
        insta::assert_snapshot!(page("trust-sub-mismatch", 80), @r#"
        The role trusts another service account
        trust-sub-mismatch: trust policy

          The trust policy names a subject that is not this pod's: another namespace or
          name, a prefix that Helm or Terraform added, / for :, or
          system:serviceaccount: is missing.

          bad   "…:sub": "system:serviceaccount:shop:chekout"
          bad   "…:sub": "system:serviceaccount:shop/checkout"
          good  "…:sub": "system:serviceaccount:shop:checkout"

        You see
          AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity (403).
          STS never says which part failed.

        Decided by
          sub of a fresh token against every statement of the trust policy, evaluated
          as IAM does it. The nearest statement is shown, its nearest value first.

        Not a fault
          A statement for another service account next to one that trusts this one.

          If the service account that is trusted exists next to this one and names
          another role, the two may have been swapped.

        Repair
          Put the subject into the statement that is meant for it, or add a statement.
          Another service account that may exist keeps its access; a typing error that
          is nobody's name is replaced.

        By hand
          aws iam get-role --role-name ROLE --query Role.AssumeRolePolicyDocument

        https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/trust-sub-mismatch.md
        "#);
        insta::assert_snapshot!(page("imds-hop-limit", 50), @r#"
        Pods cannot reach the instance metadata
        imds-hop-limit: suspected, but not a fault

          A hop limit of 1 on the nodes
          (HttpPutResponseHopLimit) keeps pods from
          reaching the instance metadata service. This is
          not a fault but what AWS recommends: no pod can
          then use the node's role. IRSA and EKS Pod
          Identity do not use that service.

        You see
          no EC2 IMDS role found, EC2MetadataError:
          failed to make EC2Metadata request, or timeouts
          at 169.254.169.254. An SDK reports this last,
          after every other source of credentials came up
          empty. The real problem comes before it: the
          service account names no role, the pod was not
          injected, or the token exchange failed.

        Worth knowing
          Some programs ask the metadata service for their
          region, VPC or instance id even where IRSA gives
          them credentials. Configure these instead
          (AWS_REGION, --aws-vpc-id and the like): see
          region-missing.

        Repair
          None. Do not raise the hop limit: it gives the
          node's role to every pod on the node.

        https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/imds-hop-limit.md
        "#);
    }

    #[test]
    fn every_mark_of_every_page_is_closed() {
        for entry in entries() {
            for paragraph in entry.page.split("\n\n") {
                let mut marks = Marks::default();
                marks.paint(&paragraph.replace("**", ""), Paint::Plain, &style(80, true));
                assert_eq!(marks, Marks::default(), "{}: {paragraph}", entry.id);
            }
        }
    }

    #[test]
    fn every_page_fits_its_terminal_and_loses_no_word() {
        for entry in entries() {
            for columns in [40, 80, 100] {
                let page = plain(&render(&entry, &style(columns, true)));
                let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
                for word in entry.page.replace(EXAMPLES, "").split_whitespace() {
                    let word: String = word.chars().filter(|c| !MARKS.contains(c)).collect();
                    assert!(
                        words.replace(MARKS, "").to_lowercase().contains(&word.to_lowercase()),
                        "{}: {word}",
                        entry.id
                    );
                }
                // A URL, a command, an example and a word that is longer than the line stay whole.
                let long = |line: &&str| width(line) > columns && line.trim().contains(' ');
                let commands = entry.step.map_or(&[][..], by_hand);
                let example = |line: &str| line.starts_with("  bad ") || line.starts_with("  good ");
                for line in page.lines().filter(long) {
                    assert!(
                        commands.contains(&line.trim()) || example(line),
                        "{} at {columns}: {line}",
                        entry.id
                    );
                }
            }
        }
    }
}
