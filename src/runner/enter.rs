//! What a results folder holds before a run, and what of it stays: nothing stale lies beside new results, and nobody's
//! results are lost by mistake.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::claim;
use super::manifest::Description;
use super::options::RunError;
use crate::config::{ConfigError, absolute};
use crate::experiment::Plan;
use crate::input::open_file;
use crate::results::{Manifest, PointList, Store, named, names, remove, remove_plots};

/// The results folder while this process is at work in it.
#[derive(Debug)]
pub(super) struct Visit {
    /// Locked as long as it is open.
    _presence: File,
    /// Whether the folder held other points, as those of the experiment before it was changed.
    pub changed: bool,
    /// Points that were there and belong to the experiment no more.
    pub dropped: usize,
}

/// Refuses a folder that the experiment itself lies in.
pub(super) fn check_apart(plan: &Plan, dir: &Path) -> Result<(), ConfigError> {
    let Ok(dir) = fs::canonicalize(dir) else {
        return Ok(());
    };
    let refuse = |what: String| {
        Err(ConfigError::new(format!("--out: the results folder would be {what}"))
            .help("name a folder of its own, such as --out results/NAME"))
    };
    if std::env::current_dir()
        .and_then(fs::canonicalize)
        .is_ok_and(|working| working == dir)
    {
        return refuse("the working folder itself".into());
    }
    for input in plan.files().paths() {
        let holder = fs::canonicalize(&input).ok();
        if holder.is_some_and(|path| dir.is_dir() && path.parent() == Some(&dir)) {
            return refuse(format!("that of an input, {}", input.display()));
        }
    }
    Ok(())
}

/// Makes the folder this experiment's: removes what dead processes left and what belongs to it no more, and writes down
/// what is being run.
///
/// # Errors
/// A folder with the results of another experiment, unless `force` says to replace them, or in which another process
/// runs one.
pub(super) fn enter(plan: &Plan, store: &Store, description: &Description, force: bool) -> Result<Visit, RunError> {
    store.create()?;
    let _lock = lock(store)?;
    let path = store.dir().join(".running");
    let (presence, alone) = claim::announce(&path).map_err(|error| named(error, &path))?;
    let own: HashSet<String> = plan.points().iter().map(|point| point.hash()).collect();
    let there = points(store)?;
    let (kept, dropped): (Vec<_>, Vec<_>) = there.into_iter().partition(|hash| own.contains(hash));
    check_same(plan, store, force)?;
    let is_new = kept.is_empty() && dropped.is_empty() && !store.dir().join("manifest.json").exists();
    let changed = !is_new && (!dropped.is_empty() || !is_listed(&description.points, store)?);
    if changed && !alone {
        let error = ConfigError::new(format!(
            "{}: another process is running other points into this folder",
            store.dir().display()
        ));
        return Err(error
            .help("wait until it has ended, or name another folder with --out")
            .into());
    }
    remove_drafts(store)?;
    if changed {
        for name in ["results.csv", "results.parquet", "timings.csv"] {
            remove(&store.dir().join(name))?;
        }
        remove_plots(store.dir())?;
        for hash in &dropped {
            store.remove_point(hash)?;
        }
    }
    description.write(store)?;
    Ok(Visit {
        _presence: presence,
        changed,
        dropped: dropped.len(),
    })
}

/// The right to write the folder's own files.
pub(super) fn lock(store: &Store) -> io::Result<File> {
    let path = store.dir().join(".lock");
    claim::lock(&path).map_err(|error| named(error, &path))
}

/// Refuses a folder with the results of another experiment: one of another name, or of another file and with none of
/// the points that are there.
pub(super) fn check_same(plan: &Plan, store: &Store, force: bool) -> Result<(), ConfigError> {
    // What is no manifest says nothing of another experiment.
    let Ok(Some(earlier)) = Manifest::read(store.dir()) else {
        return Ok(());
    };
    let moved = !earlier.file.is_empty() && earlier.file != absolute(plan.file());
    let shares_points = || {
        plan.points()
            .iter()
            .any(|point| store.points().join(point.hash()).is_dir())
    };
    if force || earlier.name == plan.name() && (!moved || shares_points()) {
        return Ok(());
    }
    let from = match moved {
        true => format!(" ({})", earlier.file),
        false => String::new(),
    };
    Err(ConfigError::new(format!(
        "{}: there are results of another experiment, `{}`{from}",
        store.dir().display(),
        earlier.name
    ))
    .help("name another folder with --out, or replace them with --force"))
}

/// Whether `points.csv` lists the points of the plan.
fn is_listed(listed: &PointList, store: &Store) -> io::Result<bool> {
    let mut own = Vec::new();
    listed.write(&mut own)?;
    let there = open_file(&store.dir().join("points.csv")).and_then(io::read_to_string);
    Ok(there.is_ok_and(|there| there.as_bytes() == own))
}

/// The hashes of the points that are there, whole or not.
fn points(store: &Store) -> io::Result<Vec<String>> {
    let names = names(&store.points())?.into_iter();
    let is_hash = |name: &String| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(names.filter(is_hash).collect())
}

/// Removes the drafts of processes that are no more. Those of a point are whoever's who has its claim; those of the
/// folder's own files are written under its lock, which is held here.
fn remove_drafts(store: &Store) -> io::Result<()> {
    for name in names(&store.points())? {
        let Some(hash) = name.strip_prefix('.').and_then(|name| name.get(..32)) else {
            continue;
        };
        if let Some(_claim) = claim::left(store, hash)? {
            remove(&store.points().join(&name))?;
        }
    }
    for name in names(store.dir())? {
        if let Some(hash) = name.strip_prefix('.').and_then(|name| name.strip_suffix(".claim")) {
            // Whoever gets a claim removes it with its end.
            drop(claim::left(store, hash)?);
        }
        claim::remove_badge(store, &name)?;
        let draft = name.strip_suffix(".part").and_then(|name| name.rsplit_once('.'));
        if draft.is_some_and(|(_, process)| process.parse::<u32>().is_ok()) {
            remove(&store.dir().join(&name))?;
        }
    }
    Ok(())
}
