mod api_keys;
mod current_user_application_keys;
