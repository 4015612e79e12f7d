//! The words of the text of a GOAL program.

use super::super::trace::ANY;
use crate::input::InputError;
use crate::workload::MAX_BYTES;

/// By byte, whether a word ends before it.
const ENDS: [bool; 256] = {
    let (mut ends, marks) = ([false; 256], b" \t\r\n{}:");
    let mut at = 0;
    while at < marks.len() {
        ends[marks[at] as usize] = true;
        at += 1;
    }
    ends
};

/// By byte, whether a word can begin with it and no comment does.
const BEGINS: [bool; 256] = {
    let (mut begins, marks) = ([true; 256], b" \t\r\n/");
    let mut at = 0;
    while at < marks.len() {
        begins[marks[at] as usize] = false;
        at += 1;
    }
    begins
};

/// Decimal digits that fit 64 bits whatever they are.
const SURE_DIGITS: usize = 19;

/// A word as an error shows it.
pub(super) fn show(word: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(word).chars().take(40).collect();
    text.escape_debug().to_string()
}

/// The words of a file, one after the other; `{`, `}` and `:` are words by themselves.
///
/// What is usual is read in one pass over its bytes; what is not goes word by word, which finds what is wrong.
pub(super) struct Words<'t> {
    file: &'t str,
    rest: &'t [u8],
    /// Of the last word.
    line: usize,
    /// Where `rest` begins.
    here: usize,
}

impl<'t> Words<'t> {
    pub(super) fn new(file: &'t str, text: &'t [u8]) -> Self {
        Self {
            file,
            rest: text,
            line: 1,
            here: 1,
        }
    }

    /// The line of the last word, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// An error in the line of the last word.
    pub(super) fn wrong(&self, message: impl Into<String>) -> InputError {
        InputError::line(self.file, self.line, message)
    }

    /// The next word, if there is one.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<&'t [u8]>, InputError> {
        self.skip()?;
        self.line = self.here;
        let end = match self.rest {
            [] => return Ok(None),
            [first, ..] if ends_before(*first) => 1,
            [_, others @ ..] => {
                let end = others.iter().position(|&byte| ends_before(byte));
                1 + end.unwrap_or(others.len())
            }
        };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Some(word))
    }

    /// Whether there are no more.
    pub(super) fn at_end(&mut self) -> Result<bool, InputError> {
        self.skip()?;
        Ok(self.rest.is_empty())
    }

    /// Takes the next word if it is this one, and tells whether it was.
    #[inline(always)]
    pub(super) fn take<const N: usize>(&mut self, word: &[u8; N]) -> Result<bool, InputError> {
        self.skip()?;
        let Some((first, rest)) = self.rest.split_first_chunk::<N>() else {
            return Ok(false);
        };
        let whole = ends_before(word[0]) || rest.first().is_none_or(|&byte| ends_before(byte));
        if first != word || !whole {
            return Ok(false);
        }
        (self.rest, self.line) = (rest, self.here);
        Ok(true)
    }

    /// The next word has to be this one.
    #[inline(always)]
    pub(super) fn keyword<const N: usize>(&mut self, expected: &[u8; N]) -> Result<(), InputError> {
        match self.take(expected)? {
            true => Ok(()),
            false => self.unexpected(expected),
        }
    }

    #[cold]
    fn unexpected(&mut self, expected: &[u8]) -> Result<(), InputError> {
        let found = self.next()?;
        let found = found.map_or("the end of the file".into(), |word| format!("`{}`", show(word)));
        Err(self.wrong(format!("{found} is where `{}` should be", show(expected))))
    }

    /// A decimal number of at most `most`.
    #[inline(always)]
    pub(super) fn number(&mut self, most: u64, what: &str) -> Result<u64, InputError> {
        self.skip()?;
        let (value, digits) = leading_digits(self.rest);
        let rest = &self.rest[digits..];
        let whole = rest.first().is_none_or(|&byte| ends_before(byte));
        if whole && (1..=SURE_DIGITS).contains(&digits) && value <= most {
            (self.rest, self.line) = (rest, self.here);
            return Ok(value);
        }
        self.unusual_number(most, what)
    }

    #[cold]
    fn unusual_number(&mut self, most: u64, what: &str) -> Result<u64, InputError> {
        let word = self.next()?.unwrap_or_default();
        self.parse(word, word, most, what)
    }

    /// The same, where -1 stands for any.
    #[inline(always)]
    pub(super) fn number_or_any(&mut self, what: &str) -> Result<u32, InputError> {
        if self.take(b"-1")? {
            return Ok(ANY);
        }
        Ok(self.number(u64::from(ANY) - 1, what)? as u32)
    }

    /// A number of bytes, with `b` behind it.
    #[inline(always)]
    pub(super) fn size(&mut self) -> Result<u64, InputError> {
        self.skip()?;
        let (value, digits) = leading_digits(self.rest);
        if let [b'b', rest @ ..] = &self.rest[digits..]
            && rest.first().is_none_or(|&byte| ends_before(byte))
            && (1..=SURE_DIGITS).contains(&digits)
            && value <= MAX_BYTES
        {
            (self.rest, self.line) = (rest, self.here);
            return Ok(value);
        }
        self.unusual_size()
    }

    #[cold]
    fn unusual_size(&mut self) -> Result<u64, InputError> {
        let word = self.next()?.unwrap_or_default();
        match word.strip_suffix(b"b") {
            Some(digits) => self.parse(word, digits, MAX_BYTES, "a number of bytes"),
            None => {
                let message = format!("`{}` is where a number of bytes should be", show(word));
                Err(self.wrong(message).help("write it with its `b`, such as `1024b`"))
            }
        }
    }

    /// Any number of digits.
    fn parse(&self, word: &[u8], digits: &[u8], most: u64, what: &str) -> Result<u64, InputError> {
        decimal(digits).filter(|&value| value <= most).ok_or_else(|| {
            let message = format!("`{}` is where {what} should be", show(word));
            self.wrong(message)
                .help(format!("it must be a whole number from 0 to {most}"))
        })
    }

    /// Passes over what lies between words: mostly one blank or the end of a line.
    #[inline(always)]
    fn skip(&mut self) -> Result<(), InputError> {
        match *self.rest {
            [byte, ..] if begins(byte) => return Ok(()),
            [b' ', byte, ..] if begins(byte) => self.rest = &self.rest[1..],
            [b'\n', byte, ..] if begins(byte) => {
                self.here += 1;
                self.rest = &self.rest[1..];
            }
            _ => return self.skip_all(),
        }
        Ok(())
    }

    /// The same, however much it is.
    #[inline(never)]
    fn skip_all(&mut self) -> Result<(), InputError> {
        while let [byte, rest @ ..] = self.rest {
            match byte {
                b' ' | b'\t' | b'\r' => self.rest = rest,
                b'\n' => {
                    self.here += 1;
                    self.rest = rest;
                }
                b'/' if matches!(rest.first(), Some(b'/' | b'*')) => self.skip_comment()?,
                _ => break,
            }
        }
        Ok(())
    }

    #[cold]
    fn skip_comment(&mut self) -> Result<(), InputError> {
        if self.rest[1] == b'/' {
            let end = self.rest.iter().position(|&byte| byte == b'\n');
            self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
            return Ok(());
        }
        let Some(end) = self.rest[2..].windows(2).position(|pair| pair == b"*/") else {
            self.line = self.here;
            return Err(self.wrong("the comment has no end").help("write `*/`"));
        };
        let (comment, rest) = self.rest.split_at(end + 4);
        self.here += comment.iter().filter(|&&byte| byte == b'\n').count();
        self.rest = rest;
        Ok(())
    }
}

#[inline]
fn begins(byte: u8) -> bool {
    BEGINS[usize::from(byte)]
}

#[inline]
fn ends_before(byte: u8) -> bool {
    ENDS[usize::from(byte)]
}

/// A decimal number of 64 bits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let more = |value: u64, &byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    };
    (!digits.is_empty()).then(|| digits.iter().try_fold(0, more))?
}

/// The number that a text begins with, and of how many digits it is; the number means nothing where they are more than
/// [`SURE_DIGITS`].
#[inline]
fn leading_digits(text: &[u8]) -> (u64, usize) {
    let (mut value, mut digits) = (0_u64, 0);
    while let Some(digit) = text
        .get(digits)
        .map(|byte| byte.wrapping_sub(b'0'))
        .filter(|&digit| digit < 10)
    {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        digits += 1;
    }
    (value, digits)
}
