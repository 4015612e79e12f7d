//! Who works on what in a results folder, among processes that share it: locked files.
//!
//! The system lets go of the locks of a process that ends, however it ends: a claim is stale exactly when its file can
//! be locked. Where a file system has no locks, everybody gets every claim; points are then run twice, and renamed into
//! place whole all the same.
//!
//! A worker has a badge, a file that it keeps locked, and claims a point by giving the badge a second name. So no file is made and
//! removed for every point: a file system that remembers for a while which files were removed takes the longer the more
//! there were.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::results::{Store, named, remove};

/// What one process does at a time, held until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

impl Claim {
    /// Takes the claim of this file; `None` while another process has it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let mut file = open(path)?;
            if !try_lock(&file)? {
                return Ok(None);
            }
            let own = signature();
            file.set_len(0)?;
            file.write_all(own.as_bytes())?;
            // Who had it before may have removed the file after it was opened here.
            if fs::read_to_string(path).is_ok_and(|text| text == own) {
                return Ok(Some(Self {
                    path: path.to_owned(),
                    _file: file,
                }));
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The claim of what a dead process may have left of a point; `None` while a living one runs it.
pub(super) fn left(store: &Store, hash: &str) -> io::Result<Option<Claim>> {
    let path = path_of(store, hash);
    Claim::take(&path).map_err(|error| named(error, &path))
}

fn path_of(store: &Store, hash: &str) -> PathBuf {
    store.dir().join(format!(".{hash}.claim"))
}

/// How names of badges end.
const BADGE: &str = ".worker";

/// Removes the badge of a dead process, if a file of a results folder is one.
pub(super) fn remove_badge(store: &Store, name: &str) -> io::Result<()> {
    if name.starts_with('.') && name.ends_with(BADGE) {
        let path = store.dir().join(name);
        let Ok(file) = File::open(&path) else { return Ok(()) };
        if try_lock(&file)? {
            remove(&path)?;
        }
    }
    Ok(())
}

/// A file of its own that a worker keeps locked; removed with it.
#[derive(Debug)]
struct Badge {
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

impl Badge {
    fn make(dir: &Path) -> io::Result<Self> {
        for number in 0.. {
            let path = dir.join(format!(".{}.{number}{BADGE}", std::process::id()));
            // Processes of several hosts have the same numbers.
            let mut file = match File::options().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(|error| named(error, &path))?,
            };
            // Who cleans up may have been faster.
            if try_lock(&file)? {
                file.write_all(signature().as_bytes())?;
                return Ok(Self { path, _file: file });
            }
        }
        unreachable!("there is always a further number")
    }
}

impl Drop for Badge {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What the workers of this process claim points by.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    store: &'a Store,
    idle: Mutex<Vec<Badge>>,
}

/// The claim of a point, held until it is dropped.
#[derive(Debug)]
pub(super) struct PointClaim<'a> {
    claims: &'a Claims<'a>,
    path: PathBuf,
    held: Option<Held>,
}

#[derive(Debug)]
enum Held {
    Badge(Badge),
    /// Where files have one name only, or a dead process has left its claim.
    File(#[expect(dead_code, reason = "held until it is dropped")] Claim),
}

impl<'a> Claims<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self {
            store,
            idle: Mutex::default(),
        }
    }

    /// The claim to run a point; `None` while another process runs it.
    pub(super) fn point(&'a self, hash: &str) -> io::Result<Option<PointClaim<'a>>> {
        let path = path_of(self.store, hash);
        let idle = self.idle().pop();
        let badge = idle.map_or_else(|| Badge::make(self.store.dir()), Ok)?;
        let held = match fs::hard_link(&badge.path, &path) {
            Ok(()) => Held::Badge(badge),
            Err(_) => {
                self.idle().push(badge);
                match left(self.store, hash)? {
                    Some(claim) => Held::File(claim),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(PointClaim {
            claims: self,
            path,
            held: Some(held),
        }))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Badge>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PointClaim<'_> {
    fn drop(&mut self) {
        if let Some(Held::Badge(badge)) = self.held.take() {
            let _ = fs::remove_file(&self.path);
            self.claims.idle().push(badge);
        }
    }
}

/// The right to write the folder's own files, for as long as that takes: whoever wants it waits.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    }
}

/// That this process is at work in a folder, until the file is dropped; and whether no other one is.
pub(super) fn announce(path: &Path) -> io::Result<(File, bool)> {
    let file = open(path)?;
    let alone = try_lock(&file)?;
    if alone {
        match file.unlock() {
            Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
            _ => {}
        }
    }
    match file.lock_shared() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        _ => Ok((file, alone)),
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Process and host, for whoever looks; the number tells the claims of one process apart.
fn signature() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!(
        "process {} on host {}, claim {}\n",
        std::process::id(),
        host.trim(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_had_by_one_at_a_time_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".x.claim");
        // Left by a process that was killed.
        fs::write(&path, "process 1 on host x, claim 0\n").unwrap();
        let first = Claim::take(&path).unwrap().expect("nobody has it");
        assert!(Claim::take(&path).unwrap().is_none());
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .starts_with(&format!("process {} ", std::process::id()))
        );
        drop(first);
        assert!(!path.exists());
        assert!(Claim::take(&path).unwrap().is_some());
    }

    /// Many workers of several processes over few points: nobody is ever inside together with another, and nothing is left.
    #[test]
    fn points_are_had_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        // Left by a process that was killed.
        fs::write(path_of(&store, "1"), "process 1 on host x, claim 0\n").unwrap();
        let inside: [AtomicU64; 3] = Default::default();
        let had = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let claims = Claims::of(&store);
                    std::thread::scope(|scope| {
                        for _ in 0..3 {
                            scope.spawn(|| {
                                while had.load(Ordering::Relaxed) < 2_000 {
                                    let point = had.load(Ordering::Relaxed) as usize % 3;
                                    if let Some(claim) = claims.point(&point.to_string()).unwrap() {
                                        assert_eq!(inside[point].fetch_add(1, Ordering::SeqCst), 0);
                                        had.fetch_add(1, Ordering::Relaxed);
                                        inside[point].fetch_sub(1, Ordering::SeqCst);
                                        drop(claim);
                                    }
                                }
                            });
                        }
                    });
                });
            }
        });
        let names = crate::results::names(dir.path()).unwrap();
        assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
    }

    #[test]
    fn badges_of_the_dead_are_removed_and_those_of_the_living_stay() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let badge = Badge::make(dir.path()).unwrap();
        let name = badge.path.file_name().unwrap().to_str().unwrap().to_owned();
        remove_badge(&store, &name).unwrap();
        assert!(badge.path.exists());
        fs::write(dir.path().join(".7.0.worker"), "x").unwrap();
        remove_badge(&store, ".7.0.worker").unwrap();
        assert!(!dir.path().join(".7.0.worker").exists());
    }

    #[test]
    fn who_is_alone_knows_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".running");
        let (first, alone) = announce(&path).unwrap();
        assert!(alone);
        let (_second, alone) = announce(&path).unwrap();
        assert!(!alone);
        drop(first);
        assert!(!announce(&path).unwrap().1);
    }

    /// Many threads over few claims: nobody is ever inside together with another.
    #[test]
    fn claims_exclude_each_other_although_files_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".x.claim");
        let (inside, had) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while had.load(Ordering::Relaxed) < 2_000 {
                        if let Some(claim) = Claim::take(&path).unwrap() {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            had.fetch_add(1, Ordering::Relaxed);
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(claim);
                        }
                    }
                });
            }
        });
    }
}
