//! A container runtime as small as the tests need it: namespaces, mounts, an identity, a program.
//!
//! Everything it makes lives in namespaces of its own and ends with its processes; nothing is left to be cleaned up.

mod enter;
mod network;

use irsa_test_container::{Container, Order, READY};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode};

/// Why there is no container.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the order is not understood: {0}")]
    Order(#[from] serde_json::Error),
    #[error("{0}: {1}")]
    Step(String, io::Error),
}

/// Names the step that failed.
trait Context<T> {
    fn step(self, name: &str) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn step(self, name: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::Step(name.to_owned(), error.into()))
    }
}

fn main() -> ExitCode {
    let order = std::env::args().nth(1).unwrap_or_default();
    match obey(&order) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // Nobody is left to be told if stderr is closed.
            let _ = writeln!(io::stderr(), "the container cannot be run: {failure}");
            ExitCode::from(125)
        }
    }
}

fn obey(order: &str) -> Result<u8, Failure> {
    match serde_json::from_str(order)? {
        Order::Network(addresses) => {
            unshare(UnshareFlags::NEWNET).step("a network namespace")?;
            network::configure(&addresses)?;
            live_on()
        }
        Order::Application => live_on(),
        Order::Run(container) => run(container),
        Order::Enter(container) => enter::enter(&container),
    }
}

/// The function is unsafe because of a flag that is not used here.
#[expect(deprecated)]
fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    rustix::thread::unshare(flags)
}

fn live_on() -> Result<u8, Failure> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{READY}").and_then(|()| stdout.flush()).step("stdout")?;
    io::stdin().read_to_end(&mut Vec::new()).step("stdin")?;
    Ok(0)
}

/// A process cannot move into a PID namespace; its children are born there.
fn run(container: Container) -> Result<u8, Failure> {
    join(&container.network, LinkNameSpaceType::Network)?;
    match &container.processes {
        Some(path) => join(path, LinkNameSpaceType::ProcessID)?,
        None => unshare(UnshareFlags::NEWPID).step("a PID namespace")?,
    }
    let order = serde_json::to_string(&Order::Enter(container))?;
    let status = Command::new("/proc/self/exe").arg(order).status().step("the second half")?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(125);
    Ok(u8::try_from(code).unwrap_or(125))
}

fn join(namespace: &std::path::Path, kind: LinkNameSpaceType) -> Result<(), Failure> {
    let name = format!("the namespace {}", namespace.display());
    let file = File::open(namespace).step(&name)?;
    move_into_link_name_space(file.as_fd(), Some(kind)).step(&name)
}
