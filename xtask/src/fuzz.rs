//! Fuzzing with libFuzzer, on the stable compiler: it can count branches as LLVM's fuzzer wants them counted; only the
//! address sanitizer needs a nightly one, and there is no unsafe code to find with it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;
use crate::process::{ask, at_root, cargo, root, run as run_command, tail};

/// The package of the targets, a workspace of its own.
pub(crate) const MANIFEST: &str = "fuzz/Cargo.toml";

/// What can be fuzzed.
const TARGETS: [&str; 2] = ["connections", "zis"];

/// Where what the targets check stands, a folder for each.
const CHECKS: &str = "crates/catalog/tests/fuzzed";

/// Read by the targets: where they write their seeds and their dictionary.
const SEEDS_VARIABLE: &str = "CLAVIGER_FUZZ_SEEDS";

/// What LLVM adds to the code: a counter at every edge, the operands of comparisons, the depth of the stack.
const COVERAGE: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
    "--cfg=fuzzing",
];

/// What a person may choose.
struct Options<'o> {
    target: &'o str,
    seconds: u32,
    seed: u32,
}

/// `TARGET [--seconds N] [--seed N]`
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let options = parse(words)?;
    if !TARGETS.contains(&options.target) {
        return Err(format!("the fuzz targets are: {}", TARGETS.join(", ")).into());
    }
    // Findings become tests there.
    let regressions = root().join(CHECKS).join(options.target).join("regressions");
    let host = ask(at_root("rustc").arg("-vV"))?.ok_or("rustc does not answer")?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    let folder = root().join("target/fuzz");
    // With a target named, build scripts and macros are compiled without counters.
    run_command(
        cargo()
            .args(["build", "--quiet", "--release", "--locked", "--manifest-path", MANIFEST])
            .args(["--bin", options.target, "--target", host, "--target-dir"])
            .arg(&folder)
            .env("RUSTFLAGS", COVERAGE.join(" ")),
    )?;
    fuzz(&options, &folder.join(host).join("release").join(options.target), &folder, &regressions)
}

fn parse<'o>(words: &[&'o str]) -> Result<Options<'o>> {
    let (target, mut rest) =
        words.split_first().ok_or_else(|| format!("name a fuzz target: {}", TARGETS.join(" or ")))?;
    let mut options = Options { target, seconds: 60, seed: 1 };
    while let [name, value, after @ ..] = rest {
        let number = value.parse().map_err(|_| format!("{name} wants a number"))?;
        match *name {
            "--seconds" => options.seconds = number,
            "--seed" => options.seed = number,
            _ => return Err(format!("fuzz has no option {name}").into()),
        }
        rest = after;
    }
    if rest.is_empty() { Ok(options) } else { Err(format!("{} wants a number", rest[0]).into()) }
}

/// One run, from the seeds and the findings of old, so that a seed means the same run each time.
fn fuzz(options: &Options<'_>, program: &Path, folder: &Path, regressions: &Path) -> Result<()> {
    let Options { target, seconds, seed } = options;
    let [corpus, seeds, findings] =
        ["corpus", "seeds", "findings"].map(|name| folder.join(name).join(target));
    for folder in [&corpus, &seeds] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    [&corpus, &seeds, &findings].into_iter().try_for_each(fs::create_dir_all)?;
    let log = folder.join(format!("{target}.log"));
    println!("fuzzing {target} for {seconds} s with seed {seed}; log: {}", log.display());
    let output = File::create(&log)?;
    let status = Command::new(program)
        .args([format!("-max_total_time={seconds}"), format!("-seed={seed}")])
        .args(["-print_final_stats=1", "-max_len=4096", "-timeout=10", "-rss_limit_mb=1024"])
        .arg(format!("-dict={}", seeds.join("dictionary").display()))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .args([&corpus, &seeds, regressions])
        .env(SEEDS_VARIABLE, &seeds)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    // A secret in the log would be a made-up one; the fuzzer quotes what it tries.
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let told = |line: &&str| line.contains("INITED") || line.contains("DONE") || line.starts_with("stat::");
    text.lines().filter(told).for_each(|line| println!("  {line}"));
    if status.success() {
        return Ok(());
    }
    Err(format!(
        "{}\n\nfuzzing {target} with seed {seed} has found something. The input is in {}; put it into {}, under a name \
         that says what it shows, and `cargo test` has it.",
        tail(&log),
        findings.display(),
        regressions.display(),
    )
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_numbers_with_names() {
        let read = |words: &[&str]| parse(words).map(|options| (options.seconds, options.seed)).ok();
        assert_eq!(read(&["connections"]), Some((60, 1)));
        assert_eq!(read(&["connections", "--seed", "7", "--seconds", "3600"]), Some((3600, 7)));
        for words in [
            &[][..],
            &["connections", "--seed"],
            &["connections", "--seed", "x"],
            &["connections", "-q", "1"],
        ] {
            assert_eq!(read(words), None, "{words:?}");
        }
    }
}
