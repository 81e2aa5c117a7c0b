//! The server as a program: what it was told, what it opens and in which order, and how it stops.
//!
//! - [`settings`]: the command line, the environment and the configuration file, checked before anything opens.
//! - [`start`]: everything is opened, used, and let go of again, in order.
//! - [`data_dir`], [`kek`], [`bootstrap`]: what a server keeps outside its database.
//! - [`ledger`], [`checkpoints`], [`dead_list`]: the record, and what is kept about it outside the database.
//! - [`backup`]: everything in one file, and back.
//! - [`data_dir`], [`kek`], [`certificate`], [`bootstrap`]: what a server keeps outside its database.
//! - [`app`]: every dialect's routes over one engine. [`server`]: HTTP, from the first request to the last.
//! - [`control`]: commands to a server that runs, and to a database where none does. [`import`], [`org`] and [`password`] are
//!   some of them.
//! - [`people`]: commands that are a server's clients.
//! - `webhooks`: telling others of events, while the server runs.
//!
//! What a server does with a request is the engine's matter, and how it looks on the wire the dialects'.

pub mod app;
pub mod backup;
pub mod bootstrap;
pub mod certificate;
pub mod checkpoints;
pub mod control;
pub mod data_dir;
pub mod dead_list;
pub mod error;
pub mod import;
pub mod kek;
pub mod ledger;
mod line_file;
pub mod logging;
mod open_files;
mod openapi;
pub mod org;
mod outwards;
pub mod password;
pub mod people;
mod private_file;
pub mod server;
pub mod settings;
pub mod signal;
pub mod start;
mod strict_json;
pub mod terminal;
