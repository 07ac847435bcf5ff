//! Which SDK reported an error, and whether it is new enough.

use serde::{Deserialize, Serialize};

use crate::mechanism::Mechanism;

/// An SDK, and its version where the text names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sdk {
    /// Which one.
    pub name: SdkName,
    /// Digits and dots: `1.44.2`.
    pub version: Option<String>,
}

/// The SDKs, by generation: their credential chains differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SdkName {
    /// boto3.
    Boto3,
    /// botocore without boto3.
    Botocore,
    /// The AWS CLI, v1 or v2.
    AwsCli,
    /// Go v1.
    GoV1,
    /// Go v2.
    GoV2,
    /// Java v1.
    JavaV1,
    /// Java v2.
    JavaV2,
    /// JavaScript v2.
    JsV2,
    /// JavaScript v3.
    JsV3,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// C++.
    Cpp,
    /// .NET.
    DotNet,
    /// Rust.
    Rust,
}

/// The products of user agents.
const PRODUCTS: [(&str, SdkName); 14] = [
    ("aws-cli/", SdkName::AwsCli),
    ("boto3/", SdkName::Boto3),
    ("botocore/", SdkName::Botocore),
    ("aws-sdk-go/", SdkName::GoV1),
    ("aws-sdk-go-v2/", SdkName::GoV2),
    ("aws-sdk-java/", SdkName::JavaV2),
    ("aws-sdk-nodejs/", SdkName::JsV2),
    ("aws-sdk-js/", SdkName::JsV3),
    ("aws-sdk-ruby3/", SdkName::Ruby),
    ("aws-sdk-php/", SdkName::Php),
    ("aws-sdk-cpp/", SdkName::Cpp),
    ("aws-sdk-dotnet-coreclr/", SdkName::DotNet),
    ("aws-sdk-dotnet-45/", SdkName::DotNet),
    ("aws-sdk-rust/", SdkName::Rust),
];

impl Sdk {
    /// Reads a user agent, as logs and CloudTrail have it; the first product that is an SDK counts, since what follows it
    /// are its parts.
    pub fn of_user_agent(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let found = PRODUCTS.iter().filter_map(|(product, name)| {
            let at = lower.match_indices(product).map(|(at, _)| at).find(|at| starts_word(&lower, *at))?;
            let version = version_at_start(&lower[at + product.len()..])?;
            Some((at, name, version))
        });
        let (_, name, version) = found.min_by_key(|(at, ..)| *at)?;
        // Two generations share a product's name.
        let name = match (name, numbers(version).first()) {
            (SdkName::JavaV2, Some(..2)) => SdkName::JavaV1,
            (SdkName::JsV3, Some(..3)) => SdkName::JsV2,
            (name, _) => *name,
        };
        Some(Self { name, version: Some(version.to_owned()) })
    }

    /// An SDK by its package, as its language's package manager names it.
    pub fn of_package(package: &str, version: &str) -> Option<Self> {
        let name = match package {
            "boto3" => SdkName::Boto3,
            "botocore" => SdkName::Botocore,
            "awscli" => SdkName::AwsCli,
            "aws-sdk" => SdkName::JsV2,
            "aws-sdk-core" => SdkName::Ruby,
            "aws-java-sdk-core" | "aws-java-sdk-bundle" => SdkName::JavaV1,
            "sts" => SdkName::JavaV2,
            "github.com/aws/aws-sdk-go" => SdkName::GoV1,
            _ => return None,
        };
        Some(Self { name, version: Some(version.to_owned()) })
    }

    /// True if the SDK is older than the first version that supports the mechanism; `None` if not known.
    pub fn is_too_old(&self, mechanism: Mechanism) -> Option<bool> {
        let version = numbers(self.version.as_deref()?);
        match self.name.first_with(mechanism, version.first().copied()) {
            First::Every => Some(false),
            // A user agent of .NET has the version of a service's package, not that of the release.
            First::Release(_) | First::Unknown => None,
            First::Version(_) if self.name == SdkName::DotNet => None,
            First::Version(first) => Some(version < numbers(first)),
        }
    }

    /// The first version that supports the mechanism, according to AWS; `None` if every version does, or if AWS names none.
    pub fn minimum(&self, mechanism: Mechanism) -> Option<&'static str> {
        let major = self.version.as_deref().and_then(|version| numbers(version).first().copied());
        match self.name.first_with(mechanism, major) {
            First::Version(first) | First::Release(first) => Some(first),
            First::Every | First::Unknown => None,
        }
    }
}

/// The first version of an SDK that supports a mechanism.
enum First {
    /// This one.
    Version(&'static str),
    /// A release of many packages, each with a number of its own.
    Release(&'static str),
    /// Every version does.
    Every,
    /// AWS names none.
    Unknown,
}

impl SdkName {
    /// Its usual name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Boto3 => "boto3",
            Self::Botocore => "botocore",
            Self::AwsCli => "the AWS CLI",
            Self::GoV1 => "the AWS SDK for Go v1",
            Self::GoV2 => "the AWS SDK for Go v2",
            Self::JavaV1 => "the AWS SDK for Java v1",
            Self::JavaV2 => "the AWS SDK for Java v2",
            Self::JsV2 => "the AWS SDK for JavaScript v2",
            Self::JsV3 => "the AWS SDK for JavaScript v3",
            Self::Ruby => "the AWS SDK for Ruby",
            Self::Php => "the AWS SDK for PHP",
            Self::Cpp => "the AWS SDK for C++",
            Self::DotNet => "the AWS SDK for .NET",
            Self::Rust => "the AWS SDK for Rust",
        }
    }

    /// EKS user guide, "Use IRSA with the AWS SDK" and "Use pod identity with the AWS SDK" (December 2024). Versions for
    /// IRSA are those that the guide asks for; some may be older than the provider by a release.
    const fn first_with(self, mechanism: Mechanism, major: Option<u32>) -> First {
        let (irsa, pod_identity) = match self {
            Self::JavaV2 => (First::Version("2.10.11"), First::Version("2.21.30")),
            Self::JavaV1 => (First::Version("1.11.704"), First::Version("1.12.746")),
            Self::GoV1 => (First::Version("1.23.13"), First::Version("1.47.11")),
            Self::GoV2 => (First::Every, First::Release("release-2023-11-14")),
            Self::Boto3 => (First::Version("1.9.220"), First::Version("1.34.41")),
            Self::Botocore => (First::Version("1.12.200"), First::Version("1.34.41")),
            Self::AwsCli => match major {
                Some(2) => (First::Every, First::Version("2.15.0")),
                Some(1) => (First::Version("1.16.232"), First::Version("1.30.0")),
                _ => (First::Unknown, First::Unknown),
            },
            Self::JsV2 => (First::Version("2.525.0"), First::Version("2.1550.0")),
            Self::JsV3 => (First::Version("3.27.0"), First::Version("3.458.0")),
            Self::Ruby => (First::Version("3.58.0"), First::Version("3.188.0")),
            Self::Cpp => (First::Version("1.7.174"), First::Version("1.11.263")),
            Self::DotNet => (First::Version("3.3.659.1"), First::Version("3.7.734.0")),
            Self::Php => (First::Version("3.110.7"), First::Version("3.287.1")),
            Self::Rust => (First::Unknown, First::Release("release-2024-03-13")),
        };
        match mechanism {
            Mechanism::Irsa => irsa,
            Mechanism::PodIdentity => pod_identity,
            _ => First::Unknown,
        }
    }
}

/// True if what starts there is not the end of a longer word.
fn starts_word(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// `1.44.2`: two to four numbers. What follows (`-preview`, `+dfsg`) is dropped.
fn version_at_start(text: &str) -> Option<&str> {
    let version = super::pieces::run(text, |c| c.is_ascii_digit() || c == '.').trim_end_matches('.');
    let parts: Vec<&str> = version.split('.').collect();
    let sound = (2..=4).contains(&parts.len())
        && parts.iter().all(|part| (1..=6).contains(&part.len()) && part.parse::<u32>().is_ok());
    sound.then_some(version)
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdk(agent: &str) -> (SdkName, String) {
        let sdk = Sdk::of_user_agent(agent).unwrap_or_else(|| panic!("{agent}"));
        (sdk.name, sdk.version.unwrap())
    }

    #[test]
    fn user_agents() {
        for (agent, name, version) in [
            ("Boto3/1.26.1 Python/3.9.16 Linux/5.10 Botocore/1.29.1", SdkName::Boto3, "1.26.1"),
            ("Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#5.10", SdkName::Boto3, "1.34.0"),
            ("Botocore/1.34.0 ua/2.0 os/linux", SdkName::Botocore, "1.34.0"),
            (
                "aws-cli/2.2.3 Python/3.8.8 Linux/5.11.0 exe/x86_64.ubuntu.20 command/eks",
                SdkName::AwsCli,
                "2.2.3",
            ),
            ("aws-cli/1.16.200 Python/2.7 Linux/4.14 botocore/1.12.190", SdkName::AwsCli, "1.16.200"),
            ("karpenter.sh-v0.30.0 aws-sdk-go/1.44.328 (go1.20; linux; amd64)", SdkName::GoV1, "1.44.328"),
            (
                "aws-sdk-go-v2/1.17.1 os/linux lang/go#1.19 md/GOOS#linux api/sts#1.17.1",
                SdkName::GoV2,
                "1.17.1",
            ),
            ("aws-sdk-java/1.11.673 Linux/4.14 OpenJDK", SdkName::JavaV1, "1.11.673"),
            ("aws-sdk-java/2.20.26 Linux/5.10 OpenJDK_64-Bit_Server_VM/17", SdkName::JavaV2, "2.20.26"),
            ("aws-sdk-nodejs/2.610.0 linux/v12.14.1 promise", SdkName::JsV2, "2.610.0"),
            ("aws-sdk-js/3.363.0 ua/2.0 os/linux#5.10 lang/js md/nodejs#18.16.0", SdkName::JsV3, "3.363.0"),
            ("aws-sdk-ruby3/3.201.3 ua/2.0 api/sts#3.201.3", SdkName::Ruby, "3.201.3"),
            ("aws-sdk-php/3.166.0 OS/Linux GuzzleHttp/6.5.5", SdkName::Php, "3.166.0"),
            ("aws-sdk-cpp/1.7.100 Linux/5.10 x86_64 GCC/7.3", SdkName::Cpp, "1.7.100"),
            ("aws-sdk-dotnet-coreclr/3.7.107.12 .NET_Core/6.0", SdkName::DotNet, "3.7.107.12"),
            ("aws-sdk-rust/1.1.7 os/linux lang/rust/1.76.0", SdkName::Rust, "1.1.7"),
        ] {
            assert_eq!(sdk(agent), (name, version.to_owned()), "{agent}");
        }
        for other in [
            "",
            "console.amazonaws.com",
            "aws-sdk-go/",
            "my-aws-sdk-go/1.2.3",
            "aws-sdk-go/latest",
            "eks.amazonaws.com",
        ] {
            assert_eq!(Sdk::of_user_agent(other), None, "{other}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let old = |agent, mechanism| Sdk::of_user_agent(agent).and_then(|sdk| sdk.is_too_old(mechanism));
        for (agent, irsa, pod_identity) in [
            ("aws-sdk-go/1.23.9", Some(true), Some(true)),
            ("aws-sdk-go/1.23.13", Some(false), Some(true)),
            ("aws-sdk-go/1.100.0", Some(false), Some(false)),
            ("aws-sdk-go-v2/1.17.1", Some(false), None),
            ("aws-cli/1.16.231", Some(true), Some(true)),
            ("aws-cli/2.0.0", Some(false), Some(true)),
            ("aws-sdk-dotnet-coreclr/3.7.1.1", None, None),
            ("aws-sdk-rust/0.1.0", None, None),
        ] {
            assert_eq!(old(agent, Mechanism::Irsa), irsa, "{agent}");
            assert_eq!(old(agent, Mechanism::PodIdentity), pod_identity, "{agent}");
            assert_eq!(old(agent, Mechanism::NodeRole), None, "{agent}");
        }
        let go = Sdk { name: SdkName::GoV1, version: None };
        assert_eq!(go.minimum(Mechanism::Irsa), Some("1.23.13"));
        assert_eq!(go.is_too_old(Mechanism::Irsa), None, "no version, no verdict");
    }
}
