//! Pages, events and files.

use std::convert::Infallible;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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

/// Files larger than this are left to be read from the disk.
const MOST_FILE_BYTES: u64 = 64 << 20;

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

/// A page, for how many points it is, and until when it is kept.
pub(super) struct Made {
    html: String,
    done: usize,
    until: Instant,
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
}

pub(super) async fn page(
    Known(served): Known<Arc<Served>>,
    Asked(token): Asked<String>,
) -> Result<Response, StatusCode> {
    served.knows(&token)?;
    let mut kept = served.page.lock().await;
    let news = served.reporter.now();
    if let Some(made) = &*kept
        && (made.done == news.done && news.state != State::Done || made.until > Instant::now())
    {
        return Ok(Html(made.html.clone()).into_response());
    }
    let begun = Instant::now();
    let maker = Arc::clone(&served);
    let made = tokio::task::spawn_blocking(move || maker.make()).await;
    match made.unwrap_or_else(|_| Err("the page could not be made".to_owned())) {
        Ok(html) => {
            let running = news.state == State::Running;
            let until = Instant::now()
                + if running {
                    begun.elapsed() * PATIENCE
                } else {
                    Duration::ZERO
                };
            *kept = Some(Made {
                html: html.clone(),
                done: news.done,
                until,
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

/// A file of the folder.
pub(super) async fn file(
    Known(served): Known<Arc<Served>>,
    Asked((token, path)): Asked<(String, String)>,
) -> Result<Response, StatusCode> {
    served.knows(&token)?;
    let folder = served.folder.clone();
    let read = tokio::task::spawn_blocking(move || read_inside(&folder, &path)).await;
    let (bytes, kind) = read.unwrap_or(Err(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// A file that lies inside a folder, wherever links lead, and what kind it is of.
fn read_inside(folder: &Path, path: &str) -> Result<(Vec<u8>, &'static str), StatusCode> {
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
    let read = || -> io::Result<Option<Vec<u8>>> {
        let (folder, file) = (folder.canonicalize()?, folder.join(path).canonicalize()?);
        let inside = file.starts_with(&folder) && file.is_file() && file.metadata()?.len() <= MOST_FILE_BYTES;
        inside.then(|| std::fs::read(&file)).transpose()
    };
    match read() {
        Ok(Some(bytes)) => Ok((bytes, kind)),
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
        assert_eq!(read_inside(&folder, "plots/a.csv").unwrap().0, b"a");
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
            assert!(read_inside(&folder, path).is_err(), "{path}");
        }
    }
}
