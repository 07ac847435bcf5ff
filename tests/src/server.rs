//! A TCP server in a thread of its own, for fakes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A running server. It stops when dropped, and drops what is still being answered.
pub struct Background {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Accepts connections on a free port of 127.0.0.1 and hands each to `serve`, in a task of its own.
    pub fn start<F, T>(name: &str, serve: F) -> Background
    where
        F: Fn(TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        Background::start_at(name, IpAddr::V4(Ipv4Addr::LOCALHOST), serve)
    }

    /// The same on another address of this machine.
    pub fn start_at<F, T>(name: &str, address: IpAddr, serve: F) -> Background
    where
        F: Fn(TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind((address, 0)).expect("there is a free port");
        listener.set_nonblocking(true).expect("a socket can be non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime can be built");
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, serve) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.expect("a thread can be started");
        Background { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone when the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread must not turn into a second one while a test unwinds.
            let _ = thread.join();
        }
    }
}

async fn accept<F, T>(listener: std::net::TcpListener, serve: F)
where
    F: Fn(TcpStream) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::from_std(listener).expect("a non-blocking socket can be registered");
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    }
}
