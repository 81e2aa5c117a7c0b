-- What was called through connections: one row for some of the calls of one connection, in the order in which they ended.
-- Apart from the ledger, without any secret, and kept for a while only. A row for each call would cost more than the call.
CREATE TABLE connection_calls (
    connection_id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    -- Tells apart what ends in the same microsecond.
    id TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    -- A JSON array for each call, a line each.
    lines TEXT NOT NULL,
    PRIMARY KEY (connection_id, last_at, id)
);
CREATE INDEX connection_calls_by_end ON connection_calls (last_at);
