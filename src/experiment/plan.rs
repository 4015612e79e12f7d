//! The plan: every point of the sweep, read and named. It builds nothing: no fabric, no schedule, no placement.

use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use super::fleet::FleetOptions;
use super::identity::Identity;
use super::spec::Experiment;
use super::sweep::Sweep;
use super::tuning::Tuning;
use super::usage::Usage;
use crate::config::{ConfigDraft, ConfigError, Entry, FileStore, Opened, Setting, files_of, names_a_file};
use crate::input::{Files, InputError};

/// Points that are read between two looks at whether one is wrong.
const BATCH: usize = 4_096;

/// One point of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its number in the plan, from 0.
    pub index: u32,
    /// The seed of all its random streams.
    pub seed: u64,
    identity: Identity,
}

impl Point {
    /// Hash of the resolved configuration, the contents of the files it names, and the version of the results.
    pub fn hash(&self) -> String {
        self.identity.to_string()
    }
}

/// The experiment at one point, every default filled in, as it was written and as it is meant.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// As it would be written without a sweep.
    pub tree: Entry,
    /// The files that its tables come from.
    pub opened: Opened,
    /// The same as values.
    pub experiment: Experiment,
}

/// An experiment file whose keys, types, options and swept values are sound, and whose files are there. Only
/// [`Plan::parse`] makes one.
#[derive(Debug)]
pub struct Plan {
    name: String,
    draft: ConfigDraft,
    sweep: Sweep,
    tune: Option<Entry>,
    fleet: Option<Entry>,
    files: FileStore,
    points: Vec<Point>,
    usage: Usage,
}

impl Plan {
    /// Reads an experiment file with what it refers to, and every point of its sweep.
    ///
    /// # Errors
    /// Whatever is wrong with the text: unknown keys, values of another type, options that make no sense together, swept
    /// values without effect, files that cannot be read.
    pub fn parse(path: &Path, settings: &[Setting]) -> Result<Self, ConfigError> {
        Self::parse_among(path, settings, FileStore::default())
    }

    /// The same from these files.
    ///
    /// # Errors
    /// As [`Plan::parse`].
    pub fn parse_among(path: &Path, settings: &[Setting], files: FileStore) -> Result<Self, ConfigError> {
        let mut draft = ConfigDraft::load(path, settings, &files)?;
        let sweep = Sweep::read(draft.remove("sweep").as_ref())?;
        let (tune, fleet) = (draft.remove("tune"), draft.remove("fleet"));
        // What another command is told is looked at here, so that no mistake in it waits for that command.
        tune.as_ref().map(Tuning::read).transpose()?;
        fleet.as_ref().map(FleetOptions::read).transpose()?;
        let mut plan = Self {
            name: checked_name(&draft)?,
            usage: Usage::of(&sweep),
            draft,
            sweep,
            tune,
            fleet,
            files,
            points: Vec::new(),
        };
        let total = plan.sweep.points();
        for start in (0..total).step_by(BATCH) {
            let batch: Vec<_> = (start..total.min(start + BATCH))
                .into_par_iter()
                .map(|index| plan.point(index))
                .collect();
            for point in batch {
                plan.points.push(point?);
            }
        }
        plan.usage.check_sweep(&plan.sweep)?;
        Usage::check_names(&plan.draft, &plan.sweep)?;
        Ok(plan)
    }

    /// Refuses settings that the engine of no point looks at. `validate`, which runs both engines at every point, looks
    /// at all of them.
    ///
    /// # Errors
    /// A key of the experiment file, of the sweep or of `--set` without any effect.
    pub fn check_engine(&self) -> Result<(), ConfigError> {
        self.usage.check_engine(&self.draft, &self.sweep)
    }

    /// What is likely not meant, but can be run: a line each.
    pub fn warnings(&self) -> Vec<String> {
        self.sweep.repetitions()
    }

    /// The keys that the engine of no point looks at.
    pub(super) fn ignored_keys(&self) -> &'static [&'static str] {
        self.usage.ignored().0
    }

    /// Name of the experiment: a folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The experiment file.
    pub fn file(&self) -> &Path {
        self.draft.file()
    }

    /// All points, in order.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The swept keys.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// What `fabricsim tune` is told.
    ///
    /// # Errors
    /// Where it is told nothing.
    pub fn tuning(&self) -> Result<Tuning, ConfigError> {
        let Some(table) = &self.tune else {
            return Err(ConfigError::new("tune: the experiment does not say what to tune")
                .help("add [tune.space] with values by key; docs/deciding.md has an example"));
        };
        Tuning::read(table)
    }

    /// What `fabricsim fleet` is told.
    ///
    /// # Errors
    /// Where it is told nothing.
    pub fn fleet(&self) -> Result<FleetOptions, ConfigError> {
        let Some(table) = &self.fleet else {
            return Err(
                ConfigError::new("fleet: the experiment does not say which jobs there are")
                    .help("add [fleet] with `jobs`; docs/deciding.md has an example"),
            );
        };
        FleetOptions::read(table)
    }

    /// The experiment of the first point with further values.
    ///
    /// # Errors
    /// Keys or values that no experiment has, alone or together.
    pub fn variant(&self, settings: &[(&[String], Entry)]) -> Result<Resolved, ConfigError> {
        let mut draft = self.draft.clone();
        for (axis, value) in self.sweep.values(0) {
            draft.set(&axis.path, value.clone(), &self.files)?;
        }
        for (path, value) in settings {
            draft.set(path, value.clone(), &self.files)?;
        }
        let resolved = self.finish(draft)?;
        let checked = resolved.experiment.check();
        checked.map_err(|error| self.locate(&resolved, error))?;
        Ok(resolved)
    }

    /// The files that the experiment names.
    pub fn files(&self) -> &FileStore {
        &self.files
    }

    /// The experiment at a point.
    ///
    /// # Errors
    /// None that [`Plan::parse`] has not reported.
    pub fn resolve(&self, point: Point) -> Result<Resolved, ConfigError> {
        self.resolve_index(point.index as usize)
    }

    /// An error of a lower module about a point's experiment.
    pub fn locate(&self, resolved: &Resolved, error: InputError) -> ConfigError {
        ConfigError::from_input(error, &resolved.tree, &self.files)
    }

    /// The hash that a point with this experiment has.
    pub fn hash_of(&self, experiment: &Experiment) -> String {
        Identity::of(experiment, &self.files).to_string()
    }

    fn resolve_index(&self, index: usize) -> Result<Resolved, ConfigError> {
        let mut draft = self.draft.clone();
        for (axis, value) in self.sweep.values(index) {
            draft.set(&axis.path, value.clone(), &self.files)?;
        }
        self.usage.note_values(&self.sweep, index, &draft, &self.files);
        self.finish(draft)
    }

    fn finish(&self, draft: ConfigDraft) -> Result<Resolved, ConfigError> {
        let (tree, opened) = draft.finish(&self.files)?;
        let mut experiment: Experiment = tree.read()?;
        experiment.name.clone_from(&self.name);
        Ok(Resolved {
            tree,
            opened,
            experiment,
        })
    }

    /// Reads a point and gives it its name.
    fn point(&self, index: usize) -> Result<Point, ConfigError> {
        let resolved = self.resolve_index(index)?;
        let experiment = &resolved.experiment;
        self.usage.note_engine(experiment.engine);
        experiment
            .check()
            .and_then(|()| check_files(&serde_json::to_value(experiment).unwrap_or_default(), "", &self.files))
            .map_err(|error| self.locate(&resolved, error))?;
        Ok(Point {
            index: index as u32,
            seed: experiment.seed,
            identity: Identity::of(experiment, &self.files),
        })
    }
}

fn checked_name(draft: &ConfigDraft) -> Result<String, ConfigError> {
    let Some(entry) = draft.root().child("name") else {
        return Ok("experiment".into());
    };
    match entry.text() {
        Some(name) if !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']) => {
            Ok(name.to_owned())
        }
        _ => Err(ConfigError::new("name: it cannot be the name of a folder")
            .help("write a text in quotes without `/`, `\\` and a leading dot")
            .at_value(entry)),
    }
}

/// Tables whose files may be large and need be no text: they are read when a point's turn comes.
const UNREAD: [&str; 2] = ["goal", "chakra"];

/// Refuses an experiment that names a file which cannot be read; `table` is the key of what is looked at.
fn check_files(value: &Value, table: &str, files: &FileStore) -> Result<(), InputError> {
    match value {
        Value::Object(entries) => entries.iter().try_for_each(|(key, inner)| match inner {
            Value::String(name) if names_a_file(key) => {
                let mut names = files_of(key, name, files).into_iter();
                names.try_for_each(|name| match UNREAD.contains(&table) {
                    true => files
                        .hash(Path::new(&name))
                        .map(drop)
                        .map_err(|why| InputError::file(&name, why)),
                    false => Files::read(files, &name).map(drop),
                })
            }
            inner => check_files(inner, key, files),
        }),
        Value::Array(list) => list.iter().try_for_each(|inner| check_files(inner, table, files)),
        _ => Ok(()),
    }
}
