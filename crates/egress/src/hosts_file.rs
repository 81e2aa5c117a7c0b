//! The operator's own list of names, `/etc/hosts` (hosts(5)).
//!
//! The system's resolver reads it too, but not for a name that ends with a dot, which is how names are looked up here.

use std::io::{self, ErrorKind, Read};
use std::net::IpAddr;
use std::path::Path;

/// Where it is.
pub(crate) const PATH: &str = "/etc/hosts";
/// What is read of it: more than lists of many thousand names have.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The addresses that the file has for a name, in its order; none where it does not name it, or is not there.
///
/// # Errors
/// When it is there and cannot be read: what it may say of the name would not count.
pub(crate) fn addresses(path: &Path, name: &str) -> io::Result<Vec<IpAddr>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text)?;
    Ok(find(&String::from_utf8_lossy(&text), name))
}

fn find(text: &str, name: &str) -> Vec<IpAddr> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let named = lines.filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        // One of a zone is for this machine's own use, and is no address of anybody's.
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.strip_suffix('.').unwrap_or(word).eq_ignore_ascii_case(name)).then_some(address)
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "127.0.0.1 localhost\n# 10.0.0.9 git.house\n10.0.0.1\tgit.house git # git.example\n\
        fd00::1 GIT.House.\nfe80::1%lo git.house\nnone git.house\n\n10.0.0.2 other.git.house git.house.example";

    #[test]
    fn a_name_has_the_addresses_of_every_line_that_names_it() {
        let expected: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()];
        assert_eq!(find(TEXT, "git.house"), expected);
        assert_eq!(find(TEXT, "git"), expected[..1]);
        for nobody in ["git.example", "house", "10.0.0.1", ""] {
            assert_eq!(find(TEXT, nobody), [] as [IpAddr; 0], "{nobody}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_names_nobody() {
        assert_eq!(addresses(Path::new("/nonexistent/hosts"), "git.house").unwrap(), [] as [IpAddr; 0]);
        assert!(addresses(Path::new("/"), "git.house").is_err());
    }
}
