//! Traffic patterns, files, and what is refused.

use std::collections::BTreeSet;

use super::workload;
use crate::input::{Files, InputError, NoFiles};
use crate::units::{Bytes, Time};
use crate::workload::{Milestone, Progress, Schedule, Transfer, Workload};

fn schedule(text: &str, hosts: u32) -> Schedule {
    workload(text).schedule(hosts, &NoFiles, 1).unwrap()
}

fn pairs(schedule: &Schedule) -> Vec<(u32, u32)> {
    schedule
        .transfers()
        .map(|Transfer { src, dst, .. }| (src.0, dst.0))
        .collect()
}

fn error(text: &str, hosts: u32) -> String {
    workload(text).schedule(hosts, &NoFiles, 1).unwrap_err().to_string()
}

#[test]
fn a_permutation_leaves_nobody_in_place() {
    let draw = |seed| {
        pairs(
            &workload("[permutation]\nmessage = 10")
                .schedule(48, &NoFiles, seed)
                .unwrap(),
        )
    };
    for seed in 0..50 {
        let pairs = draw(seed);
        assert!(pairs.iter().all(|(src, dst)| src != dst));
        assert_eq!(pairs.iter().map(|(_, dst)| dst).collect::<BTreeSet<_>>().len(), 48);
    }
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_eq!(pairs(&schedule("[permutation]\nmessage = 10", 2)), [(0, 1), (1, 0)]);
}

/// Of 4 ranks there are 9 permutations that leave nobody in place.
#[test]
fn every_permutation_is_equally_likely() {
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..3_600 {
        let schedule = workload("[permutation]\nmessage = 10")
            .schedule(4, &NoFiles, seed)
            .unwrap();
        *counts.entry(pairs(&schedule)).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 9);
    // Four standard deviations around 400.
    assert!(counts.values().all(|count| (324..=476).contains(count)), "{counts:?}");
}

/// What says that it is not drawn is the same whatever the seed, so that seeds can share it; what is drawn says so.
#[test]
fn workloads_know_whether_the_seed_changes_them() {
    let at = |text: &str, seed| {
        let schedule = workload(text).schedule(24, &NoFiles, seed).unwrap();
        format!("{schedule:?}")
    };
    let same = [
        "[all-to-all]\nmessage = 10",
        "[all-to-all]\nmessage = 10\norder = \"in-order\"\nwindow = 2",
        "[all-to-all]\nmessage = 10\nalgorithm = \"bruck\"",
        "[all-reduce]\nsize = 2400\nalgorithm = \"ring\"",
        "[reduce-scatter]\nsize = 2400",
        "[all-gather]\nsize = 2400",
        "[broadcast]\nsize = 2400",
        "[reduce]\nsize = 2400",
        "[gather]\nsize = 2400",
        "[scatter]\nsize = 2400",
        "[send-recv]\nmessage = 10",
        "[shift]\nmessage = 10\noffset = 3\nrank_map = \"strided\"",
        "[incast]\nmessage = 10",
    ];
    for text in same {
        assert!(!workload(text).is_drawn(), "{text}");
        assert_eq!(at(text, 1), at(text, 2), "{text}");
    }
    let drawn = [
        "[permutation]\nmessage = 10",
        "[all-to-all]\nmessage = 10\norder = \"random\"",
        "[shift]\nmessage = 10\noffset = 3\nrank_map = \"random\"",
    ];
    for text in drawn {
        assert!(workload(text).is_drawn(), "{text}");
        assert_ne!(at(text, 1), at(text, 2), "{text}");
    }
}

#[test]
fn a_shift_goes_around_the_end() {
    let text = "[shift]\nmessage = 10\noffset = 3\nchannels = 2";
    let forwards: Vec<_> = (0..5).flat_map(|src| [(src, (src + 3) % 5); 2]).collect();
    assert_eq!(pairs(&schedule(text, 5)), forwards);
    let backwards = schedule("[shift]\nmessage = 10\noffset = -2\nchannels = 2", 5);
    assert_eq!(pairs(&backwards), forwards);
}

#[test]
fn an_incast_has_its_senders_after_the_receiver() {
    let text = "[incast]\nmessage = 10\nsenders = 3\nreceiver = 6";
    assert_eq!(pairs(&schedule(text, 8)), [(7, 6), (0, 6), (1, 6)]);
    assert_eq!(schedule("[incast]\nmessage = 10", 8).transfer_count(), 7);
}

#[test]
fn peers_come_in_the_order_asked_for() {
    let first = |order| {
        let schedule = schedule(&format!("[all-to-all]\nmessage = 10\norder = \"{order}\""), 4);
        pairs(&schedule)[3..6].to_vec()
    };
    assert_eq!(first("shifted"), [(1, 2), (1, 3), (1, 0)]);
    assert_eq!(first("in-order"), [(1, 0), (1, 2), (1, 3)]);
    let receivers: BTreeSet<_> = first("random").into_iter().collect();
    assert_eq!(receivers, [(1, 0), (1, 2), (1, 3)].into());
}

/// The third message starts when any of the first two has been acknowledged, whichever it is.
#[test]
fn a_window_moves_on_with_any_acknowledgement() {
    let schedule = schedule("[all-to-all]\nmessage = 10\nwindow = 2", 5);
    let of_rank_0: Vec<_> = schedule
        .transfers()
        .filter(|transfer| transfer.src.0 == 0)
        .map(|transfer| transfer.task)
        .collect();
    let (mut progress, due) = Progress::new(&schedule);
    assert_eq!(due.len(), 10);
    let mut after = |task, milestone| {
        let mut due = Vec::new();
        progress.happened(&schedule, task, milestone, Time(1), &mut due);
        due.iter().map(|next| next.task).collect::<Vec<_>>()
    };
    assert_eq!(after(of_rank_0[1], Milestone::Delivered), []);
    assert_eq!(after(of_rank_0[1], Milestone::Acked), [of_rank_0[2]]);
    assert_eq!(after(of_rank_0[2], Milestone::Acked), [of_rank_0[3]]);
    assert_eq!(after(of_rank_0[0], Milestone::Acked), []);
}

#[test]
fn ranks_live_where_the_map_says() {
    let text = "[shift]\nmessage = 10\noffset = 1\nrank_map = [7, 0, 3]";
    assert_eq!(pairs(&schedule(text, 8)), [(7, 0), (0, 3), (3, 7)]);
    assert_eq!(workload(text).ranks(8, &NoFiles).unwrap(), 3);
    let spread = schedule(
        "[shift]\nmessage = 10\noffset = 1\nranks = 4\nrank_map = \"strided\"",
        16,
    );
    assert_eq!(pairs(&spread), [(0, 4), (4, 8), (8, 12), (12, 0)]);
}

#[test]
fn sizes_and_factors_are_those_of_nccl_tests() {
    let counted = |text: &str| {
        let workload = workload(text);
        (workload.size(), workload.algorithm_bytes(8), workload.bus_factor(8))
    };
    let some = |size, bytes, factor| (Some(Bytes(size)), Some(Bytes(bytes)), Some(factor));
    assert_eq!(counted("[all-to-all]\nmessage = 10"), some(10, 80, 7.0 / 8.0));
    assert_eq!(counted("[all-reduce]\nsize = 10"), some(10, 10, 14.0 / 8.0));
    assert_eq!(counted("[reduce-scatter]\nsize = 10"), some(10, 10, 7.0 / 8.0));
    assert_eq!(counted("[all-gather]\nsize = 10"), some(10, 10, 7.0 / 8.0));
    assert_eq!(counted("[broadcast]\nsize = 10"), some(10, 10, 1.0));
    assert_eq!(counted("[permutation]\nmessage = 10"), some(10, 10, 1.0));
    assert_eq!(
        counted("[shift]\nmessage = 10\noffset = 1\nchannels = 4"),
        some(10, 40, 1.0)
    );
    assert_eq!(counted("[incast]\nmessage = 10"), (Some(Bytes(10)), None, None));
    assert_eq!(counted("[flows]\nfile = \"x\""), (None, None, None));
}

#[test]
fn numbers_that_cannot_be_simulated_are_refused() {
    insta::assert_snapshot!(error("[all-to-all]\nmessage = 0", 8), @"message: `message` is 0 (there must be at least 1 byte to send)");
    insta::assert_snapshot!(error("[all-to-all]\nmessage = \"1000000TB\"", 256), @"message: with a `message` of 1000000TB, all transfers together exceed 2^62 bytes (choose a smaller one)");
    insta::assert_snapshot!(error("[all-to-all]\nmessage = 1", 40_000), @"the schedule would have 1599960000 transfers (at most 100000000 tasks can be simulated: take fewer ranks, channels or chunks)");
    insta::assert_snapshot!(error("[all-to-all]\nmessage = 1\nranks = 9", 8), @"ranks: 9 ranks do not fit on 8 hosts (every rank lives on a host of its own)");
    insta::assert_snapshot!(error("[all-to-all]\nmessage = 1", 1), @"a workload needs at least 2 hosts, and there is 1 (take a larger fabric)");
    insta::assert_snapshot!(error("[all-reduce]\nsize = 1\nchannels = 0", 8), @"channels: `channels` is 0 (it must be at least 1)");
    insta::assert_snapshot!(error("[all-reduce]\nsize = 1\nchunks = 4000000000\nchannels = 4000000000", 8), @"the schedule would have 1792000000000000000000 transfers (at most 100000000 tasks can be simulated: take fewer ranks, channels or chunks)");
    insta::assert_snapshot!(error("[shift]\nmessage = 1\noffset = -16", 8), @"offset: with an `offset` of -16, each of 8 ranks would send to itself (it must not be a multiple of 8)");
    insta::assert_snapshot!(error("[shift]\nmessage = 1\noffset = 1\nchannels = 0", 8), @"channels: `channels` is 0 (it must be at least 1)");
    insta::assert_snapshot!(error("[incast]\nmessage = 1\nsenders = 8", 8), @"senders: 8 senders and a receiver do not make 8 ranks (from 1 to 7 can send)");
    insta::assert_snapshot!(error("[incast]\nmessage = 1\nreceiver = 8", 8), @"receiver: there is no rank 8 (ranks are numbered 0 to 7)");
}

#[test]
fn algorithms_refuse_what_they_cannot_do() {
    let with = |collective: &str, algorithm: &str, more: &str, hosts| {
        error(
            &format!("[{collective}]\nsize = 100\nalgorithm = \"{algorithm}\"\n{more}"),
            hosts,
        )
    };
    insta::assert_snapshot!(with("all-reduce", "halving-doubling", "", 12), @r#"algorithm: "halving-doubling" needs a power of two of ranks, and there are 12 (take 8 or 16 ranks, or another algorithm)"#);
    insta::assert_snapshot!(with("all-gather", "recursive-doubling", "", 7), @r#"algorithm: "recursive-doubling" needs a power of two of ranks, and there are 7 (take 4 or 8 ranks, or another algorithm)"#);
    insta::assert_snapshot!(with("reduce-scatter", "recursive-doubling", "", 8), @r#"algorithm: there is no "recursive-doubling" reduce-scatter (valid are "ring", "halving-doubling", "direct", "hierarchical" or "pat")"#);
    insta::assert_snapshot!(with("all-gather", "double-binary-tree", "", 8), @r#"algorithm: there is no "double-binary-tree" all-gather (valid are "ring", "halving-doubling", "recursive-doubling", "direct", "hierarchical", "pat" or "bruck")"#);
    let mut messages = vec![
        with("all-reduce", "bruck", "", 8),
        with("reduce-scatter", "bruck", "", 8),
        with("all-reduce", "hierarchical", "", 8),
        with("all-reduce", "hierarchical", "local = 3", 8),
        with("all-reduce", "hierarchical", "local = 0", 8),
        with("all-reduce", "ring", "local = 4", 8),
        with("all-gather", "direct", "pipelined = true", 8),
        with("all-gather", "ring", "pipelined = true\nchunks = 4", 8),
        with("broadcast", "binomial", "pipelined = true", 8),
        with("reduce", "binomial", "pipelined = true", 8),
    ];
    let all_to_all = |more: &str| error(&format!("[all-to-all]\nmessage = 8\n{more}"), 8);
    messages.extend([
        all_to_all("algorithm = \"two-step\""),
        all_to_all("algorithm = \"two-step\"\nlocal = 4\nwindow = 2"),
        all_to_all("algorithm = \"bruck\"\norder = \"random\""),
        all_to_all("local = 4"),
        error("[send-recv]\nmessage = 1\nfrom = 1", 8),
        error("[send-recv]\nmessage = 1\nto = 1", 8),
        error("[send-recv]\nmessage = 1\nfrom = 1\nto = 1", 8),
        error("[send-recv]\nmessage = 1\nfrom = 1\nto = 8", 8),
        error("[all-to-allv]", 8),
        error("[all-to-allv]\nmessage = 0", 8),
        error("[all-to-allv]\nmessage = 100\ngini = 1.0", 8),
        error("[all-to-allv]\nmessage = 100\ngini = 0.88", 8),
        error("[all-to-allv]\nmessage = 1\ngini = 0.5", 8),
        error("[all-to-allv]\nmessage = 100\nscale = 2.0", 8),
        error("[all-to-allv]\nmessage = 100\nmatrix = { file = \"x\" }", 8),
        error("[all-to-allv]\ngini = 0.1\nmatrix = { file = \"x\" }", 8),
        error("[all-to-allv]\nscale = -1.0\nmatrix = { file = \"x\" }", 8),
    ]);
    for matrix in [
        "",
        "0,1\n",
        "0,1,2\n",
        "0,1\n1,0\n1,1",
        "5,0\n0,5",
        "0,x\n1,0",
        "0,-1\n1,0",
        "0,9223372036854775807\n1,0",
        "0,4611686018427387904\n1,0",
    ] {
        let workload = workload("[all-to-allv]\nmatrix = { file = \"m.csv\" }");
        messages.push(workload.schedule(2, &Text(matrix), 1).unwrap_err().to_string());
    }
    insta::assert_snapshot!("new_options", messages.join("\n"));
    insta::assert_snapshot!(with("all-reduce", "ring", "order = \"far-first\"", 8), @r#"order: "ring" has no order of distances (leave it out, or take "halving-doubling" or "recursive-doubling")"#);
}

#[test]
fn a_matrix_says_who_sends_how_much() {
    let text = "[all-to-allv]\nmatrix = { file = \"m.csv\" }\nscale = 1.5";
    let read = |matrix: &str| workload(text).schedule(3, &Text(matrix), 1).unwrap();
    let schedule = read("# bytes\n9 2 3\n4, 9, 0\n\n100\t7 9 # the last\n");
    let sent: Vec<_> = schedule.transfers().map(|t| (t.src.0, t.dst.0, t.bytes)).collect();
    assert_eq!(sent, [(0, 1, 3), (0, 2, 5), (1, 0, 6), (2, 0, 150), (2, 1, 11)]);
}

/// One file in memory.
struct Text<'a>(&'a str);

impl Files for Text<'_> {
    fn read(&self, _name: &str) -> Result<String, InputError> {
        Ok(self.0.to_owned())
    }
}

fn flows(text: &str) -> Result<Schedule, InputError> {
    workload("[flows]\nfile = \"x.csv\"").schedule(8, &Text(text), 1)
}

#[test]
fn flows_are_read_with_or_without_a_header_and_starts() {
    let bare = flows("0,1,65536\n7, 2, 10737418240\n").unwrap();
    assert_eq!(pairs(&bare), [(0, 1), (7, 2)]);
    assert_eq!(flows("src,dst,bytes\n0,1,65536\n7,2,10737418240\n").unwrap(), bare);
    let timed = flows("src,dst,bytes,start_ns\n0,1,65536,0\n7,2,5,1.5\n").unwrap();
    assert_eq!(timed.tasks().nth(1).unwrap().earliest, Time(1_500));
    // Blank lines and comments before the header, names in any case and order, units, lines without a start.
    for text in [
        "\n# made by hand\n\nDST, Size, Src # in this order\n1,64KiB,0\n2,10GiB,7\n",
        "\u{feff}\"source\",\"destination\",\"Flow Size\",\"Start (us)\"\n0,1,65536\n7,2,10737418240,0\n",
        "0,1,65536 # ends early\n7,2,10737418240,\n",
    ] {
        assert_eq!(flows(text).unwrap(), bare, "{text}");
    }
    for text in [
        "0,1,65536\n7,2,5,1.5",
        "src,dst,bytes,start_us\n0,1,65536\n7,2,5,0.0015",
        "src,dst,bytes,start\n0,1,65536\n7,2,5,1500ps",
        "start_s,src,dst,bytes\n0,0,1,65536\n1.5e-9,7,2,5",
    ] {
        assert_eq!(flows(text).unwrap(), timed, "{text}");
    }
}

#[test]
fn broken_tables_of_flows_are_refused() {
    let error = |text: &str| flows(text).unwrap_err().to_string();
    insta::assert_snapshot!(error(""), @"x.csv: it has no flow (add a line such as `0,1,65536`)");
    insta::assert_snapshot!(error("src,dst,bytes\n"), @"x.csv: it has no flow (add a line such as `0,1,65536`)");
    let names = "columns are src, dst, bytes and, where flows start later, start_ns (or start_us, ...), in any order";
    let about_names = |text: &str| error(text).replace(names, "...");
    insta::assert_snapshot!(error("0,1"), @"x.csv:1: this line has 2 columns where there should be 3 or 4 (columns are src, dst, bytes and, where flows start later, start_ns (or start_us, ...), in any order, with commas between them)");
    insta::assert_snapshot!(about_names("0 1 5"), @"x.csv:1: this line has 1 columns where there should be 3 or 4 (..., with commas between them)");
    insta::assert_snapshot!(about_names("src,dst,bytes\n\n0,1,5,6"), @"x.csv:3: this line has 4 columns where there should be 3 (..., with commas between them)");
    insta::assert_snapshot!(about_names("start,src,dst,bytes\n0,1,5"), @"x.csv:2: this line has 3 columns where there should be 4 (..., with commas between them)");
    insta::assert_snapshot!(about_names("src,dst,color\n0,1,5"), @"x.csv:1: there is no column `color` (...)");
    insta::assert_snapshot!(about_names("src,dst,start_h\n0,1,5"), @"x.csv:1: there is no column `start_h` (...)");
    insta::assert_snapshot!(about_names("src,dst,start\n0,1,5"), @"x.csv:1: no column is called `bytes` (...)");
    insta::assert_snapshot!(error("src,dst,bytes,size\n0,1,5,5"), @"x.csv:1: `size` means the same as the column `bytes` (remove one of them)");
    insta::assert_snapshot!(error("0,1,5\nsrc,dst,bytes"), @"x.csv:2: `src` is `src` (it must be a whole number from 0 to 7)");
    insta::assert_snapshot!(error("0,8,5"), @"x.csv:1: `dst` is `8` (it must be a whole number from 0 to 7)");
    insta::assert_snapshot!(error("0,0,5"), @"x.csv:1: rank 0 sends to itself (`src` and `dst` must differ)");
    insta::assert_snapshot!(error("0,1,-5"), @"x.csv:1: `bytes` is `-5` (it must be a size from 1 to 4611686018427387904 bytes, such as 65536, 64KiB or 1MB)");
    insta::assert_snapshot!(error("0,1,0"), @"x.csv:1: `bytes` is `0` (it must be a size from 1 to 4611686018427387904 bytes, such as 65536, 64KiB or 1MB)");
    insta::assert_snapshot!(error("0,1,5,NaN"), @"x.csv:1: the start is `NaN` (it must be a time, in ns where no unit is written)");
    insta::assert_snapshot!(error("0,1,4611686018427387904\n0,1,4611686018427387904"), @"x.csv:2: all flows up to here together exceed 2^62 bytes");
}

#[test]
fn tables_name_workloads_as_files_do() {
    for (name, about) in Workload::ALL {
        let table = format!("[{name}]\nmessage = 1\nsize = 1\noffset = 1\nfile = \"x\"\nnonsense = 1");
        let error = toml::from_str::<Workload>(&table).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{name}: {error}");
        assert!(about.len() > 10 && !about.ends_with('.'));
    }
    let text = "[all-reduce]\nsize = \"1MiB\"\nalgorithm = \"direct\"\nchannels = 1\nchunks = 1\norder = \"near-first\"\npipelined = false\nrank_map = \"random\"\n";
    assert_eq!(toml::to_string(&workload(text)).unwrap(), text);
}

/// The files in workloads/ on the 256 hosts of the paper's fabric.
#[test]
fn workload_files_can_be_built() {
    let folder = format!("{}/workloads", env!("CARGO_MANIFEST_DIR"));
    let mut built = 0;
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let workload: Workload = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let schedule = workload.schedule(256, &NoFiles, 1).unwrap();
        assert!(schedule.transfer_count() >= 256);
        built += 1;
    }
    assert!(built >= 4);
}

struct One(&'static str);

impl Files for One {
    fn read(&self, _: &str) -> Result<String, InputError> {
        Ok(self.0.to_owned())
    }
}

/// The format of HPCC's ns-3: how many flows, then `src dst priority port bytes start`, with the start in seconds.
#[test]
fn flows_of_hpcc() {
    let read = |text| workload("[flows]\nfile = \"flow.txt\"").schedule(4, &One(text), 1);
    let schedule = read("3\n0 1 3 100 200000 2\n2 1 3 100 1 0.0000015\n3 0 3 101 64000 1e-6\n").unwrap();
    let flows: Vec<_> = schedule
        .transfers()
        .map(|t| (t.src.0, t.dst.0, t.bytes, schedule.task(t.task).earliest))
        .collect();
    let expected = [
        (0, 1, 200_000, Time(2_000_000_000_000)),
        (2, 1, 1, Time(1_500_000)),
        (3, 0, 64_000, Time(1_000_000)),
    ];
    assert_eq!(flows, expected);
    let error = |text| read(text).unwrap_err().to_string();
    let messages = [
        error("2\n0 1 3 100 200000 2\n"),
        error("0\n"),
        error("1\n0 1 3 100 200000\n"),
        error("1\n0 4 3 100 200000 2\n"),
        error("1\n1 1 3 100 200000 2\n"),
        error("1\n0 1 3 100 -5 2\n"),
        error("1\n0 1 3 100 200000 soon\n"),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    flow.txt: the first line says 2 flows, and there are 1 (correct the count, or look for lines that are missing)
    flow.txt: the first line says 0 flows, and there are 0 (correct the count, or look for lines that are missing)
    flow.txt:2: this line has 5 fields (a flow is `src dst priority port bytes start`)
    flow.txt:2: `dst` is `4` (it must be a whole number from 0 to 3)
    flow.txt:2: rank 1 sends to itself (source and destination must differ)
    flow.txt:2: `bytes` is `-5` (it must be a size from 1 to 4611686018427387904 bytes, such as 65536, 64KiB or 1MB)
    flow.txt:2: the start is `soon` (it must be a time in seconds)
    ");
}
