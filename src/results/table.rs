//! Rows as text: CSV under the names of their columns, and JSON.

use std::io;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::point_key::PointRow;
use super::swept::Swept;

/// The rows as CSV under their column names, which are there even without any row.
pub fn write_csv<R: Serialize + Default>(out: impl io::Write, rows: &[R]) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    writer.write_record(columns::<R>()?.iter())?;
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()?;
    Ok(())
}

/// The column names of a row.
pub fn columns<R: Serialize + Default>() -> Result<csv::StringRecord, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(R::default())?;
    let text = writer.into_inner().map_err(|error| error.into_error())?;
    csv::Reader::from_reader(text.as_slice()).headers().cloned()
}

/// Rows about points as CSV: their own columns, and behind them one for every swept key that is none of these, in the
/// sweep's order.
///
/// # Errors
/// Where nothing can be written.
pub fn write_points_csv<R: PointRow>(out: impl io::Write, rows: &[R], swept: &Swept) -> Result<(), csv::Error> {
    let mut header = columns::<R>()?;
    let further = further_keys(&header, swept);
    further.iter().for_each(|&key| header.push_field(&swept.keys[key]));
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    writer.write_record(&header)?;
    for row in rows {
        let swept: Vec<&Value> = further_values(&further, swept, row.point()).collect();
        writer.serialize((row, swept))?;
    }
    writer.flush()?;
    Ok(())
}

/// The same as a list of JSON objects.
///
/// # Errors
/// Where nothing can be written.
pub fn write_points_json<R: PointRow>(mut out: impl io::Write, rows: &[R], swept: &Swept) -> io::Result<()> {
    let further = further_keys(&columns::<R>()?, swept);
    let objects: Vec<_> = rows
        .iter()
        .map(|row| Object {
            row,
            further: &further,
            swept,
        })
        .collect();
    serde_json::to_writer_pretty(&mut out, &objects)?;
    writeln!(out)
}

/// Which swept keys are no columns of the rows themselves.
fn further_keys(columns: &csv::StringRecord, swept: &Swept) -> Vec<usize> {
    let is_further = |&key: &usize| columns.iter().all(|column| column != swept.keys[key]);
    (0..swept.keys.len()).filter(is_further).collect()
}

fn further_values<'a>(further: &'a [usize], swept: &'a Swept, point: u32) -> impl Iterator<Item = &'a Value> {
    let values = swept.of(point);
    further
        .iter()
        .map(move |&key| values.get(key).map_or(&Value::Null, Arc::as_ref))
}

/// A row with the values of its point.
struct Object<'a, R> {
    row: &'a R,
    further: &'a [usize],
    swept: &'a Swept,
}

impl<R: PointRow> Serialize for Object<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The swept values alone, as a map.
        struct Further<'a, R>(&'a Object<'a, R>);

        impl<R: PointRow> Serialize for Further<'_, R> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Object { row, further, swept } = self.0;
                let mut map = serializer.serialize_map(None)?;
                for (&key, value) in further.iter().zip(further_values(further, swept, row.point())) {
                    map.serialize_entry(&swept.keys[key], value)?;
                }
                map.end()
            }
        }

        #[derive(Serialize)]
        struct Both<'a, R: PointRow> {
            #[serde(flatten)]
            row: &'a R,
            #[serde(flatten)]
            further: Further<'a, R>,
        }

        let (row, further) = (self.row, Further(self));
        Both { row, further }.serialize(serializer)
    }
}

/// The rows of a CSV that [`write_csv`] wrote.
pub fn read_csv<R: for<'de> Deserialize<'de>>(input: impl io::Read) -> Result<Vec<R>, csv::Error> {
    csv::Reader::from_reader(input).deserialize().collect()
}
