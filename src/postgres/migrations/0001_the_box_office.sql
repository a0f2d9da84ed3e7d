-- migrate:up
-- Ids count up and are never used again. Every time is UTC, to the microsecond.
CREATE EXTENSION IF NOT EXISTS postgis;

-- Ends the transaction when a guarded statement did not change what it was to change: the guards of the sale come down to this.
CREATE FUNCTION must_change(changed bigint, wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF changed <> wanted THEN
        RAISE EXCEPTION 'a guard refused a change: % rows of % changed', changed, wanted USING ERRCODE = 'BX001';
    END IF;
END $$;

-- The words of a text as searches compare them: without case, accents and punctuation, as the embedded store's index has them.
CREATE FUNCTION plain_words(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    regexp_replace(regexp_replace(lower(normalize($1, NFKD) COLLATE "und-x-icu"), '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+', ' ', 'g');

CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL,
    email_folded  text NOT NULL,                            -- as compared: without regard to case
    name          text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    password_hash text NOT NULL,
    latitude      double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude     double precision CHECK (longitude BETWEEN -180 AND 180),
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CHECK ((latitude IS NULL) = (longitude IS NULL))
);
CREATE UNIQUE INDEX users_by_email ON users (email_folded);

-- What is on. A removed event keeps its row, for the tickets that once were held for it, and shows nowhere.
CREATE TABLE events (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organizer_id  bigint NOT NULL REFERENCES users (id),
    start_time    timestamptz NOT NULL,
    end_time      timestamptz NOT NULL,
    latitude      double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude     double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    place         geography(Point, 4326) NOT NULL
                  GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography) STORED,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    removed_at    timestamptz,
    timezone      text NOT NULL,
    title         text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    venue_address text NOT NULL CHECK (char_length(venue_address) BETWEEN 1 AND 500),
    description   text NOT NULL CHECK (char_length(description) <= 5000),
    words         tsvector NOT NULL
                  GENERATED ALWAYS AS (to_tsvector('simple', plain_words(title || ' ' || description || ' ' || venue_address))) STORED,
    CHECK (start_time < end_time)
);
CREATE INDEX events_by_start ON events (start_time, id) WHERE removed_at IS NULL;
CREATE INDEX events_by_organizer ON events (organizer_id, start_time, id) WHERE removed_at IS NULL;
CREATE INDEX events_by_place ON events USING gist (place) WHERE removed_at IS NULL;
CREATE INDEX events_by_words ON events USING gin (words) WHERE removed_at IS NULL;

-- What is scarce, apart from the texts: a sale rewrites these few bytes only, in the page where they are (HOT), as long as no
-- indexed column changes; so popularity, which is indexed, follows the pace in steps.
CREATE TABLE inventory (
    event_id   bigint PRIMARY KEY REFERENCES events (id),
    total      bigint NOT NULL CHECK (total BETWEEN 1 AND 1000000000),
    sold       bigint NOT NULL DEFAULT 0,                   -- paid tickets and holds
    pace       double precision NOT NULL DEFAULT 0,         -- tickets a day lately, as of paced_at
    paced_at   timestamptz NOT NULL,
    popularity double precision NOT NULL DEFAULT '-Infinity',   -- log2 of the pace, as if of 1970: the same order at any time
    CHECK (sold BETWEEN 0 AND total)
) WITH (fillfactor = 50);
CREATE INDEX inventory_by_popularity ON inventory (popularity DESC, event_id);

-- Events without a free seat: what searches leave out. A row comes and goes with the last seat, not with each, so that a search
-- looks here instead of at the counter of every event in its circle.
CREATE TABLE sold_out (
    event_id bigint PRIMARY KEY
);

-- status: 0 reserved, 1 paid, 2 expired, 3 cancelled. Whom and what a ticket is for is checked by whoever writes it, under
-- the event's lock, and by the doctor; a foreign key would lock and check two more rows for each ticket of a batch.
CREATE TABLE tickets (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id          bigint NOT NULL,
    user_id           bigint NOT NULL,
    status            smallint NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 3),
    created_at        timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL CHECK (expires_at > created_at),
    paid_at           timestamptz,
    payment_reference text,
    CHECK ((status = 1) = (paid_at IS NOT NULL)),
    CHECK ((status = 1) = (payment_reference IS NOT NULL))
);
CREATE INDEX tickets_by_user ON tickets (user_id, id);
CREATE INDEX tickets_due ON tickets (expires_at) WHERE status = 0;
CREATE INDEX tickets_due_by_event ON tickets (event_id, expires_at) WHERE status = 0;
CREATE UNIQUE INDEX tickets_by_reference ON tickets (payment_reference) WHERE payment_reference IS NOT NULL;

-- The first answer to each Idempotency-Key, kept for a day.
CREATE TABLE kept_answers (
    user_id     bigint NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    kept_at     timestamptz NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX kept_answers_by_age ON kept_answers (kept_at);

-- One row a transaction, by which a node that lost its connection around COMMIT learns whether it was committed: it puts in the
-- row itself, as lost; where that is refused because the row is there, it was committed, and where not, it never can be.
CREATE TABLE batches (
    mark    uuid PRIMARY KEY,
    made_at timestamptz NOT NULL,
    lost    boolean NOT NULL DEFAULT false
);
CREATE INDEX batches_by_age ON batches (made_at);

-- migrate:down
DROP TABLE batches;
DROP TABLE kept_answers;
DROP TABLE tickets;
DROP TABLE sold_out;
DROP TABLE inventory;
DROP TABLE events;
DROP TABLE users;
DROP FUNCTION plain_words(text);
DROP FUNCTION must_change(bigint, bigint);
