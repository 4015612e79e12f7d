//! Steps of training: bytes against the published layouts, time against the closed forms of pipelines.

use super::collectives::run;
use super::workload;
use crate::input::NoFiles;
use crate::workload::{Action, Schedule, Workload};

fn training(text: &str) -> Workload {
    workload(&format!("[training]\npeak = '989TFLOPS'\n{text}"))
}

fn schedule(text: &str) -> Schedule {
    let workload = training(text);
    workload
        .schedule(workload.ranks(u32::MAX, &NoFiles).unwrap(), &NoFiles, 1)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What a rank sends in operations whose names have a word in them.
fn sent(schedule: &Schedule, rank: u32, word: &str) -> f64 {
    let spans = schedule.spans().iter().filter(|span| span.name.contains(word));
    let tasks = spans.flat_map(|span| schedule.tasks_in(span.tasks.clone()));
    let bytes = tasks.map(|task| match task.action {
        Action::Transfer { src, bytes, .. } if src.0 == rank => bytes as f64,
        _ => 0.0,
    });
    bytes.sum()
}

/// A layout, its micro-batches, and in GB what each rank sends in a step to its tensor group, in a message to the next
/// stage, and to its copies.
const LAYOUTS: &[(&str, u32, [f64; 3])] = &[
    (
        "model = 'gpt-3-175b'\ntensor = 8\npipeline = 12\ndata = 16\nsequence = 2048\nglobal_batch = 16",
        96,
        [270.6, 6.291e-3, 10.23],
    ),
    (
        "model = 'gpt-3-175b'\ntensor = 8\npipeline = 16\ndata = 8\nsequence = 2048\nglobal_batch = 8",
        192,
        [405.9, 6.291e-3, 7.161],
    ),
    (
        "model = 'llama-3-405b'\ntensor = 8\npipeline = 16\ndata = 128\nsequence = 8192\nglobal_batch = 128",
        16,
        [236.8, 33.55e-3, 18.87],
    ),
    (
        "model = 'llama-3-405b'\ntensor = 8\ncontext = 16\npipeline = 16\ndata = 8\nsequence = 131072\nglobal_batch = 8",
        16,
        [236.8, 33.55e-3, 18.87],
    ),
    (
        "model = 'llama-3-70b'\ntensor = 8\npipeline = 4\ndata = 8\nsequence = 8192\nglobal_batch = 8",
        32,
        [601.3, 16.78e-3, 11.58],
    ),
];

#[test]
fn bytes_are_those_of_the_published_layouts() {
    for (layout, batches, [tensor, message, copies]) in LAYOUTS {
        let schedule = schedule(&format!("sequence_parallel = true\n{layout}"));
        for rank in [0, 77, 1500 % schedule.spans()[0].ranks.len() as u32] {
            let near = |bytes: f64, gigabytes: f64| (bytes / 1e9 / gigabytes - 1.0).abs() < 1e-3;
            let of_tensor = sent(&schedule, rank, "tensor") * f64::from(*batches);
            assert!(near(of_tensor, *tensor), "{layout}: {of_tensor}");
            let activation = sent(&schedule, rank, "activation");
            assert!(near(activation, *message), "{layout}: {activation}");
            let all = sent(&schedule, rank, "gradients") + sent(&schedule, rank, "parameters");
            assert!(near(all, *copies), "{layout}: {all}");
        }
    }
}

/// All-reduces carry what all-gathers and reduce-scatters carry.
#[test]
fn sequence_parallelism_changes_the_pipeline_alone() {
    let layout = "model = 'llama-3-8b'\ntensor = 4\npipeline = 2\ndata = 2\nsequence = 4096\nglobal_batch = 4";
    let (with, without) = (
        schedule(&format!("{layout}\nsequence_parallel = true")),
        schedule(layout),
    );
    let same = |word: &str| (sent(&with, 3, word), sent(&without, 3, word));
    let (a, b) = same("tensor");
    assert!((a / b - 1.0).abs() < 1e-6);
    let (a, b) = same("activation");
    assert_eq!(4.0 * a, b);
}

/// Step by step or as streams, the same bytes go the same way.
#[test]
fn rings_go_step_by_step_where_they_do_not_stream() {
    let layout = "model = 'llama-3-8b'\ntensor = 4\npipeline = 2\ndata = 2\nsequence = 4096\nglobal_batch = 4";
    let (streams, steps) = (schedule(layout), schedule(&format!("{layout}\npipelined = false")));
    for word in ["tensor", "gradients", "parameters", "activation"] {
        assert_eq!(sent(&streams, 5, word), sent(&steps, 5, word), "{word}");
    }
    // Of the 4 ranks of a ring each sends once, or in each of 6 steps.
    let transfers = |schedule: &Schedule| {
        let span = schedule.spans().iter().find(|span| span.name.contains("tensor"));
        let tasks = schedule.tasks_in(span.unwrap().tasks.clone());
        tasks
            .filter(|task| matches!(task.action, Action::Transfer { .. }))
            .count()
    };
    assert_eq!((transfers(&streams), transfers(&steps)), (4, 24));
}

/// DeepSeek-V3: dispatch in FP8 and combine in BF16, to 64 ranks, in 58 of 61 layers.
#[test]
fn experts_get_their_tokens() {
    let layout = "model = 'deepseek-v3'\npipeline = 16\ndata = 64\nexpert = 64\nsequence = 4096\nglobal_batch = 64";
    let schedule = schedule(layout);
    let layers = 58.0 / 16.0;
    for (word, gigabytes) in [("dispatch", 0.2349), ("combine", 0.4698)] {
        let bytes = sent(&schedule, 5, word) / 2.0 / layers / 1e9 / (63.0 / 64.0);
        assert!((bytes / gigabytes - 1.0).abs() < 1e-3, "{word}: {bytes}");
    }
    // Of 120 micro-batches, and the activation that goes to the next stage.
    let all = 120.0 * (sent(&schedule, 5, "dispatch") + sent(&schedule, 5, "combine")) / 1e9;
    assert!((all / 603.0 - 1.0).abs() < 1e-3, "{all}");
    let activation = sent(&schedule, 5, "activation") / 1e6;
    assert!((activation / 58.72 - 1.0).abs() < 1e-3, "{activation}");
    // Two copies of every expert.
    let two = super::training::schedule(
        &layout
            .replace("data = 64", "data = 128")
            .replace("batch = 64", "batch = 128"),
    );
    let bytes = sent(&two, 5, "experts") / 1e9;
    assert!((bytes / (0.5 * (2.554 + 1.277)) - 1.0).abs() < 1e-3, "{bytes}");
}

/// Keys and values of the whole sequence: 67.1 MB for each layer of Llama 3 405B at 131072 tokens.
#[test]
fn contexts_share_keys_and_values() {
    let schedule = schedule(
        "model = 'llama-3-405b'\ntensor = 8\ncontext = 16\npipeline = 2\nsequence = 131072\nglobal_batch = 1\nsequence_parallel = true",
    );
    let bytes = sent(&schedule, 9, "forward 0 stage 0 context") / 63.0 / (15.0 / 16.0) / 1e6;
    assert!((bytes / 67.1 - 1.0).abs() < 1e-3, "{bytes}");
}

/// With transfers that take no time, a step of m micro-batches on p stages takes as long as m + p - 1 of them; with
/// v parts in each stage, only a v-th of what the pipeline idles is left.
#[test]
fn pipelines_idle_as_long_as_they_must() {
    let time = |more: &str| {
        let text = format!("model = 'llama-3-8b'\nsequence = 4096\n{more}");
        run(&schedule(&text), 0, |_| 0).1 as f64
    };
    // The model's operations at the peak.
    let model = training("model = 'llama-3-8b'\nsequence = 4096\nglobal_batch = 1");
    let one = model.least_time_us().unwrap() * 1e6;
    for (stages, batches) in [(2, 4), (4, 4), (4, 12), (8, 16)] {
        let layout = format!("pipeline = {stages}\nglobal_batch = {batches}");
        let (p, m) = (f64::from(stages), f64::from(batches));
        let near = |time: f64, expected: f64, what: &str| {
            assert!(
                (time / expected - 1.0).abs() < 1e-9,
                "{what} on {stages}, {batches}: {}",
                time / one
            );
        };
        for name in ["gpipe", "1f1b"] {
            near(
                time(&format!("{layout}\nschedule = '{name}'")),
                one / p * (m + p - 1.0),
                name,
            );
        }
        for parts in [1, 2, 4] {
            let text = format!("{layout}\nschedule = 'interleaved'\nvirtual_stages = {parts}");
            near(time(&text), one / p * (m + (p - 1.0) / f64::from(parts)), "interleaved");
        }
    }
}

#[test]
fn copies_share_what_sharding_says() {
    let of = |more: &str| {
        schedule(&format!(
            "model = 'llama-3-8b'\nsequence = 4096\ndata = 4\nglobal_batch = 8\n{more}"
        ))
    };
    let parameters = 8.03e9;
    let ring = 3.0 / 4.0;
    for (sharding, gradients, gathered) in [
        ("none", 8.0, 0.0),
        ("optimizer", 4.0, 2.0),
        ("full", 2.0 * 4.0, 4.0 * 2.0),
    ] {
        for overlap in [true, false] {
            let schedule = of(&format!("sharding = '{sharding}'\noverlap = {overlap}"));
            for (word, bytes) in [("gradients", gradients), ("parameters", gathered)] {
                let expected = bytes * parameters * ring;
                assert!(
                    (sent(&schedule, 1, word) - expected).abs() <= 1e-3 * expected,
                    "{sharding} {word}"
                );
            }
        }
    }
}

#[test]
fn layouts_that_cannot_be_are_refused() {
    let base = "sequence = 4096\nglobal_batch = 8\n";
    let mut messages = Vec::new();
    for more in [
        "model = 'llama-3-8b'\ntensor = 0",
        "model = 'llama-3-8b'\ntensor = 5",
        "model = 'llama-3-8b'\ncontext = 3",
        "model = 'llama-3-8b'\ndata = 3",
        "model = 'llama-3-8b'\npipeline = 33",
        "model = 'llama-3-8b'\nexpert = 2\ndata = 2",
        "model = 'mixtral-8x7b'\nexpert = 4\ndata = 2",
        "model = 'mixtral-8x7b'\nexpert = 16\ndata = 16\nmicro_batch = 1",
        "model = 'llama-3-8b'\nvirtual_stages = 2",
        "model = 'llama-3-8b'\npipeline = 3\nschedule = 'interleaved'",
        "model = 'llama-3-8b'\nefficiency = 0.0",
        "model = 'llama-3-8b'\nefficiency = 1.5",
        "model = 'llama-3-8b'\nexpert_skew = 1.0",
        "model = 'llama-3-8b'\nbucket = 0",
        "model = 'llama-3-8b'\nsteps = 0",
        "model = { layers = 2, hidden = 100, ffn = 100, heads = 3, kv_heads = 1, vocab = 10 }",
        "model = { layers = 2, hidden = 96, ffn = 100, heads = 4, kv_heads = 3, vocab = 10 }",
        "model = { layers = 0, hidden = 96, ffn = 100, heads = 4, kv_heads = 4, vocab = 10 }",
        "model = { layers = 2, hidden = 96, ffn = 100, heads = 4, kv_heads = 4, vocab = 10, experts = 4, top_k = 5, expert_ffn = 8 }",
        "model = { layers = 2, hidden = 99999999, ffn = 100, heads = 9, kv_heads = 9, vocab = 10 }",
    ] {
        let error = training(&format!("{base}{more}"))
            .schedule(64, &NoFiles, 1)
            .unwrap_err();
        messages.push(error.to_string());
    }
    insta::assert_snapshot!(messages.join("\n"));
}
