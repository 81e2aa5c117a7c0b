//! The Go that runs the suite in Go: the machine's own where it is new enough, else one from the module proxy.
//!
//! Debian's may be older than what the client asks for, and too old to fetch a newer one by itself. A toolchain is
//! a module like any other, though, so that even an old Go downloads it, and checks it against the checksum
//! database.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process::{ask, root};
use crate::{Result, conformance};

/// Pinned, since builds should not break by themselves.
const TOOLCHAIN_VERSION: &str = "1.26.8";

/// The Go to use.
pub(crate) fn program() -> Result<PathBuf> {
    let downloaded = folder()?.join("bin/go");
    if is_new_enough()? {
        Ok(PathBuf::from("go"))
    } else if downloaded.exists() {
        Ok(downloaded)
    } else {
        Err("Go is missing or too old; `cargo xtask setup` installs it".into())
    }
}

/// `command` of [`program`], in the suite's folder, with what keeps it from needing anything else: neither a C
/// compiler, nor yet another toolchain.
pub(crate) fn prepared(command: &mut Command) -> &mut Command {
    command.current_dir(root().join(conformance::GO)).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local")
}

/// Downloads a toolchain, unless there is one that serves.
pub(crate) fn install() -> Result<()> {
    if program().is_ok() {
        return Ok(());
    }
    println!("setup: downloading Go {TOOLCHAIN_VERSION}");
    let platform = match std::env::consts::ARCH {
        "x86_64" => "linux-amd64",
        "aarch64" => "linux-arm64",
        other => return Err(format!("please install Go {TOOLCHAIN_VERSION}: unknown machine {other}").into()),
    };
    let module = format!("golang.org/toolchain@v0.0.1-go{TOOLCHAIN_VERSION}.{platform}");
    // Away from the suite's own module, whose list of modules the toolchain is no part of.
    let elsewhere = tempfile::tempdir()?;
    let mut download = Command::new("go");
    download.args(["mod", "download", "-json", &module]).current_dir(elsewhere.path());
    let answer = ask(&mut download)?.ok_or_else(|| format!("go mod download {module} failed"))?;
    let answer: Value = serde_json::from_str(&answer)?;
    let module_folder = answer["Dir"].as_str().ok_or("go mod download told no folder")?;
    let partial = folder()?.with_extension("partial");
    remove(&partial)?;
    copy(Path::new(module_folder), &partial)?;
    remove(&folder()?)?;
    fs::rename(&partial, folder()?)?;
    Ok(())
}

fn folder() -> Result<PathBuf> {
    Ok(conformance::folder()?.join("go-toolchain"))
}

fn is_new_enough() -> Result<bool> {
    let needed = fs::read_to_string(root().join(conformance::GO).join("go.mod"))?;
    let needed = needed.lines().find_map(|line| line.strip_prefix("go ")).ok_or("go.mod names no version")?;
    // As `go version go1.26.8 linux/amd64`.
    let found = ask(Command::new("go").arg("version").env("GOTOOLCHAIN", "local"))?;
    let found = found.as_deref().and_then(|text| text.split_whitespace().nth(2)?.strip_prefix("go"));
    Ok(found.is_some_and(|found| version(found) >= version(needed)))
}

/// The first two numbers, which is where Go breaks things: 1.26.8 and 1.26rc1 are both 1.26.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Copies a folder. A module's files come read-only and not executable; here they may be removed, and run.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(version("1.9") < version("1.22") && version("1.22") <= version("1.22.12"));
        assert_eq!(version("1.26rc1"), version("1.26.8"));
        assert_eq!(version("devel"), None);
    }

    #[test]
    fn a_copy_may_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("bin")).unwrap();
        fs::write(from.join("bin/go"), "#!/bin/sh\necho ran").unwrap();
        fs::set_permissions(from.join("bin/go"), fs::Permissions::from_mode(0o444)).unwrap();
        copy(&from, &to).unwrap();
        // Not by running it: a process that another test begins just now may still hold the copy open for writing.
        let copied = to.join("bin/go");
        assert_eq!(fs::read_to_string(&copied).unwrap(), "#!/bin/sh\necho ran");
        assert_eq!(fs::metadata(&copied).unwrap().permissions().mode() & 0o777, 0o755);
    }
}
