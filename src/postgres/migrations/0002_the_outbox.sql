-- migrate:up
-- What follows outside from a change: written with it, gone when its job is done. kind: 0 ticket_paid, 1 hold_expired, 2 event_changed
CREATE TABLE outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     smallint NOT NULL,
    event_id bigint NOT NULL,
    tickets  bigint[] NOT NULL,
    made_at  timestamptz NOT NULL,
    due_at   timestamptz NOT NULL,                          -- taken by nobody before
    tries    integer NOT NULL DEFAULT 0,
    dead_at  timestamptz,
    why      text                                           -- the last try failed
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (dead_at) WHERE dead_at IS NOT NULL;

-- Messages that were sent, or whose sender has its turn until a time: none goes out twice.
CREATE TABLE mails (
    key     text PRIMARY KEY,
    until   timestamptz NOT NULL,
    sent_at timestamptz
);
CREATE INDEX mails_by_age ON mails (until);

-- migrate:down
DROP TABLE mails;
DROP TABLE outbox;
