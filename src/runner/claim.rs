//! Who works on what in a results folder, among processes that share it: locked files.
//!
//! The system lets go of the locks of a process that ends, however it ends: a claim is stale exactly when its file can
//! be locked. Where a file system has no locks, everybody gets every claim; points are then run twice, and renamed into
//! place whole all the same.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::results::{Store, named};

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

/// The claim to run a point of a results folder; `None` while another process runs it.
pub(super) fn point(store: &Store, hash: &str) -> io::Result<Option<Claim>> {
    let path = store.dir().join(format!(".{hash}.claim"));
    Claim::take(&path).map_err(|error| named(error, &path))
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
