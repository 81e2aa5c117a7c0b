//! What was typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use crate::CliError;

/// What people do with a running server.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Keep the address of a server and who you are there, in a file that is yours alone
    Login(LoginArgs),
    /// List or remove what `login` kept
    Profile {
        /// Which file.
        #[command(flatten)]
        call: Call,
        /// What to do.
        #[command(subcommand)]
        command: ProfileCommand,
    },
    /// API keys and application keys
    Key {
        /// Which server.
        #[command(flatten)]
        call: Call,
        /// What to do.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// People and service accounts
    User {
        /// Which server.
        #[command(flatten)]
        call: Call,
        /// What to do.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Roles and what they allow
    Role {
        /// Which server.
        #[command(flatten)]
        call: Call,
        /// What to do.
        #[command(subcommand)]
        command: RoleCommand,
    },
    /// Personal and service access tokens
    Token {
        /// Which server.
        #[command(flatten)]
        call: Call,
        /// What to do.
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Write a script that completes this program's commands in a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Which server, who asks, and how the answer looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Call {
    /// The file of profiles [default: claviger/profiles.toml in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE", env = "CLAVIGER_PROFILE", global = true)]
    pub profile: Option<PathBuf>,
    /// The name of the profile [default: `default`, or the only one]
    #[arg(long = "as", value_name = "NAME", env = "CLAVIGER_AS", global = true)]
    pub as_whom: Option<String>,
    /// Show JSON in place of a table
    #[arg(long, global = true)]
    pub json: bool,
}

impl Call {
    /// The file of profiles.
    pub(crate) fn file(&self) -> Result<PathBuf, CliError> {
        if let Some(file) = &self.profile {
            return Ok(file.clone());
        }
        let under = |variable, below: &str| {
            let home = std::env::var_os(variable).filter(|home| !home.is_empty())?;
            Some(PathBuf::from(home).join(below))
        };
        let config = under("XDG_CONFIG_HOME", "").or_else(|| under("HOME", ".config"));
        Ok(config.ok_or(CliError::NoHome)?.join("claviger/profiles.toml"))
    }
}

/// Who calls which server.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct LoginArgs {
    /// The server's address, as https://keys.example.com; may be left out with --bootstrap
    pub url: Option<String>,
    /// Take address and keys from the file that a first start made
    #[arg(long, value_name = "FILE")]
    pub bootstrap: Option<PathBuf>,
    /// Trust these certificates of authorities, in PEM form, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Which file and name.
    #[command(flatten)]
    pub call: Call,
}

/// What can be done with profiles.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ProfileCommand {
    /// Show their names and addresses
    List,
    /// Forget one
    Remove {
        /// Its name
        name: String,
    },
}

/// What can be done with keys.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum KeyCommand {
    /// API keys: they say which org a request is for
    #[command(subcommand)]
    Api(ApiKeyCommand),
    /// Application keys: they say who a request is from
    #[command(subcommand)]
    App(AppKeyCommand),
    /// Let an application key manage connections, as far as its owner may
    Register {
        /// Its id
        id: String,
    },
    /// Let it manage connections no more
    Unregister {
        /// Its id
        id: String,
    },
}

/// What can be done with API keys.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ApiKeyCommand {
    /// List them
    List(ListArgs),
    /// Make one, and print its secret
    Create {
        /// Its name
        name: String,
    },
    /// Show one, without its secret
    Show {
        /// Its id
        id: String,
    },
    /// Give one another name
    Rename {
        /// Its id
        id: String,
        /// The name
        name: String,
    },
    /// Give one a new secret, and print it
    Rotate(RotateArgs),
    /// Kill one for good
    Revoke {
        /// Its id
        id: String,
    },
}

/// What can be done with application keys.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum AppKeyCommand {
    /// List your own
    List {
        /// List everybody's
        #[arg(long)]
        all: bool,
        /// Which.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Make one of your own, and print its secret
    Create {
        /// Its name
        name: String,
        /// A permission that it is narrowed to; may be given again
        #[arg(long = "scope", value_name = "PERMISSION")]
        scopes: Vec<String>,
        /// Make it a service account's
        #[arg(long, value_name = "ID")]
        service_account: Option<String>,
    },
    /// Show one, without its secret
    Show {
        /// Its id
        id: String,
    },
    /// Give one another name
    Rename {
        /// Its id
        id: String,
        /// The name
        name: String,
    },
    /// Narrow one to these permissions, and no other
    Scope {
        /// Its id
        id: String,
        /// The permissions; none for all that its owner may do
        scopes: Vec<String>,
    },
    /// Give one a new secret, and print it
    Rotate(RotateArgs),
    /// Kill one for good
    Revoke {
        /// Its id
        id: String,
    },
}

/// What gets a new secret.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RotateArgs {
    /// Its id
    pub id: String,
    /// For how long the old secret goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub grace: u32,
}

/// What of a list is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ListArgs {
    /// Only those with this text in them
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

/// What can be done with users.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// List them
    List(ListArgs),
    /// Make one
    Create {
        /// The e-mail address
        #[arg(value_name = "EMAIL")]
        address: String,
        /// The name
        #[arg(long)]
        name: Option<String>,
        /// A role's id or name; may be given again
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Make it a machine's account
        #[arg(long)]
        service_account: bool,
    },
    /// Show one with its roles
    Show {
        /// The user's id
        id: String,
    },
    /// Give one another name
    Rename {
        /// The user's id
        id: String,
        /// The name
        name: String,
    },
    /// Give a person an application key, and show its secret once
    GiveKey {
        /// The user's id
        id: String,
        /// The key's name
        name: String,
        /// What it is narrowed to; may be given again
        #[arg(long = "scope", value_name = "PERMISSION")]
        scopes: Vec<String>,
    },
    /// Disable one: its application keys and tokens die for good
    Disable {
        /// The user's id
        id: String,
    },
    /// Let a disabled one in again, without its former keys
    Enable {
        /// The user's id
        id: String,
    },
    /// Set the password by which an admin signs in, on the server's own machine
    Password(PasswordArgs),
}

/// Whose password, and whether there is to be one. It is read from the terminal, or from standard input.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct PasswordArgs {
    /// The person's e-mail address
    #[arg(value_name = "EMAIL")]
    pub address: String,
    /// The person's org, by its id or subdomain, where several have somebody of that address
    #[arg(long = "in", value_name = "ORG")]
    pub inside: Option<String>,
    /// Take the password away
    #[arg(long)]
    pub remove: bool,
}

/// What can be done with roles.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum RoleCommand {
    /// List them
    List(ListArgs),
    /// Make one
    Create {
        /// Its name
        name: String,
        /// A permission that it gives, beside those that every role has; may be given again
        #[arg(long = "permission", value_name = "PERMISSION")]
        permissions: Vec<String>,
    },
    /// Show one with its permissions
    Show {
        /// Its id or name
        role: String,
    },
    /// Give one another name
    Rename {
        /// Its id or name
        role: String,
        /// The name
        name: String,
    },
    /// Delete one
    Delete {
        /// Its id or name
        role: String,
    },
    /// Give a role a permission
    Allow {
        /// The role's id or name
        role: String,
        /// The permission's name
        permission: String,
    },
    /// Take a permission from a role
    Deny {
        /// The role's id or name
        role: String,
        /// The permission's name
        permission: String,
    },
    /// Give a user a role
    Grant {
        /// The role's id or name
        role: String,
        /// The user's id
        user: String,
    },
    /// Take a role from a user
    Withdraw {
        /// The role's id or name
        role: String,
        /// The user's id
        user: String,
    },
    /// List all permissions that there are
    Permissions,
}

/// What can be done with tokens.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum TokenCommand {
    /// List your own
    List {
        /// List those of a service account
        #[arg(long, value_name = "ID")]
        service_account: Option<String>,
        /// Which.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Make one, and print its secret
    Create {
        /// Its name
        name: String,
        /// A permission that it is narrowed to; may be given again
        #[arg(long = "scope", value_name = "PERMISSION", required = true)]
        scopes: Vec<String>,
        /// When it ends, as 2027-01-31T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// Make it a service account's
        #[arg(long, value_name = "ID")]
        service_account: Option<String>,
    },
    /// Show one, without its secret
    Show {
        /// Its id
        id: String,
        /// It is this service account's
        #[arg(long, value_name = "ID")]
        service_account: Option<String>,
    },
    /// Give one another name
    Rename {
        /// Its id
        id: String,
        /// The name
        name: String,
        /// It is this service account's
        #[arg(long, value_name = "ID")]
        service_account: Option<String>,
    },
    /// Give one a new secret, and print it
    Rotate(RotateArgs),
    /// Kill one for good
    Revoke {
        /// Its id
        id: String,
        /// It is this service account's
        #[arg(long, value_name = "ID")]
        service_account: Option<String>,
    },
}
