//! The page of a results folder, live: progress of a running experiment, its points as they finish, and the files of the
//! folder. Whoever asks must know the token in the address, and must have been led to this machine by its own name.
//!
//! ```text
//! news    how far a run is               guard   who may ask, and for how much
//! answer  pages, events and files
//! ```

mod answer;
mod guard;
mod news;

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use answer::Served;
use guard::{Doorkeeper, Listener};
pub use news::{News, Reporter, State, reporter};

/// Bytes of a request's body; none has one.
const MOST_BYTES: usize = 1_024;

/// What is served, and to whom.
pub struct Options {
    /// The results folder; nothing outside is served.
    pub folder: PathBuf,
    /// Where to listen.
    pub address: IpAddr,
    /// The port of the address.
    pub port: u16,
    /// How far the run is, if there is one.
    pub reporter: Reporter,
    /// What ends the run, if there is one.
    pub cancel: Option<&'static AtomicBool>,
}

/// A server that listens already.
pub struct Server {
    listener: Listener,
    app: Router,
    /// Where the page is.
    pub url: String,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// An address or port that cannot be had.
    pub async fn bind(options: Options) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(SocketAddr::new(options.address, options.port)).await?;
        let at = listener.local_addr()?;
        let token = token();
        let served = Arc::new(Served {
            folder: options.folder,
            token: token.clone(),
            reporter: options.reporter,
            cancel: options.cancel,
            page: tokio::sync::Mutex::default(),
            listeners: Arc::new(tokio::sync::Semaphore::new(guard::MOST_LISTENERS)),
        });
        let app = Router::new()
            .route("/{token}/", get(answer::page))
            .route("/{token}/events", get(answer::events))
            .route("/{token}/cancel", post(answer::cancel))
            .route("/{token}/files/{*path}", get(answer::file))
            .layer(axum::middleware::from_fn_with_state(Doorkeeper::at(at), guard::check))
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .with_state(served);
        Ok(Self {
            listener: Listener::new(listener),
            app,
            url: format!("http://{at}/{token}/"),
        })
    }

    /// Answers until `until` is over.
    ///
    /// # Errors
    /// A network that fails.
    pub async fn run(self, until: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        // Events never end by themselves: who is listening when all is over is left.
        tokio::select! {
            done = async { axum::serve(self.listener, self.app).await } => done,
            () = until => Ok(()),
        }
    }
}

/// 128 bits that nobody can guess: a keyed hash under keys that the system drew at random.
fn token() -> String {
    let half = |salt: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(salt);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(1), half(2))
}
