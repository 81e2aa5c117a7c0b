mod app_key_registrations;
