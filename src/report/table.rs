//! Tables for people: the columns worth a place, numbers rounded, aligned or as Markdown.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::results::{Swept, cell};
use crate::units::Bytes;

/// Which columns of a kind of rows are worth a place in a table.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Always shown.
    pub always: &'static [&'static str],
    /// Shown where the rows differ.
    pub naming: &'static [&'static str],
    /// Shown where some row has one that is not zero.
    pub results: &'static [&'static str],
}

/// Cells under headings, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Digits that a column's smallest number keeps.
const DIGITS: i32 = 4;

impl Table {
    /// A table of rows that have as many cells as there are headings.
    pub fn new(headings: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self {
            headings: headings.iter().map(|&h| h.to_owned()).collect(),
            rows,
        }
    }

    /// The columns of some records that are worth a place, named after their fields and in the
    /// order of these. Records must serialize as flat structs, as they do to CSV, and start with their point. Behind it
    /// come those swept keys without which rows would look alike.
    pub fn of<R: Serialize>(records: &[R], shown: Columns, swept: &Swept) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for record in records {
            writer.serialize(record)?;
        }
        let text = writer.into_inner().map_err(|error| error.into_error())?;
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let headings = reader.headers()?.clone();
        let rows = reader.records().collect::<Result<Vec<_>, _>>()?;
        let kept: Vec<usize> = (0..headings.len())
            .filter(|&c| {
                let name = &headings[c];
                let differs = rows.iter().any(|row| row[c] != rows[0][c]);
                let tells = rows.iter().any(|row| !matches!(&row[c], "" | "0"));
                shown.always.contains(&name)
                    || shown.naming.contains(&name) && differs
                    || shown.results.contains(&name) && tells
            })
            .collect();
        let pick = |record: &csv::StringRecord| kept.iter().map(|&c| record[c].to_owned()).collect();
        let mut table = Self {
            headings: pick(&headings),
            rows: rows.iter().map(pick).collect(),
        };
        let named = |c: &&usize| !shown.results.contains(&&headings[**c]) && **c > 0;
        let names = kept.iter().filter(named).copied().collect::<Vec<_>>();
        let names = rows
            .iter()
            .map(|row| names.iter().map(|&c| row[c].to_owned()).collect())
            .collect();
        table.tell_apart(swept, names);
        Ok(table)
    }

    /// Adds columns for swept keys whose values differ between rows that otherwise have the same `names`. One under the
    /// heading of a column that says less, as a swept `workload` does, takes its place.
    fn tell_apart(&mut self, swept: &Swept, mut names: Vec<Vec<String>>) {
        let mut at = 1;
        for (k, key) in swept.keys.iter().enumerate() {
            let value = |row: &Vec<String>| {
                let point: u32 = row[0].parse().ok()?;
                Some(cell(swept.of(point).get(k)?).into_owned())
            };
            let Some(values) = self.rows.iter().map(value).collect::<Option<Vec<String>>>() else {
                return;
            };
            let mut known: BTreeMap<&Vec<String>, &String> = BTreeMap::new();
            let alike = |(names, value)| *known.entry(names).or_insert(value) != value;
            if !names.iter().zip(&values).any(alike) {
                continue;
            }
            let last = key.rsplit('.').next().unwrap_or(key);
            let known = self.headings.iter().position(|heading| heading == last);
            let column = known.unwrap_or(at);
            if known.is_none() {
                self.headings.insert(at, last.to_owned());
                self.rows.iter_mut().for_each(|row| row.insert(at, String::new()));
                at += 1;
            }
            for ((row, names), value) in self.rows.iter_mut().zip(&mut names).zip(values) {
                row[column].clone_from(&value);
                names.push(value);
            }
        }
    }

    /// Aligned columns, two spaces apart.
    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        self.write(out, "  ", "", "")
    }

    /// A table in Markdown.
    pub fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        self.write(out, " | ", "| ", " |")
    }

    fn write(&self, out: &mut impl Write, between: &str, before: &str, after: &str) -> io::Result<()> {
        let columns: Vec<Column> = (0..self.headings.len()).map(|c| self.column(c)).collect();
        for line in 0..=self.rows.len() {
            let cells: Vec<String> = columns.iter().map(|column| column.padded(line)).collect();
            let text = format!("{before}{}{after}", cells.join(between));
            writeln!(out, "{}", text.trim_end())?;
            if line == 0 && !before.is_empty() {
                let rule: Vec<String> = columns.iter().map(Column::rule).collect();
                writeln!(out, "{before}{}{after}", rule.join(between))?;
            }
        }
        Ok(())
    }

    fn column(&self, c: usize) -> Column {
        let heading = &self.headings[c];
        let cells: Vec<&str> = self.rows.iter().map(|row| row[c].as_str()).collect();
        let numbers: Vec<f64> = cells.iter().filter_map(|cell| cell.parse().ok()).collect();
        let numeric = !numbers.is_empty() && numbers.len() == cells.iter().filter(|cell| !cell.is_empty()).count();
        let mut lines = vec![heading.clone()];
        if numeric && heading == "size_bytes" {
            lines.extend(cells.iter().map(|cell| match cell.parse() {
                Ok(bytes) => Bytes(bytes).to_string(),
                Err(_) => String::new(),
            }));
        } else if numeric && numbers.iter().any(|n| n.fract() != 0.0) {
            let decimals = decimals(&numbers);
            lines.extend(cells.iter().map(|cell| match cell.parse::<f64>() {
                Ok(number) => format!("{number:.decimals$}"),
                Err(_) => String::new(),
            }));
        } else {
            lines.extend(cells.iter().map(|&cell| cell.to_owned()));
        }
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        Column { lines, numeric, width }
    }
}

/// Decimals with which the smallest of these numbers (but for zeros) has [`DIGITS`] digits.
fn decimals(numbers: &[f64]) -> usize {
    let smallest = numbers.iter().map(|n| n.abs()).filter(|n| *n > 0.0);
    let magnitude = smallest.fold(f64::INFINITY, f64::min).log10().floor();
    (DIGITS - 1 - magnitude.clamp(-3.0, 3.0) as i32).max(0) as usize
}

/// One column, ready to print: its heading and cells.
struct Column {
    lines: Vec<String>,
    numeric: bool,
    width: usize,
}

impl Column {
    fn padded(&self, line: usize) -> String {
        let (cell, width) = (&self.lines[line], self.width);
        match self.numeric {
            true => format!("{cell:>width$}"),
            false => format!("{cell:width$}"),
        }
    }

    /// The line below the heading in Markdown, which also aligns.
    fn rule(&self) -> String {
        match self.numeric {
            true => format!("{}:", "-".repeat(self.width.saturating_sub(1).max(1))),
            false => "-".repeat(self.width.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;

    #[derive(Serialize)]
    struct Row {
        point: u32,
        size_bytes: Option<u64>,
        scheme: &'static str,
        seed: u64,
        cct_us: Option<f64>,
        ratio: f64,
        drops: u64,
    }

    const SHOWN: Columns = Columns {
        always: &["point", "scheme"],
        naming: &["size_bytes", "seed"],
        results: &["cct_us", "ratio", "drops"],
    };

    fn rows() -> Vec<Row> {
        let row = |point, size_bytes, scheme, cct_us, ratio| Row {
            point,
            size_bytes,
            scheme,
            seed: 1,
            cct_us,
            ratio,
            drops: 0,
        };
        vec![
            row(0, Some(8_192), "ecmp", Some(41.287_5), 1.190_27),
            row(10, Some(1_048_576), "ecmp-split(ways=4)", Some(5_283.4), 1.1),
            row(11, None, "spray", None, 1.0),
        ]
    }

    fn text(table: &Table) -> String {
        let mut out = Vec::new();
        table.write_text(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        let table = Table::of(&rows(), SHOWN, &Swept::default()).unwrap();
        insta::assert_snapshot!(text(&table), @r#"
        point  size_bytes  scheme               cct_us  ratio
            0        8KiB  ecmp                  41.29  1.190
           10        1MiB  ecmp-split(ways=4)  5283.40  1.100
           11              spray                        1.000
        "#);
        let mut out = Vec::new();
        table.write_markdown(&mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        | point | size_bytes | scheme             |  cct_us | ratio |
        | ----: | ---------: | ------------------ | ------: | ----: |
        |     0 |       8KiB | ecmp               |   41.29 | 1.190 |
        |    10 |       1MiB | ecmp-split(ways=4) | 5283.40 | 1.100 |
        |    11 |            | spray              |         | 1.000 |
        "#);
    }

    /// What the columns tell already is not told twice.
    #[test]
    fn swept_keys_tell_rows_apart_that_look_alike() {
        let mut rows = rows();
        rows.iter_mut().zip(0..).for_each(|(row, point)| row.point = point);
        rows[1].scheme = "ecmp";
        rows[1].size_bytes = Some(8_192);
        let point = |values: [&str; 3]| values.map(|value| Arc::new(Value::from(value))).to_vec();
        let swept = Swept {
            keys: ["workload.all-reduce.algorithm", "packet.rto", "load_balancing"]
                .map(str::to_owned)
                .to_vec(),
            values: vec![
                point(["ring", "1ms", "ecmp"]),
                point(["direct", "2ms", "ecmp"]),
                point(["ring", "1ms", "spray"]),
            ],
        };
        let table = Table::of(&rows, SHOWN, &swept).unwrap();
        insta::assert_snapshot!(text(&table), @r#"
        point  algorithm  size_bytes  scheme   cct_us  ratio
            0  ring             8KiB  ecmp      41.29  1.190
            1  direct           8KiB  ecmp    5283.40  1.100
            2  ring                   spray            1.000
        "#);
    }

    #[test]
    fn a_swept_key_takes_the_place_of_a_column_that_says_less() {
        let mut rows = rows();
        rows.iter_mut().zip(0..).for_each(|(row, point)| row.point = point);
        rows[1].scheme = "ecmp";
        let swept = Swept {
            keys: vec!["scheme".to_owned()],
            values: ["ecmp a", "ecmp b", "spray"]
                .map(|value| vec![Arc::new(Value::from(value))])
                .to_vec(),
        };
        rows[1].size_bytes = rows[0].size_bytes;
        insta::assert_snapshot!(text(&Table::of(&rows, SHOWN, &swept).unwrap()), @r#"
        point  size_bytes  scheme   cct_us  ratio
            0        8KiB  ecmp a    41.29  1.190
            1        8KiB  ecmp b  5283.40  1.100
            2              spray            1.000
        "#);
    }

    #[test]
    fn tables_may_be_empty_or_plain() {
        assert_eq!(text(&Table::of(&rows()[..0], SHOWN, &Swept::default()).unwrap()), "\n");
        let plain = Table::new(&["name", "what"], vec![vec!["ecmp".into(), "one path per flow".into()]]);
        insta::assert_snapshot!(text(&plain), @r#"
        name  what
        ecmp  one path per flow
        "#);
    }
}
