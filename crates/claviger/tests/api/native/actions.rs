//! `/claviger/v1/actions/…`

mod http;
