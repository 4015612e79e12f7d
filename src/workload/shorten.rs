//! The same workload with shorter messages.

use serde_json::Value;

use super::Workload;
use crate::units::Bytes;

/// Keys that say how long messages are.
const LENGTHS: [&str; 2] = ["size", "message"];

impl Workload {
    /// Makes every message this share as long, but none shorter than `least`; `false`, and nothing is changed, where the
    /// workload says nowhere how long they are, as one from a file.
    pub fn shorten(&mut self, share: f64, least: Bytes) -> bool {
        let mut table = match serde_json::to_value(&*self) {
            Ok(table) => table,
            Err(_) => return false,
        };
        // As deep as operations of programs lie.
        let mut changed = false;
        let mut tables = vec![&mut table];
        while let Some(value) = tables.pop() {
            match value {
                Value::Object(keys) => {
                    for (key, value) in keys {
                        let length = value.as_str().and_then(|text| text.parse::<Bytes>().ok());
                        match length.filter(|_| LENGTHS.contains(&key.as_str())) {
                            Some(length) => {
                                let shorter = Bytes((length.0 as f64 * share).round() as u64).max(least);
                                *value = Value::String(shorter.to_string());
                                changed = true;
                            }
                            None => tables.push(value),
                        }
                    }
                }
                Value::Array(list) => tables.extend(list),
                _ => {}
            }
        }
        match serde_json::from_value(table) {
            Ok(shorter) if changed => {
                *self = shorter;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_shorter_wherever_they_stand() {
        let read = |text: &str| -> Workload { toml::from_str(text).unwrap() };
        let mut ring = read("all-reduce = { size = \"9MB\" }");
        assert!(ring.shorten(1.0 / 9.0, Bytes(1)));
        assert_eq!(ring.size(), Some(Bytes(1_000_000)));
        let mut program = read(
            "[[program.ops]]\nname = \"a\"\nall-to-all = { message = \"90KB\" }\n[[program.ops]]\nname = \"b\"\nall-reduce = { size = \"2B\" }",
        );
        assert!(program.shorten(0.1, Bytes(1)));
        let text = toml::to_string(&program).unwrap();
        assert!(
            text.contains("message = \"9KB\"") && text.contains("size = \"1B\""),
            "{text}"
        );
        let mut file = read("flows = { file = \"flows.csv\" }");
        assert!(!file.shorten(0.1, Bytes(1)));
    }
}
