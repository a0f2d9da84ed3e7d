-- migrate:up
-- What follows outside from a change: written with it, gone when its job is done. kind: 0 ticket_paid, 1 hold_expired,
-- 2 event_changed. AUTOINCREMENT: whoever says twice that a job is done must not take a later one of the same number away.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    tickets  TEXT    NOT NULL,                              -- their ids, with commas between
    made_at  INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,                              -- taken by nobody before
    tries    INTEGER NOT NULL DEFAULT 0,
    dead_at  INTEGER,
    why      TEXT                                           -- the last try failed
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE dead_at IS NULL;
CREATE INDEX outbox_failed ON outbox (due_at) WHERE dead_at IS NULL AND why IS NOT NULL;
CREATE INDEX outbox_dead ON outbox (dead_at) WHERE dead_at IS NOT NULL;

-- Messages that were sent, or whose sender has its turn until a time: none goes out twice.
CREATE TABLE mails (
    key     TEXT    PRIMARY KEY,
    until   INTEGER NOT NULL,
    sent_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX mails_by_age ON mails (ifnull(sent_at, until));

-- migrate:down
DROP TABLE mails;
DROP TABLE outbox;
