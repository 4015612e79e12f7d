//! The page itself: what is read without a script, and the script with its data.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::cells::Cells;
use super::data::Data;
use super::verdict::Verdict;
use crate::report::nccl_tests::{ELEMENT, operation, size};
use crate::results::{ResultRow, read_csv};

const STYLE: &str = include_str!("page.css");
/// Parts of the script, in the order in which they use each other.
const SCRIPTS: [&str; 7] = [
    include_str!("base.js"),
    include_str!("table.js"),
    include_str!("chart.js"),
    include_str!("fabric.js"),
    include_str!("series.js"),
    include_str!("timeline.js"),
    include_str!("details.js"),
];
/// Nothing may be asked for, or only news of who sent the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
const LIVE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'";
const LIVE: &str = include_str!("live.js");

/// The whole page. `live` is where it asks for news; without it, it may ask nobody for anything.
pub(super) fn page(verdict: &Verdict, cells: &Cells, data: &Data, experiment: &str, live: Option<&str>) -> String {
    let policy = if live.is_some() { LIVE_POLICY } else { POLICY };
    let script = SCRIPTS.concat();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                link rel="icon" href="data:,";
                title { (verdict.name) ": fabricsim" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(verdict, cells, live))
                main {
                    (schemes(verdict))
                    section #chart-section {
                        h2 { "Completion time against what is swept" }
                        p.note { "Means over what is not told apart, with the least and the largest. The thin line is the bound of this schedule, which no load balancing can beat." }
                        div #chart {}
                    }
                    (table(cells, data))
                    section #fabric-section { h2 { "Fabric" } div #fabric {} }
                    section #details-section {
                        h2 { "Details" }
                        @if data.details.len() < data.with_details {
                            p.note { "The page has room for the details of some points only: `fabricsim report DIR --point N` chooses others." }
                        }
                        div #details {}
                    }
                    section #experiment { h2 { "Experiment" } pre tabindex="0" { (experiment) } }
                }
                footer { "fabricsim " (verdict.version) ", " (verdict.ended) ". Every number in the table is that of results.csv." }
                script type="application/json" #data { (PreEscaped(json(data))) }
                script { (PreEscaped(&script)) }
                @if let Some(address) = live {
                    script data-address=(address) { (PreEscaped(LIVE)) }
                }
            }
        }
    };
    page.into_string()
}

/// The page of a run of which no point is done yet.
#[cfg(feature = "server")]
pub(super) fn waiting(live: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(LIVE_POLICY);
                link rel="icon" href="data:,";
                title { "fabricsim" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { p.verdict { "No point is done yet." } (news()) }
                script data-address=(live) { (PreEscaped(LIVE)) }
            }
        }
    };
    page.into_string()
}

/// How far the run is.
fn news() -> Markup {
    html! {
        div #live.live.card {
            progress #progress max="1" value="0" {}
            p #news.note {}
            button #cancel type="button" hidden { "Cancel" }
            " "
            button #show type="button" hidden { "Show new points" }
        }
    }
}

/// JSON that cannot end the element it stands in.
fn json(data: &Data) -> String {
    serde_json::to_string(data).unwrap_or_default().replace('<', "\\u003c")
}

fn header(verdict: &Verdict, cells: &Cells, live: Option<&str>) -> Markup {
    html! {
        header {
            div.bar-line { h1 { (verdict.name) } button #theme.theme type="button" { "light / dark" } }
            @if live.is_some() { (news()) }
            p.verdict { (verdict.sentence) }
            @for line in verdict.about.iter().take(6) { p.about { (line) } }
            @if verdict.about.len() > 6 { p.about { "and " (verdict.about.len() - 6) " more" } }
            @if verdict.unfinished > 0 { p.about.bad { (verdict.unfinished) " of " (cells.rows.len()) " points have no completion time." } }
            nav {
                a href="#chart-section" { "Charts" } a href="#results" { "Results" } a href="#fabric-section" { "Fabric" }
                a href="#details-section" { "Details" } a href="#experiment" { "Experiment" }
            }
        }
    }
}

/// How every scheme does, as bars.
fn schemes(verdict: &Verdict) -> Markup {
    let slowest = verdict.ranked.last().map_or(1.0, |(_, times, _)| *times);
    html! {
        @if !verdict.ranked.is_empty() {
            section {
                h2 { "Schemes" }
                table.schemes {
                    tbody {
                        @for (name, times, deviation) in &verdict.ranked {
                            tr {
                                td.text { (name) }
                                td.length { i style=(format!("width:{:.2}%", times / slowest * 100.0)) {} }
                                td { (format!("{times:.2}")) @if *deviation > 0.005 { (format!(" \u{b1} {deviation:.2}")) } " times the time of the fastest" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A column of the table: its heading, the column of results.csv that it shows (or none), and its cells.
struct Column {
    heading: String,
    source: Option<String>,
    cells: Vec<String>,
}

impl Column {
    /// As results.csv has it.
    fn of(cells: &Cells, heading: &str, source: &str) -> Self {
        Self {
            heading: heading.to_owned(),
            source: Some(source.to_owned()),
            cells: (0..cells.rows.len())
                .map(|row| cells.cell(row, source).to_owned())
                .collect(),
        }
    }

    fn is_text(&self) -> bool {
        self.cells
            .iter()
            .any(|cell| !cell.is_empty() && cell.parse::<f64>().is_err())
    }

    fn differs(&self) -> bool {
        self.cells.iter().any(|cell| *cell != self.cells[0])
    }

    fn tells(&self) -> bool {
        self.cells.iter().any(|cell| !matches!(cell.as_str(), "" | "0"))
    }
}

/// The columns of nccl-tests between what names a point and what nccl-tests does not know.
fn columns(cells: &Cells, data: &Data) -> Vec<Column> {
    let mut columns = vec![
        Column::of(cells, "point", "point"),
        Column::of(cells, "scheme", "load_balancing"),
    ];
    let naming = ["engine", "topology", "hosts", "workload", "transport", "seed"];
    columns.extend(
        naming
            .map(|name| Column::of(cells, name, name))
            .into_iter()
            .filter(Column::differs),
    );
    for (at, key) in data.keys.iter().enumerate() {
        if columns.iter().any(|column| column.heading == key.short) || key.short == "load_balancing" {
            continue;
        }
        columns.push(Column {
            heading: key.short.clone(),
            source: None,
            cells: data.settings.iter().map(|setting| setting[at].clone()).collect(),
        });
    }
    columns.extend(as_nccl_tests(cells));
    let further = [
        ("bound (us)", "bound_us"),
        ("time / bound", "cct_over_bound"),
        ("congestion / least", "congestion_ratio"),
        ("flow 99 % (us)", "fct_p99_us"),
        ("drops", "drops"),
        ("retransmits", "retransmits"),
        ("ECN marks", "ecn_marks"),
        ("compute (us)", "compute_us"),
        ("exposed (us)", "exposed_us"),
        ("MFU", "mfu"),
    ];
    let further = further.map(|(heading, source)| Column::of(cells, heading, source));
    columns.extend(further.into_iter().filter(Column::tells));
    columns
}

fn as_nccl_tests(cells: &Cells) -> Vec<Column> {
    let rows: Vec<ResultRow> = {
        let mut text = csv::Writer::from_writer(Vec::new());
        // In memory, and from what was read as CSV.
        let _ = text.write_record(&cells.header);
        cells.rows.iter().for_each(|row| drop(text.write_record(row)));
        read_csv(text.into_inner().unwrap_or_default().as_slice()).unwrap_or_default()
    };
    let made = |heading: &str, cell: &dyn Fn(&ResultRow) -> String| Column {
        heading: heading.to_owned(),
        source: None,
        cells: rows.iter().map(cell).collect(),
    };
    vec![
        made("size (B)", &|row| size(row).to_string()),
        made("count", &|row| (size(row) / ELEMENT).to_string()),
        made("type", &|_| "float".into()),
        made("redop", &|row| operation(row).into()),
        made("root", &|_| "-1".into()),
        Column::of(cells, "time (us)", "cct_us"),
        Column::of(cells, "algbw (GB/s)", "algbw_GBps"),
        Column::of(cells, "busbw (GB/s)", "busbw_GBps"),
        made("#wrong", &|_| "0".into()),
    ]
}

fn table(cells: &Cells, data: &Data) -> Markup {
    let columns = columns(cells, data);
    let class = |column: &Column| column.is_text().then_some("text");
    let classes: Vec<_> = columns.iter().map(class).collect();
    html! {
        section #results {
            h2 { "Results" }
            p.note { "The columns of nccl-tests, in which in-place takes as long as out-of-place; GB are 10^9 bytes. A click on an underlined point shows its details." }
            div.controls {
                label.wide { "filter" input #filter type="search" placeholder="words that rows must have, such as: spray 64KiB"; }
                span #filtered.read role="status" {}
            }
            div.scroll tabindex="0" {
                table #table {
                    thead { tr { @for (column, class) in columns.iter().zip(&classes) {
                        th scope="col" class=[*class] data-column=[column.source.as_deref()] { button type="button" { (column.heading) } }
                    } } }
                    tbody { @for row in 0..cells.rows.len() {
                        tr data-point=(columns[0].cells[row]) { @for (column, class) in columns.iter().zip(&classes) {
                            td class=[*class] { (column.cells[row]) }
                        } }
                    } }
                }
            }
        }
    }
}
