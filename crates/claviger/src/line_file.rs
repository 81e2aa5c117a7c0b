//! Files that grow by whole lines. What a crash left of a line is cut off before the next is written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::private_file;

/// No line of ours is as long as this.
const LINE_BYTES_MAX: u64 = 4096;

/// A private file of lines, open to be added to.
pub(crate) struct LineFile {
    file: File,
    /// How much of it is whole lines.
    length: u64,
}

impl LineFile {
    /// Opens a file, making it where it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let is_new = !path.exists();
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if is_new {
            private_file::sync_directory(path)?;
        }
        let length = match last_line(&mut file)? {
            Some(tail) => tail.end,
            None => 0,
        };
        Ok(Self { file, length })
    }

    /// Adds lines, each with its end. After an error none of them is there.
    pub(crate) fn append(&mut self, lines: &str) -> io::Result<()> {
        // Whatever stands beyond is what a failed attempt left.
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(lines.as_bytes())?;
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Waits until what was added is on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The last whole line of a file, without its end; none where there is no file or no line.
pub(crate) fn last(path: &Path) -> io::Result<Option<String>> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => Ok(last_line(&mut opened?)?.map(|tail| tail.text)),
    }
}

struct Tail {
    text: String,
    /// Where the line ends in the file.
    end: u64,
}

fn last_line(file: &mut File) -> io::Result<Option<Tail>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * LINE_BYTES_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(2 * LINE_BYTES_MAX).read_to_end(&mut bytes)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        return match start {
            0 => Ok(None),
            _ => Err(io::Error::new(ErrorKind::InvalidData, "it has no line where one should end")),
        };
    };
    let begin = bytes[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
    let text = String::from_utf8_lossy(&bytes[begin..end]).into_owned();
    Ok(Some(Tail { text, end: start + end as u64 + 1 }))
}

/// Each whole line of a file with its number, counted from one. What follows the last end of a line is not a line.
pub(crate) fn each(path: &Path, mut visit: impl FnMut(usize, &str) -> io::Result<()>) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        match line.split_last() {
            Some((b'\n', text)) => visit(number, &String::from_utf8_lossy(text))?,
            _ if line.len() as u64 == LINE_BYTES_MAX => visit(number, "")?,
            _ => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<String> {
        let mut lines = Vec::new();
        each(path, |_, line| Ok(lines.push(line.to_owned()))).unwrap();
        lines
    }

    #[test]
    fn what_a_crash_left_of_a_line_is_no_line_and_goes_with_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        assert_eq!(last(&path).unwrap(), None);
        LineFile::open(&path).unwrap().append("one\ntwo\n").unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"hal").unwrap();
        assert_eq!(
            (lines(&path), last(&path).unwrap()),
            (vec!["one".into(), "two".into()], Some("two".into()))
        );
        LineFile::open(&path).unwrap().append("three\n").unwrap();
        assert_eq!(lines(&path), ["one", "two", "three"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
    }

    #[test]
    fn the_last_line_of_a_long_file_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        let mut file = LineFile::open(&path).unwrap();
        for number in 0..3000 {
            file.append(&format!("line {number}\n")).unwrap();
        }
        assert_eq!(last(&path).unwrap(), Some("line 2999".into()));
        assert_eq!(lines(&path).len(), 3000);
    }
}
