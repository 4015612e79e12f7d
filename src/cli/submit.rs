//! `fabricsim submit`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};

use super::arguments::ExperimentArgs;
use super::failure::Failure;

/// Arguments of `fabricsim submit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every shard runs its part of the points into one folder that all machines share; points that are there are skipped, so that
retries, requeues and another number of shards do no harm.

Example:
  fabricsim submit exp.toml --to slurm --shards 64 --throttle 16 --dry-run")]
pub(super) struct Submit {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// What runs the shards
    #[arg(long, value_enum)]
    to: Scheduler,
    /// Parts that the points are divided into
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    shards: u32,
    /// Shards that run at a time [default: as many as the scheduler lets]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    throttle: Option<u32>,
    /// Results folder [default: results/NAME]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Container image with fabricsim (Kubernetes)
    #[arg(long, value_name = "IMAGE", default_value = "fabricsim:latest")]
    image: String,
    /// Volume claim with the experiment, in which the results are written (Kubernetes)
    #[arg(long, value_name = "NAME", default_value = "fabricsim")]
    claim: String,
    /// Print what would be submitted
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    /// A job array, with a job that merges after it
    Slurm,
    /// An Indexed Job, as YAML
    Kubernetes,
    /// A task array
    Hyperqueue,
    /// GNU parallel on this machine
    Parallel,
}

impl Submit {
    /// Prints the script, or has the scheduler run it.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        let folder = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("results").join(plan.name()));
        let program = match self.to {
            Scheduler::Kubernetes => PathBuf::from("fabricsim"),
            _ => std::env::current_exe()?,
        };
        let job = Job {
            name: plan.name().to_owned(),
            run: self.run_words(&program, &folder),
            merge: words([path(&program), "merge".into(), path(&folder)]),
            shards: self.shards,
            throttle: self.throttle,
        };
        let (text, runs_it) = match self.to {
            Scheduler::Slurm => (job.slurm(), &["bash"][..]),
            Scheduler::Hyperqueue => (job.hyperqueue(), &["bash"][..]),
            Scheduler::Parallel => (job.parallel(), &["bash"][..]),
            Scheduler::Kubernetes => (
                job.kubernetes(&self.image, &self.claim),
                &["kubectl", "apply", "-f", "-"][..],
            ),
        };
        if self.dry_run {
            return Ok(out.write_all(text.as_bytes())?);
        }
        hand_over(runs_it, &text)
    }

    /// `fabricsim run` of one shard, but for which.
    fn run_words(&self, program: &Path, folder: &Path) -> String {
        let settings = self.experiment.settings().iter();
        let settings = settings.flat_map(|text| ["--set".into(), text.clone()]);
        let fixed = [path(program), "run".into(), path(self.experiment.file())];
        let rest = ["--out".into(), path(folder), "--quiet".into(), "--shard".into()];
        words(fixed.into_iter().chain(settings).chain(rest))
    }
}

/// What is submitted; commands are quoted for a shell.
struct Job {
    name: String,
    /// A shard, which comes behind it.
    run: String,
    merge: String,
    shards: u32,
    throttle: Option<u32>,
}

impl Job {
    fn slurm(&self) -> String {
        let Self { run, merge, .. } = self;
        let name = quoted(&self.name);
        let last = self.shards - 1;
        let throttle = self.throttle.map(|n| format!("%{n}")).unwrap_or_default();
        // A task has the processors that were asked for, one by default, whether Slurm keeps it to them or not.
        // The shell waits for the program and passes on what Slurm tells it.
        format!(
            "set -e
job=$(sbatch --parsable --job-name={name} <<'END_OF_SHARD'
#!/bin/bash
#SBATCH --array=0-{last}{throttle}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
{run} auto --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\" &
child=$!
trap 'kill -TERM $child' TERM
code=0
wait $child || code=$?
while kill -0 $child 2>/dev/null; do
    code=0
    wait $child || code=$?
done
if [ $code -eq 75 ]; then
    scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}\"
fi
exit $code
END_OF_SHARD
)
sbatch --parsable --job-name={name}-merge --dependency=afterok:\"$job\" <<'END_OF_MERGE'
#!/bin/bash
exec {merge}
END_OF_MERGE
"
        )
    }

    fn hyperqueue(&self) -> String {
        let Self { run, merge, shards, .. } = self;
        let name = quoted(&self.name);
        let last = shards - 1;
        format!(
            "set -e
hq submit --name {name} --array 0-{last} --env FABRICSIM_SHARDS={shards} --crash-limit 5 --wait -- {run} auto --jobs 1
{merge}
"
        )
    }

    fn parallel(&self) -> String {
        let Self { run, merge, shards, .. } = self;
        let last = shards - 1;
        let jobs = self.throttle.map_or("100%".into(), |n| n.to_string());
        format!(
            "set -e
seq 0 {last} | parallel -j {jobs} --quote {run} {{}}/{shards} --jobs 1
{merge}
"
        )
    }

    fn kubernetes(&self, image: &str, claim: &str) -> String {
        let Self { run, merge, shards, .. } = self;
        let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = self.name.to_lowercase().chars().map(allowed).collect();
        let name = name.trim_matches('-');
        let parallelism = self.throttle.unwrap_or(*shards);
        let (image, claim) = (yaml(image), yaml(claim));
        let container = |command: &str| {
            let command = yaml(&format!("exec {command}"));
            format!(
                "      volumes:
        - name: work
          persistentVolumeClaim: {{ claimName: {claim} }}
      containers:
        - name: fabricsim
          image: {image}
          workingDir: /work
          volumeMounts: [{{ name: work, mountPath: /work }}]
          command: [sh, -c, {command}]
"
            )
        };
        let (shard, merge) = (container(&format!("{run} auto")), container(merge));
        format!(
            "# When the first job is complete, start the second:
#   kubectl wait --for=condition=complete --timeout=-1s job/{name}
#   kubectl patch job/{name}-merge --type=strategic --patch '{{\"spec\": {{\"suspend\": false}}}}'
apiVersion: batch/v1
kind: Job
metadata: {{ name: {name} }}
spec:
  completionMode: Indexed
  completions: {shards}
  parallelism: {parallelism}
  backoffLimitPerIndex: 5
  podFailurePolicy:
    rules:
      - action: FailIndex
        onExitCodes: {{ containerName: fabricsim, operator: In, values: [1, 2] }}
  template:
    spec:
      restartPolicy: Never
{shard}          env: [{{ name: FABRICSIM_SHARDS, value: \"{shards}\" }}]
---
apiVersion: batch/v1
kind: Job
metadata: {{ name: {name}-merge }}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
{merge}"
        )
    }
}

/// Gives the text to a program on its standard input.
fn hand_over(command: &[&str], text: &str) -> Result<(), Failure> {
    let missing = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", command[0]));
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    if child.wait()?.success() {
        return Ok(());
    }
    Err(Failure::Incomplete(format!(
        "`{}` failed; --dry-run shows what it was given",
        command.join(" ")
    )))
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// Words as a shell reads them.
fn words(words: impl IntoIterator<Item = String>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| quoted(&word)).collect();
    quoted.join(" ")
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A text as YAML reads it: JSON's quotes are YAML's.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
