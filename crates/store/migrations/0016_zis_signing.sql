-- By what ZIS integrations sign their calls: the public key, in PEM. Both are null in those that are older or were imported,
-- until a key is first needed.
ALTER TABLE zis_integrations ADD COLUMN jwt_public_key TEXT;
-- The private key, sealed for this row.
ALTER TABLE zis_integrations ADD COLUMN signing_key BYTEA;
