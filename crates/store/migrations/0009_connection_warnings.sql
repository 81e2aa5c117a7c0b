-- Of which end of a connection was warned, and how long before.
CREATE TABLE connection_expiry_warnings (
    connection_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    within_seconds BIGINT NOT NULL,
    PRIMARY KEY (connection_id, expires_at, within_seconds)
);
CREATE INDEX connection_expiry_warnings_by_age ON connection_expiry_warnings (expires_at);
