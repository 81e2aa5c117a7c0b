mod api_keys;
mod api_keys_search;
mod current_user_application_keys;
mod personal_access_tokens;
mod service_accounts;
