//! The environment of a user with this AWS: proxy, CA, and credentials as the AWS CLI stores them.

use super::account::Account;
use super::keyring::Key;
use super::serve::Server;
use std::fmt::Write as _;
use std::path::Path;

/// Writes the files into `dir` and names the variables that lead to them and to the proxy.
pub fn environment(server: &Server, proxy: &str, ca: &str, dir: &Path) -> Vec<(String, String)> {
    let save = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).expect("the test's own directory can be written");
        path.display().to_string()
    };
    let (mut config, mut credentials) = (String::new(), String::new());
    let mut variables = Vec::new();
    for (index, account) in server.accounts().iter().enumerate() {
        let Some(key) = server.keys.of_account(account) else { continue };
        for profile in &account.profiles {
            let _ = writeln!(config, "[profile {profile}]");
            let _ = writeln!(credentials, "[{profile}]");
            for (name, value) in settings(account, key) {
                let file = if name == "region" { &mut config } else { &mut credentials };
                let _ = writeln!(file, "{name} = {value}");
            }
        }
        if account.signed_in.unwrap_or(index == 0) {
            variables.extend(settings(account, key).map(|(name, value)| {
                let name = if name == "region" { "AWS_REGION".to_owned() } else { name.to_uppercase() };
                (name, value.to_owned())
            }));
        }
    }
    let common = [
        ("HTTPS_PROXY", proxy.to_owned()),
        ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ("AWS_CA_BUNDLE", save("aws-ca.pem", ca)),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_CONFIG_FILE", save("aws-config", &config)),
        ("AWS_SHARED_CREDENTIALS_FILE", save("aws-credentials", &credentials)),
    ];
    variables.extend(common.map(|(name, value)| (name.to_owned(), value)));
    variables
}

/// What a profile says, in the words of the AWS CLI's files.
fn settings<'a>(account: &'a Account, key: &'a Key) -> impl Iterator<Item = (&'static str, &'a str)> {
    let settings = [
        ("aws_access_key_id", Some(key.id.as_str())),
        ("aws_secret_access_key", Some(key.secret.as_str())),
        ("aws_session_token", key.session_token.as_deref()),
        ("region", account.region.as_deref()),
    ];
    settings.into_iter().filter_map(|(name, value)| Some((name, value?)))
}
