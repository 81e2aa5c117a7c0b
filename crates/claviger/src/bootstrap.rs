//! The first start: an org, its admin, and the admin's keys, put where the operator finds them.
//!
//! The keys reach the disk before they count. A crash in between leaves a file that says nothing yet, and the
//! next start finishes or replaces it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use claviger_engine::{Engine, Error, FirstOrg, Founded};
use claviger_model::OrgId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::StartError;
use crate::private_file;
use crate::terminal::Terminal;

/// What a first start is to make, and where it puts the keys.
#[derive(Debug, Clone, Copy)]
pub struct FirstStart<'a> {
    /// The org and its admin.
    pub first: &'a FirstOrg,
    /// Where the server answers.
    pub address: SocketAddr,
    /// Whether it answers over TLS.
    pub is_tls: bool,
    /// Where the keys are put.
    pub file: &'a Path,
    /// Whether they are put there at all.
    pub is_file_wanted: bool,
}

impl FirstStart<'_> {
    /// Makes the first org where there is none, and says so; else finishes what a crash may have left, and
    /// shows no secret.
    ///
    /// # Errors
    /// When there is no place for the keys, or they or the org cannot be written.
    pub async fn run(&self, engine: &Engine, terminal: &mut Terminal<'_>) -> Result<(), StartError> {
        if engine.is_founded().await.map_err(StartError::FirstStart)? {
            self.finish(engine).await?;
            self.remind();
            Ok(())
        } else if self.is_file_wanted {
            self.found_with_file(engine, terminal).await
        } else {
            self.found_on_terminal(engine, terminal).await
        }
    }

    async fn found_with_file(&self, engine: &Engine, terminal: &mut Terminal<'_>) -> Result<(), StartError> {
        if self.file.exists() {
            return Err(StartError::BootstrapOfAnother { path: self.file.to_owned() });
        }
        let draft = engine.draft_org(self.first).map_err(StartError::FirstStart)?;
        let url = url(self.address, self.is_tls);
        let contents = contents(draft.founded(), &url);
        private_file::write_unfinished(self.file, &contents).map_err(|error| self.write_error(error))?;
        let founded = engine.found_org(draft).await.map_err(StartError::FirstStart)?;
        private_file::finish(self.file).map_err(|error| self.write_error(error))?;
        let text = if terminal.is_watched() {
            Zeroizing::new(Announcement { url: &url, founded: &founded, file: Some(self.file) }.to_string())
        } else {
            Zeroizing::new(format!("{}\n", self.file.display()))
        };
        if let Err(error) = terminal.write(&text) {
            // The keys are in the file all the same.
            tracing::warn!(%error, "the first keys could not be shown");
        }
        tracing::info!(path = %self.file.display(), org = %founded.org, "the first org was made; its keys are in this file");
        Ok(())
    }

    /// Here the terminal is the only place for the keys, so they are shown before they count.
    async fn found_on_terminal(
        &self,
        engine: &Engine,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), StartError> {
        if !terminal.is_watched() {
            return Err(StartError::NoPlaceForSecrets);
        }
        let draft = engine.draft_org(self.first).map_err(StartError::FirstStart)?;
        let url = url(self.address, self.is_tls);
        let announcement = Announcement { url: &url, founded: draft.founded(), file: None };
        terminal.write(&Zeroizing::new(announcement.to_string())).map_err(StartError::Show)?;
        let founded = engine.found_org(draft).await.map_err(StartError::FirstStart)?;
        tracing::info!(org = %founded.org, "the first org was made");
        Ok(())
    }

    /// Gives the file its name where a crash kept it from getting it.
    async fn finish(&self, engine: &Engine) -> Result<(), StartError> {
        let unfinished = private_file::unfinished(self.file);
        let read = private_file::read(&unfinished)
            .map_err(|source| StartError::Read { path: unfinished.clone(), source })?;
        let Some(contents) = read else { return Ok(()) };
        if is_of(&contents.text, engine).await? {
            return private_file::finish(self.file).map_err(|error| self.write_error(error));
        }
        tracing::warn!(path = %unfinished.display(), "this file holds keys that no org of this database has: delete it");
        Ok(())
    }

    fn remind(&self) {
        if self.file.exists() {
            tracing::warn!(
                path = %self.file.display(),
                "this file holds the first keys in clear: store them safely, then delete it"
            );
        }
    }

    fn write_error(&self, source: std::io::Error) -> StartError {
        StartError::Write { path: self.file.to_owned(), source }
    }
}

/// Whether a bootstrap file's org is there.
async fn is_of(text: &str, engine: &Engine) -> Result<bool, StartError> {
    #[derive(Deserialize)]
    struct Named {
        org_id: String,
    }
    let named = serde_json::from_str::<Named>(text).ok();
    let Some(org) = named.and_then(|named| named.org_id.parse::<OrgId>().ok()) else { return Ok(false) };
    match engine.org(org).await {
        Ok(_) => Ok(true),
        Err(Error::Absent(_)) => Ok(false),
        Err(error) => Err(StartError::FirstStart(error)),
    }
}

/// What the file holds.
fn contents(founded: &Founded, url: &str) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct File<'a> {
        url: &'a str,
        org_id: String,
        user_id: String,
        email: &'a str,
        api_key: &'a str,
        application_key: &'a str,
        application_key_id: String,
    }
    let file = File {
        url,
        org_id: founded.org.to_string(),
        user_id: founded.user.to_string(),
        email: founded.email.as_str(),
        api_key: founded.api_key.reveal(),
        application_key: founded.application_key.reveal(),
        application_key_id: founded.application_key_id.to_string(),
    };
    let mut contents = Zeroizing::new(serde_json::to_vec_pretty(&file).expect("texts alone are always JSON"));
    contents.push(b'\n');
    contents
}

/// What the operator reads once.
struct Announcement<'a> {
    url: &'a str,
    founded: &'a Founded,
    file: Option<&'a Path>,
}

impl fmt::Display for Announcement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, founded, file } = self;
        let (api_key, application_key) = (founded.api_key.reveal(), founded.application_key.reveal());
        writeln!(f, "An org was made for {}. These are its first keys:\n", founded.email)?;
        writeln!(f, "  address          {url}")?;
        writeln!(f, "  API key          {api_key}")?;
        writeln!(f, "  application key  {application_key}\n")?;
        match file {
            Some(file) => {
                writeln!(f, "They are shown this once, and are in {}:", file.display())?;
                writeln!(f, "store them safely, then delete that file.\n")?;
            }
            None => writeln!(f, "They are shown this once, and kept nowhere else: store them safely.\n")?,
        }
        writeln!(f, "While the server runs, this lists the org's API keys:\n")?;
        writeln!(
            f,
            "  curl -sS -H \"DD-API-KEY: {api_key}\" -H \"DD-APPLICATION-KEY: {application_key}\" {url}/api/v2/api_keys\n"
        )
    }
}

/// Where somebody on this machine reaches the server.
fn url(listen: SocketAddr, is_tls: bool) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_can_be_called() {
        let check = |listen: &str, expected: &str| assert_eq!(url(listen.parse().unwrap(), false), expected);
        check("127.0.0.1:7070", "http://127.0.0.1:7070");
        check("0.0.0.0:80", "http://127.0.0.1:80");
        check("[::]:7070", "http://[::1]:7070");
        check("192.0.2.7:7070", "http://192.0.2.7:7070");
        assert_eq!(url(([127, 0, 0, 1], 7070).into(), true), "https://127.0.0.1:7070");
    }
}
