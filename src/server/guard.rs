//! Who may ask, and for how much at a time.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at a time, and those among them that listen for news.
const MOST_CONNECTIONS: usize = 256;
pub(super) const MOST_LISTENERS: usize = 128;

/// How long a request may take to be answered, but for news.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which names of this machine lead here.
#[derive(Debug, Clone)]
pub(super) struct Doorkeeper {
    /// None where others than this machine may ask.
    names: Option<Arc<[String]>>,
}

impl Doorkeeper {
    pub(super) fn at(address: SocketAddr) -> Self {
        let port = address.port();
        let names = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
        Self {
            names: address.ip().is_loopback().then(|| names.into()),
        }
    }
}

/// Refuses requests that were meant for another host: a page elsewhere that made its own name lead here.
pub(super) async fn check(State(doorkeeper): State<Doorkeeper>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if let Some(names) = &doorkeeper.names
        && !host.is_some_and(|host| names.iter().any(|name| name == host))
    {
        return (StatusCode::FORBIDDEN, "this is not the host that was asked for\n").into_response();
    }
    let answered = tokio::time::timeout(PATIENCE, next.run(request)).await;
    let mut answer = answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response());
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    answer
}

/// Accepts so many connections at a time; others wait in the system's queue.
pub(super) struct Listener {
    inner: TcpListener,
    room: Arc<Semaphore>,
}

impl Listener {
    pub(super) fn new(inner: TcpListener) -> Self {
        Self {
            inner,
            room: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.inner.accept().await {
                Ok((stream, address)) => {
                    let idle = Box::pin(tokio::time::sleep(IDLE));
                    return (
                        Connection {
                            stream,
                            idle,
                            _permit: permit,
                        },
                        address,
                    );
                }
                // Such as too many open files: it passes.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// How long a connection may take nothing, not even while it sends a request byte by byte; news come more often.
const IDLE: Duration = Duration::from_secs(90);

/// A connection that ends when nothing has moved for long, so that slow ones do not keep others out.
pub(super) struct Connection {
    stream: TcpStream,
    idle: Pin<Box<tokio::time::Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Whether it has taken nothing for too long; something that it took begins the time anew.
    fn watch<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>, took: bool) -> Poll<io::Result<T>> {
        if took && polled.is_ready() {
            self.idle.as_mut().reset(tokio::time::Instant::now() + IDLE);
        }
        match self.idle.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => polled,
        }
    }
}

use std::future::Future as _;

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watch(context, polled, false)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, polled, true)
    }

    // Else every connection would have a copy of the page that it is sent.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(context, polled, true)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
