//! `results.parquet`: the table of results.csv with types, for tools that read columns.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::point_key::PointRow;
use super::swept::Swept;
use super::table::write_points_csv;

/// Columns of counts and of texts; the other fixed ones are numbers.
const COUNTS: &[&str] = &[
    "point",
    "hosts",
    "size_bytes",
    "seed",
    "flows",
    "subflows",
    "packets",
    "packet_hops",
    "events",
    "ecn_marks",
    "drops",
    "trims",
    "pauses",
    "retransmits",
];
const TEXTS: &[&str] = &["engine", "topology", "workload", "load_balancing", "transport"];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Count,
    Number,
    Text,
}

/// Writes rows about points, with the columns and cells of the CSV file.
pub(super) fn write_points_parquet<R: PointRow>(out: impl Write + Send, rows: &[R], swept: &Swept) -> io::Result<()> {
    let mut text = Vec::new();
    write_points_csv(&mut text, rows, swept)?;
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let header = reader.headers()?.clone();
    let cells: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
    let fixed = super::table::columns::<R>()?.len();
    let kinds: Vec<Kind> = (0..header.len())
        .map(|column| Kind::of(&header[column], column < fixed, cells.iter().map(|row| &row[column])))
        .collect();
    write(out, &header, &kinds, &cells).map_err(io::Error::other)
}

impl Kind {
    fn of<'a>(name: &str, fixed: bool, mut cells: impl Iterator<Item = &'a str> + Clone) -> Self {
        match fixed {
            true if COUNTS.contains(&name) => Self::Count,
            true if TEXTS.contains(&name) => Self::Text,
            true => Self::Number,
            // What is swept: whatever all its values are.
            false if cells.clone().all(|cell| cell.is_empty() || cell.parse::<i64>().is_ok()) => Self::Count,
            false if cells.all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok()) => Self::Number,
            false => Self::Text,
        }
    }

    fn field(self, name: &str) -> Result<Type, ParquetError> {
        let (physical, meaning) = match self {
            Self::Count => (Physical::INT64, ConvertedType::NONE),
            Self::Number => (Physical::DOUBLE, ConvertedType::NONE),
            Self::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        };
        let field = Type::primitive_type_builder(name, physical).with_converted_type(meaning);
        field.with_repetition(Repetition::OPTIONAL).build()
    }
}

fn write(
    out: impl Write + Send,
    header: &csv::StringRecord,
    kinds: &[Kind],
    rows: &[csv::StringRecord],
) -> Result<(), ParquetError> {
    let fields = header
        .iter()
        .zip(kinds)
        .map(|(name, kind)| Ok(Arc::new(kind.field(name)?)));
    let fields: Vec<Arc<Type>> = fields.collect::<Result<_, ParquetError>>()?;
    let schema = Arc::new(Type::group_type_builder("results").with_fields(fields).build()?);
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(WriterProperties::builder().build()))?;
    let mut group = file.next_row_group()?;
    let mut column = 0;
    while let Some(mut writer) = group.next_column()? {
        let cells: Vec<&str> = rows.iter().map(|row| &row[column]).collect();
        write_column(writer.untyped(), &cells)?;
        writer.close()?;
        column += 1;
    }
    group.close()?;
    file.close().map(drop)
}

/// Cells of one column; empty ones are missing.
fn write_column(writer: &mut ColumnWriter<'_>, cells: &[&str]) -> Result<(), ParquetError> {
    let there: Vec<i16> = cells.iter().map(|cell| i16::from(!cell.is_empty())).collect();
    let full = || cells.iter().filter(|cell| !cell.is_empty());
    let broken = |cell: &str| ParquetError::General(format!("`{cell}` is no number"));
    match writer {
        ColumnWriter::Int64ColumnWriter(writer) => {
            // Seeds and counts beyond 2^63 keep their bits.
            let count = |cell: &&str| {
                cell.parse::<i64>()
                    .or_else(|_| cell.parse::<u64>().map(u64::cast_signed))
            };
            let values = full().map(|cell| count(cell).map_err(|_| broken(cell)));
            writer.write_batch(&values.collect::<Result<Vec<_>, _>>()?, Some(&there), None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let values = full().map(|cell| cell.parse::<f64>().map_err(|_| broken(cell)));
            writer.write_batch(&values.collect::<Result<Vec<_>, _>>()?, Some(&there), None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let values: Vec<ByteArray> = full().map(|cell| ByteArray::from(cell.as_bytes().to_vec())).collect();
            writer.write_batch(&values, Some(&there), None)?;
        }
        _ => return Err(ParquetError::General("a column of another kind".to_owned())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::super::{Number, ResultRow};
    use super::*;

    /// What the crate's reader finds is what was written.
    #[test]
    fn columns_come_back_with_their_types() {
        let row = |point: u32, us: Option<f64>| ResultRow {
            point,
            engine: "flow".into(),
            cct_us: us.map(Number::new),
            ..ResultRow::default()
        };
        let swept = Swept {
            keys: vec!["packet.queue".into()],
            values: vec![vec![Arc::new("64KiB".into())], vec![Arc::new("1MiB".into())]],
        };
        let mut out = tempfile::tempfile().unwrap();
        write_points_parquet(&mut out, &[row(0, Some(1.5)), row(1, None)], &swept).unwrap();
        let reader = SerializedFileReader::new(out).unwrap();
        let rows: Vec<Vec<(String, Field)>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().into_columns())
            .collect();
        let cell = |row: usize, name: &str| rows[row].iter().find(|(known, _)| known == name).unwrap().1.clone();
        assert_eq!(cell(0, "point"), Field::Long(0));
        assert_eq!(cell(0, "cct_us"), Field::Double(1.5));
        assert_eq!(cell(1, "cct_us"), Field::Null);
        assert_eq!(cell(1, "engine"), Field::Str("flow".into()));
        assert_eq!(cell(1, "packet.queue"), Field::Str("1MiB".into()));
    }
}
