//! Access keys: those of the user, and those that STS issued. All of them can be told from anything real, so that
//! a test can search every output for them.

use super::account::{Account, unique_id};
use super::endpoint::Partition;
use std::sync::Mutex;

/// An access key and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// `AKIA…` of a user, `ASIA…` of a session.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
    /// The account's number.
    pub account: String,
    /// The account's partition.
    pub partition: Partition,
    /// The caller's ARN.
    pub arn: String,
    /// The caller's unique id.
    pub user_id: String,
    /// Whether it has expired.
    pub expired: bool,
}

/// Every key of the world.
pub struct Keyring {
    own: Vec<Key>,
    issued: Mutex<Vec<Key>>,
}

impl Keyring {
    /// The keys of the accounts' own users, in the order of the accounts.
    pub fn new(accounts: &[Account]) -> Keyring {
        Keyring { own: accounts.iter().map(own_key).collect(), issued: Mutex::default() }
    }

    /// The key with which the user calls this account.
    pub fn of_account(&self, account: &Account) -> Option<&Key> {
        self.own.iter().find(|key| key.account == account.account)
    }

    /// The key with this id.
    pub fn find(&self, id: &str) -> Option<Key> {
        let issued = self.issued.lock().expect("no thread panics while it holds the keys");
        self.own.iter().chain(issued.iter()).find(|key| key.id == id).cloned()
    }

    /// Makes credentials of a role's session. `arn` and `user_id` are the session's.
    pub fn issue(&self, account: &Account, arn: &str, user_id: &str) -> Key {
        let mut issued = self.issued.lock().expect("no thread panics while it holds the keys");
        let number = issued.len() + 1;
        let key = Key {
            id: format!("ASIAISSUED{number:010}"),
            secret: format!("issued-secret-access-key/number+{number}"),
            session_token: Some(format!("issued-session-token//number+{number}==")),
            account: account.account.clone(),
            partition: account.partition,
            arn: arn.to_owned(),
            user_id: user_id.to_owned(),
            expired: false,
        };
        issued.push(key.clone());
        key
    }

    /// Whether STS issued this key during the test.
    pub fn has_issued(&self, id: &str) -> bool {
        self.issued.lock().expect("no thread panics while it holds the keys").iter().any(|key| key.id == id)
    }

    /// Everything that must never be shown.
    pub fn secrets(&self) -> Vec<String> {
        let issued = self.issued.lock().expect("no thread panics while it holds the keys");
        let keys = self.own.iter().chain(issued.iter());
        keys.flat_map(|key| [Some(key.secret.clone()), key.session_token.clone()]).flatten().collect()
    }
}

fn own_key(account: &Account) -> Key {
    let arn = account.caller.clone().unwrap_or_else(|| account.iam_arn("user/oncall"));
    let session = arn.split_once(":assumed-role/").map(|(_, role)| role);
    let (prefix, user_id) = match session.and_then(|role| role.split_once('/')) {
        Some((role, session)) => ("ASIA", format!("{}:{session}", unique_id("AROA", role))),
        None => ("AKIA", unique_id("AIDA", &arn)),
    };
    Key {
        id: format!("{prefix}USER{}", account.account),
        secret: format!("secret-access-key/of+{}", account.account),
        session_token: session.map(|_| format!("session-token//of+{}==", account.account)),
        account: account.account.clone(),
        partition: account.partition,
        arn,
        user_id,
        expired: account.session_expired,
    }
}
