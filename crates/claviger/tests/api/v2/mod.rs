mod api_keys;
mod api_keys_search;
mod current_user;
mod current_user_application_keys;
mod permissions;
mod roles;
mod user_invitations;
mod users;
