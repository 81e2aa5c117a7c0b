//! Keeping profiles. Secrets come from a file or from standard input, never from the command line, where other users
//! of the machine and the shell's history would see them.

use std::io::{self, IsTerminal, Read, Write};

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::CliError;
use crate::args::{Call, LoginArgs, ProfileCommand};
use crate::client::Client;
use crate::output::{Column, Output, text};
use crate::profile::{DEFAULT, Profile, Profiles};

/// More than any secrets take.
const INPUT_BYTES_MAX: u64 = 64 * 1024;

/// What a first start puts into its file, as far as it is needed here; or what somebody wrote in that form.
#[derive(Deserialize)]
struct Document {
    url: Option<String>,
    api_key: Option<String>,
    application_key: Option<String>,
    token: Option<String>,
}

/// Reads who somebody is, tries it, and keeps it.
pub(crate) async fn login(arguments: &LoginArgs) -> Result<(), CliError> {
    let text = match &arguments.bootstrap {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            Zeroizing::new(text.map_err(|source| CliError::Read { path: path.clone(), source })?)
        }
        None => typed()?,
    };
    let mut profile = parse(&text)?;
    if let Some(url) = &arguments.url {
        profile.url.clone_from(url);
    }
    if profile.url.is_empty() {
        return Err(CliError::Usage("the server's address is missing: claviger login https://…".into()));
    }
    profile.ca = arguments.ca.as_ref().map(std::path::absolute).transpose().map_err(CliError::Output)?;
    // Whatever may be done with it, only somebody may do it.
    Client::new(&profile)?.get("/verify").await?;
    let file = arguments.call.file()?;
    let mut profiles = Profiles::read(&file)?;
    let name = arguments.call.as_whom.as_deref().unwrap_or(DEFAULT);
    profiles.all.insert(name.to_owned(), profile);
    profiles.write()?;
    Output::new(arguments.call.json).done(&format!("profile {name} is kept in {}", file.display()))
}

fn typed() -> Result<Zeroizing<String>, CliError> {
    if io::stdin().is_terminal() {
        let prompt = "API key and application key on a line each, or a token alone; then Ctrl-D:";
        let _ = writeln!(io::stderr(), "{prompt}");
    }
    let mut text = Zeroizing::new(String::new());
    let read = io::stdin().take(INPUT_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|source| CliError::Read { path: "standard input".into(), source })?;
    Ok(text)
}

fn parse(text: &str) -> Result<Profile, CliError> {
    let unknown = || {
        CliError::Usage(
            "no secrets are to be found in what was given: an API key and an application key on a line each, or a \
             token alone, or a file as a first start makes it"
                .into(),
        )
    };
    let mut profile = Profile::default();
    if text.trim_start().starts_with('{') {
        let document: Document = serde_json::from_str(text).map_err(|_| unknown())?;
        profile.url = document.url.unwrap_or_default();
        profile.api_key = document.api_key;
        profile.application_key = document.application_key;
        profile.token = document.token;
    } else {
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match lines.as_slice() {
            [token] => profile.token = Some((*token).to_owned()),
            [api_key, application_key] => {
                profile.api_key = Some((*api_key).to_owned());
                profile.application_key = Some((*application_key).to_owned());
            }
            _ => return Err(unknown()),
        }
    }
    let is_whole =
        profile.token.is_some() || (profile.api_key.is_some() && profile.application_key.is_some());
    if is_whole { Ok(profile) } else { Err(unknown()) }
}

/// Lists or removes what was kept.
pub(crate) fn profiles(call: &Call, command: &ProfileCommand) -> Result<(), CliError> {
    const COLUMNS: &[Column] = &[
        ("NAME", |item| text(item, "/name")),
        ("URL", |item| text(item, "/url")),
        ("WITH", |item| text(item, "/with")),
    ];
    let (file, output) = (call.file()?, Output::new(call.json));
    let mut profiles = Profiles::read(&file)?;
    match command {
        ProfileCommand::List => {
            let shown = |(name, profile): (&String, &Profile)| {
                let with = if profile.token.is_some() { "token" } else { "keys" };
                json!({ "name": name, "url": profile.url, "with": with })
            };
            let items: Vec<_> = profiles.all.iter().map(shown).collect();
            output.list(&items, COLUMNS)
        }
        ProfileCommand::Remove { name } => {
            if profiles.all.remove(name).is_none() {
                return Err(CliError::Absent(format!("profile {name}")));
            }
            profiles.write()?;
            output.done(&format!("profile {name} is forgotten"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_as_lines_or_as_a_document() {
        let keys = |text: &str| {
            parse(text).ok().map(|it| (it.api_key.clone(), it.application_key.clone(), it.token.clone()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(keys("a\nb\n"), Some((some("a"), some("b"), None)));
        assert_eq!(keys("\n t \n"), Some((None, None, some("t"))));
        let document = r#"{"url":"http://x","api_key":"a","application_key":"b","org_id":"1"}"#;
        assert_eq!(keys(document), Some((some("a"), some("b"), None)));
        for text in ["", "a\nb\nc", "{}", r#"{"api_key":"a"}"#, "{hunter2"] {
            let error = parse(text).err().unwrap().to_string();
            assert!(!error.contains("hunter2"));
        }
    }
}
