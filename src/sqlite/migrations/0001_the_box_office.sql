-- migrate:up
-- Times are microseconds since 1970 in UTC. Ids count up and are never used again.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_folded  TEXT    NOT NULL,                         -- as compared: without regard to case
    name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    password_hash TEXT    NOT NULL,
    latitude      REAL    CHECK (latitude BETWEEN -90 AND 90),
    longitude     REAL    CHECK (longitude BETWEEN -180 AND 180),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT;
CREATE UNIQUE INDEX users_by_email ON users (email_folded);

-- What is on. A removed event keeps its row, for the tickets that once were held for it, and shows nowhere.
CREATE TABLE events (
    id            INTEGER PRIMARY KEY,
    organizer_id  INTEGER NOT NULL REFERENCES users (id),
    start_time    INTEGER NOT NULL,
    end_time      INTEGER NOT NULL,
    latitude      REAL    NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude     REAL    NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    removed_at    INTEGER,
    timezone      TEXT    NOT NULL,
    title         TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    venue_address TEXT    NOT NULL CHECK (length(venue_address) BETWEEN 1 AND 500),
    description   TEXT    NOT NULL CHECK (length(description) <= 5000),
    CHECK (start_time < end_time)
) STRICT;
CREATE INDEX events_by_start ON events (start_time, id) WHERE removed_at IS NULL;
CREATE INDEX events_by_organizer ON events (organizer_id, start_time, id) WHERE removed_at IS NULL;

-- What is scarce, apart from the texts: a sale rewrites these few bytes only.
CREATE TABLE inventory (
    event_id INTEGER PRIMARY KEY REFERENCES events (id),
    total    INTEGER NOT NULL CHECK (total BETWEEN 1 AND 1000000000),
    sold     INTEGER NOT NULL DEFAULT 0,                    -- paid tickets and holds
    pace     REAL    NOT NULL DEFAULT 0,                    -- tickets a day lately, as of paced_at
    paced_at INTEGER NOT NULL DEFAULT 0,
    CHECK (sold BETWEEN 0 AND total)
) STRICT;

-- status: 0 reserved, 1 paid, 2 expired, 3 cancelled
CREATE TABLE tickets (
    id                INTEGER PRIMARY KEY,
    event_id          INTEGER NOT NULL REFERENCES events (id),
    user_id           INTEGER NOT NULL REFERENCES users (id),
    status            INTEGER NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 3),
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL CHECK (expires_at > created_at),
    paid_at           INTEGER,
    payment_reference TEXT,
    CHECK ((status = 1) = (paid_at IS NOT NULL)),
    CHECK ((status = 1) = (payment_reference IS NOT NULL))
) STRICT;
CREATE INDEX tickets_by_user ON tickets (user_id, id);
CREATE INDEX tickets_due ON tickets (expires_at) WHERE status = 0;
CREATE INDEX tickets_due_by_event ON tickets (event_id, expires_at) WHERE status = 0;
CREATE UNIQUE INDEX tickets_by_reference ON tickets (payment_reference) WHERE payment_reference IS NOT NULL;

-- The first answer to each Idempotency-Key, kept for a day.
CREATE TABLE kept_answers (
    user_id     INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    kept_at     INTEGER NOT NULL,
    bytes       BLOB    NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_answers_by_age ON kept_answers (kept_at);

CREATE VIRTUAL TABLE event_words USING fts5 (
    title, description, venue_address,
    content = 'events', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE event_terms USING fts5vocab ('event_words', 'row');

CREATE TRIGGER event_words_added AFTER INSERT ON events BEGIN
    INSERT INTO event_words (rowid, title, description, venue_address)
    VALUES (new.id, new.title, new.description, new.venue_address);
END;
CREATE TRIGGER event_words_changed AFTER UPDATE OF title, description, venue_address ON events BEGIN
    INSERT INTO event_words (event_words, rowid, title, description, venue_address)
    VALUES ('delete', old.id, old.title, old.description, old.venue_address);
    INSERT INTO event_words (rowid, title, description, venue_address)
    VALUES (new.id, new.title, new.description, new.venue_address);
END;
CREATE TRIGGER event_words_removed AFTER UPDATE OF removed_at ON events
WHEN old.removed_at IS NULL AND new.removed_at IS NOT NULL BEGIN
    INSERT INTO event_words (event_words, rowid, title, description, venue_address)
    VALUES ('delete', old.id, old.title, old.description, old.venue_address);
END;

-- migrate:down
DROP TABLE event_terms;
DROP TABLE event_words;
DROP TABLE kept_answers;
DROP TABLE tickets;
DROP TABLE inventory;
DROP TABLE events;
DROP TABLE users;
