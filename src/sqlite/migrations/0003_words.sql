-- migrate:up
-- The words of events are made by the application (src/text/), with spaces between. words_version: of the rules that made them;
-- NULL: not made yet. The index of before is not kept up any more, and finds what has no words yet.
ALTER TABLE events ADD COLUMN words_version INTEGER;
CREATE INDEX events_by_words_version ON events (words_version, id) WHERE removed_at IS NULL;
CREATE VIRTUAL TABLE event_tokens USING fts5 (words, tokenize = 'ascii', detail = 'none', columnsize = 0, prefix = '1 2');
CREATE VIRTUAL TABLE event_token_counts USING fts5vocab ('event_tokens', 'row');
DROP TRIGGER event_words_added;
DROP TRIGGER event_words_changed;
DROP TRIGGER event_words_removed;

-- email_key: the mailbox of an account, as addresses are compared; NULL where it is email_folded because the address is ASCII.
-- mailbox_of: the older account that has the same mailbox and the key; this one goes on by its exact address.
ALTER TABLE users ADD COLUMN email_key TEXT;
ALTER TABLE users ADD COLUMN mailbox_of INTEGER;
CREATE UNIQUE INDEX users_by_email_key ON users (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX users_by_mailbox ON users (mailbox_of) WHERE mailbox_of IS NOT NULL;
CREATE INDEX users_without_key ON users (id) WHERE email_key IS NULL AND mailbox_of IS NULL
    AND length(CAST(email AS BLOB)) > length(email);

-- migrate:down
DROP INDEX users_without_key;
DROP INDEX users_by_mailbox;
DROP INDEX users_by_email_key;
ALTER TABLE users DROP COLUMN mailbox_of;
ALTER TABLE users DROP COLUMN email_key;
DROP TABLE event_token_counts;
DROP TABLE event_tokens;
DROP INDEX events_by_words_version;
ALTER TABLE events DROP COLUMN words_version;
INSERT INTO event_words (event_words) VALUES ('rebuild');
INSERT INTO event_words (event_words, rowid, title, description, venue_address)
SELECT 'delete', id, title, description, venue_address FROM events WHERE removed_at IS NOT NULL;
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
