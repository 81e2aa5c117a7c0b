-- Which private places calls through an org's connections may reach.
ALTER TABLE orgs ADD COLUMN private_reach TEXT NOT NULL DEFAULT '';
