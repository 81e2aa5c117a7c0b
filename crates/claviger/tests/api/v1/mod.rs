mod api_key;
mod application_key;
mod org;
mod validate;
