//! Pages, events and files.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::{Path as Asked, State as Known};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::sync::{Mutex, Semaphore};

use super::news::{Reporter, State};
use crate::report::html::{PageOptions, page as make_page, waiting};
use crate::results::merge;
use crate::runner::write_merged;

/// Bytes of a file that are in memory at a time, for each who reads it.
const PIECE: u64 = 64 << 10;

/// How much longer a page is kept than it took to make, so that asking again and again costs a run nothing.
const PATIENCE: u32 = 50;

/// What is served.
pub(super) struct Served {
    pub folder: PathBuf,
    pub token: String,
    pub reporter: Reporter,
    pub cancel: Option<&'static AtomicBool>,
    pub page: Mutex<Option<Made>>,
    pub listeners: Arc<Semaphore>,
}

/// A page, what it was made of, and until when it is kept whatever comes.
pub(super) struct Made {
    /// One for all who read it at a time.
    html: Bytes,
    of: Seen,
    until: Instant,
}

/// What tells whether a page is old: points that are done, and when the table was written, as other processes may run
/// into the folder.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    done: usize,
    table: Option<(SystemTime, u64)>,
}

impl Served {
    /// Nothing is there for those who do not know the token.
    fn knows(&self, token: &str) -> Result<(), StatusCode> {
        let same = token.len() == self.token.len()
            && token
                .bytes()
                .zip(self.token.bytes())
                .fold(0, |all, (a, b)| all | (a ^ b))
                == 0;
        if same { Ok(()) } else { Err(StatusCode::NOT_FOUND) }
    }

    /// The page of what is there now.
    fn make(&self) -> Result<String, String> {
        let news = self.reporter.now();
        if matches!(news.state, State::Running | State::Cancelled | State::Failed(_)) {
            // A run writes its table at its end only.
            if let Ok(merged) = merge(&self.folder)
                && !merged.rows.is_empty()
            {
                write_merged(&self.folder, merged).map_err(|error| error.to_string())?;
            }
        }
        if news.state != State::Still && !self.folder.join("results.csv").exists() {
            return Ok(waiting(&self.live()));
        }
        let options = PageOptions {
            points: Vec::new(),
            live: (news.state != State::Still).then(|| self.live()),
        };
        match make_page(&self.folder, &options) {
            Ok(page) => Ok(page.html),
            Err(_) if news.state == State::Running => Ok(waiting(&self.live())),
            Err(error) => Err(error.to_string()),
        }
    }

    fn live(&self) -> String {
        format!("/{}", self.token)
    }

    fn seen(&self) -> Seen {
        let table = self.folder.join("results.csv").metadata();
        Seen {
            done: self.reporter.now().done,
            table: table.and_then(|table| Ok((table.modified()?, table.len()))).ok(),
        }
    }
}

pub(super) async fn page(
    Known(served): Known<Arc<Served>>,
    Asked(token): Asked<String>,
) -> Result<Response, StatusCode> {
    served.knows(&token)?;
    let mut kept = served.page.lock().await;
    if let Some(made) = &*kept
        && (made.of == served.seen() || made.until > Instant::now())
    {
        return Ok(Html(made.html.clone()).into_response());
    }
    let begun = Instant::now();
    let running = served.reporter.now().state == State::Running;
    let maker = Arc::clone(&served);
    let made = tokio::task::spawn_blocking(move || maker.make()).await;
    match made.unwrap_or_else(|_| Err("the page could not be made".to_owned())) {
        Ok(html) => {
            let html = Bytes::from(html);
            let patience = if running {
                begun.elapsed() * PATIENCE
            } else {
                Duration::ZERO
            };
            // While it was made, the table was written.
            *kept = Some(Made {
                html: html.clone(),
                of: served.seen(),
                until: Instant::now() + patience,
            });
            Ok(Html(html).into_response())
        }
        Err(why) => Ok((StatusCode::INTERNAL_SERVER_ERROR, why + "\n").into_response()),
    }
}

/// News as they come, until the run ends.
pub(super) async fn events(
    Known(served): Known<Arc<Served>>,
    Asked(token): Asked<String>,
) -> Result<Response, StatusCode> {
    served.knows(&token)?;
    let place = Arc::clone(&served.listeners).try_acquire_owned();
    let place = place.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let mut listener = served.reporter.listen();
    listener.mark_changed();
    let stream = unfold((listener, place, false), |(mut listener, place, over)| async move {
        if over || listener.changed().await.is_err() {
            return None;
        }
        let news = listener.borrow_and_update().clone();
        let over = news.state != State::Running;
        if !over {
            // What comes in between is one piece of news.
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let event = Event::default().data(news.json());
        Some((Ok::<_, Infallible>(event), (listener, place, over)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

pub(super) async fn cancel(
    Known(served): Known<Arc<Served>>,
    Asked(token): Asked<String>,
) -> Result<StatusCode, StatusCode> {
    served.knows(&token)?;
    let cancel = served.cancel.ok_or(StatusCode::NOT_FOUND)?;
    cancel.store(true, Ordering::Relaxed);
    Ok(StatusCode::ACCEPTED)
}

/// A file of the folder, piece by piece.
pub(super) async fn file(
    Known(served): Known<Arc<Served>>,
    Asked((token, path)): Asked<(String, String)>,
) -> Result<Response, StatusCode> {
    served.knows(&token)?;
    let folder = served.folder.clone();
    let opened = tokio::task::spawn_blocking(move || open_inside(&folder, &path)).await;
    let (file, bytes, kind) = opened.unwrap_or(Err(StatusCode::INTERNAL_SERVER_ERROR))?;
    let pieces = unfold(Some(file.take(bytes)), |file| async move {
        let read = tokio::task::spawn_blocking(move || next_piece(file?)).await;
        read.unwrap_or_else(|error| Some((Err(io::Error::other(error)), None)))
    });
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The next piece of a file and what comes behind it; none at its end.
fn next_piece(mut file: io::Take<File>) -> Option<(io::Result<Bytes>, Option<io::Take<File>>)> {
    let mut piece = Vec::new();
    match (&mut file).take(PIECE).read_to_end(&mut piece) {
        Ok(0) => None,
        Ok(_) => Some((Ok(piece.into()), Some(file))),
        Err(error) => Some((Err(error), None)),
    }
}

/// A file that lies inside a folder, wherever links lead, how long it is, and of what kind.
fn open_inside(folder: &Path, path: &str) -> Result<(File, u64, &'static str), StatusCode> {
    let path = Path::new(path);
    let plain =
        |part: Component<'_>| matches!(part, Component::Normal(name) if !name.to_string_lossy().starts_with('.'));
    if !path.components().all(plain) {
        return Err(StatusCode::NOT_FOUND);
    }
    let kind = match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv" | "toml") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    let open = || -> io::Result<Option<(File, u64)>> {
        let (folder, path) = (folder.canonicalize()?, folder.join(path).canonicalize()?);
        // What is no file may block who opens it.
        if !path.starts_with(&folder) || !path.is_file() {
            return Ok(None);
        }
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Some((file, bytes)))
    };
    match open() {
        Ok(Some((file, bytes))) => Ok((file, bytes, kind)),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("results");
        std::fs::create_dir_all(folder.join("plots")).unwrap();
        std::fs::write(dir.path().join("secret"), "x").unwrap();
        std::fs::write(folder.join("plots/a.csv"), "a").unwrap();
        std::fs::write(folder.join(".lock"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path().join("secret"), folder.join("link")).unwrap();
        let absolute = dir.path().join("secret");
        let (mut file, bytes, _) = open_inside(&folder, "plots/a.csv").unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), bytes), ("a", 1));
        for path in [
            "../secret",
            "plots/../../secret",
            absolute.to_str().unwrap(),
            "link",
            ".lock",
            "plots",
            "",
            "none",
        ] {
            assert!(open_inside(&folder, path).is_err(), "{path}");
        }
    }
}
