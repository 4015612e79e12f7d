//! A square matrix of bytes in a file.

use crate::input::InputError;
use crate::workload::MAX_BYTES;

/// The matrix of so many ranks, row by row, every number multiplied by `scale`. What follows a `#` is a comment.
pub(super) fn read(file: &str, text: &str, ranks: u32, scale: f64) -> Result<Vec<u64>, InputError> {
    let mut matrix = Vec::new();
    let mut rows = 0;
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let fields: Vec<&str> = line
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|field| !field.is_empty())
            .collect();
        if fields.is_empty() {
            continue;
        }
        let wrong = |message: String| InputError::line(file, number, message);
        if fields.len() != ranks as usize {
            let message = format!("this line has {} numbers, and there are {ranks} ranks", fields.len());
            return Err(wrong(message).help("the matrix has a line and a column for every rank: write `ranks`"));
        }
        if rows == ranks {
            return Err(wrong(format!("there are more lines than {ranks} ranks")).help("the matrix must be square"));
        }
        for (column, field) in fields.iter().enumerate() {
            matrix.push(number_of(field, scale).ok_or_else(|| {
                wrong(format!("number {} is `{field}`", column + 1))
                    .help(format!("it must be a number of bytes from 0 to {MAX_BYTES}"))
            })?);
        }
        rows += 1;
    }
    if rows != ranks {
        let message = format!("the matrix has {rows} lines, and there are {ranks} ranks");
        return Err(InputError::file(file, message).help("it has a line and a column for every rank: write `ranks`"));
    }
    let size = ranks as usize;
    let travels = |&(place, &bytes): &(usize, &u64)| bytes > 0 && place / size != place % size;
    if !matrix.iter().enumerate().any(|entry| travels(&entry)) {
        return Err(InputError::file(file, "no rank sends anything to another").help("there must be at least 1 byte"));
    }
    Ok(matrix)
}

fn number_of(field: &str, scale: f64) -> Option<u64> {
    let limit = MAX_BYTES as f64;
    let scaled = match field.parse::<u64>() {
        // Exact, where a float would not be.
        Ok(whole) if scale == 1.0 => return (whole <= MAX_BYTES).then_some(whole),
        _ => field.parse::<f64>().ok()? * scale,
    };
    (0.0..=limit).contains(&scaled).then(|| scaled.round() as u64)
}
