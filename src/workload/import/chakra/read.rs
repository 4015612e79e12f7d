//! The framing of a trace file: messages, each with its length before it; perhaps compressed by gzip.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use prost::Message;

use crate::input::{Files, InputError};

/// No message is longer.
const MOST_BYTES: u64 = 1 << 28;

/// A file that is read message by message.
pub(super) struct Messages {
    file: String,
    reader: Box<dyn BufRead>,
    /// Bytes read so far, after decompression.
    offset: u64,
    buffer: Vec<u8>,
}

impl Messages {
    /// Opens a file.
    ///
    /// # Errors
    /// One that cannot be read.
    pub(super) fn open(file: &str, files: &dyn Files) -> Result<Self, InputError> {
        let mut reader: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 18, files.open(file)?));
        let compressed = reader
            .fill_buf()
            .map_err(|error| unreadable(file, &error))?
            .starts_with(&[0x1f, 0x8b]);
        if compressed {
            reader = Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(reader)));
        }
        Ok(Self {
            file: file.to_owned(),
            reader,
            offset: 0,
            buffer: Vec::new(),
        })
    }

    /// The next message; none at the end of the file.
    ///
    /// # Errors
    /// A length without end, a message that is cut off, and one that is no such message.
    pub(super) fn next<M: Message + Default>(&mut self) -> Result<Option<M>, InputError> {
        let start = self.offset;
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        if length > MOST_BYTES {
            let message = format!("the message at byte {start} says that it has {length} bytes");
            return Err(self.wrong(message));
        }
        self.buffer.clear();
        let mut limited = (&mut self.reader).take(length);
        limited
            .read_to_end(&mut self.buffer)
            .map_err(|error| unreadable(&self.file, &error))?;
        self.offset += self.buffer.len() as u64;
        if (self.buffer.len() as u64) < length {
            let there = self.buffer.len();
            return Err(self.wrong(format!(
                "the message at byte {start} is cut off: it has {there} of its {length} bytes"
            )));
        }
        let decoded = M::decode(self.buffer.as_slice());
        decoded
            .map(Some)
            .map_err(|_| self.wrong(format!("the {length} bytes behind byte {start} are no message")))
    }

    /// The length before a message: seven bits in each byte, the highest bit of the last one clear.
    fn length(&mut self) -> Result<Option<u64>, InputError> {
        let start = self.offset;
        let mut length = 0_u64;
        for place in 0..10 {
            let available = self.reader.fill_buf().map_err(|error| unreadable(&self.file, &error))?;
            let Some(&byte) = available.first() else {
                return match place {
                    0 => Ok(None),
                    _ => Err(self.wrong(format!("the length at byte {start} is cut off"))),
                };
            };
            self.reader.consume(1);
            self.offset += 1;
            length |= u64::from(byte & 0x7f).checked_shl(7 * place).unwrap_or(0);
            if byte < 0x80 {
                return Ok(Some(length));
            }
        }
        Err(self.wrong(format!("the length at byte {start} has no end")))
    }

    fn wrong(&self, message: String) -> InputError {
        InputError::file(&self.file, message)
            .help("a Chakra trace is a sequence of messages, each with its length before it; is it one, and complete?")
    }
}

fn unreadable(file: &str, error: &io::Error) -> InputError {
    InputError::file(file, format!("it cannot be read: {error}")).help("is the file complete?")
}
