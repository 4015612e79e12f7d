//! How far a run is, from the thread that runs it to everybody who listens.

use std::sync::Arc;

use tokio::sync::watch;

/// What a run is at.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// There is no run: the folder is as it is.
    Still,
    /// Points are being simulated.
    Running,
    /// All points are there.
    Done,
    /// It was stopped from the page.
    Cancelled,
    /// It ended with this error.
    Failed(String),
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// Points that are there.
    pub done: usize,
    /// All points.
    pub points: usize,
    /// With the parts of points that are being simulated, from 0 to 1.
    pub share: f64,
    /// What the run is at.
    pub state: State,
}

impl News {
    /// As listeners get it.
    pub(super) fn json(&self) -> String {
        let state = match &self.state {
            State::Still => "all there is",
            State::Running => "running",
            State::Done => "done",
            State::Cancelled => "cancelled",
            State::Failed(why) => why,
        };
        serde_json::json!({ "done": self.done, "points": self.points, "share": self.share, "state": state }).to_string()
    }
}

/// Tells listeners what is new. Who is slow misses what lies between.
#[derive(Debug, Clone)]
pub struct Reporter {
    sender: Arc<watch::Sender<News>>,
}

/// One for a run of so many points.
pub fn reporter(points: usize, state: State) -> Reporter {
    let news = News {
        done: 0,
        points,
        share: 0.0,
        state,
    };
    Reporter {
        sender: Arc::new(watch::Sender::new(news)),
    }
}

impl Reporter {
    /// Points done, and thousandths of points.
    pub fn progress(&self, done: usize, thousandths: u64) {
        self.sender.send_if_modified(|news| {
            let share = thousandths as f64 / 1e3 / news.points.max(1) as f64;
            // A thousandth of the whole is not news.
            let is_new = done > news.done || share > news.share + 1e-3;
            news.done = news.done.max(done);
            news.share = news.share.max(share);
            is_new
        });
    }

    /// What has become of the run.
    pub fn end(&self, state: State) {
        self.sender.send_modify(|news| news.state = state);
    }

    pub(super) fn listen(&self) -> watch::Receiver<News> {
        self.sender.subscribe()
    }

    pub(super) fn now(&self) -> News {
        self.sender.borrow().clone()
    }
}
