-- migrate:up
-- The words of events are made by the application (src/text/). words_version: of the rules that made them. words_of: what they were
-- made of, so that a node of the version before, which writes texts and no words, is noticed. The column `words` and its index stay
-- for such nodes, and to find what has no words of ours yet.
ALTER TABLE events ADD COLUMN tokens tsvector, ADD COLUMN words_version integer, ADD COLUMN words_of bigint;
CREATE INDEX events_by_tokens ON events USING gin (tokens) WHERE removed_at IS NULL;
CREATE INDEX events_by_words_version ON events (words_version, id) WHERE removed_at IS NULL;
CREATE INDEX events_without_words ON events (id) WHERE removed_at IS NULL
    AND words_of IS DISTINCT FROM hashtextextended(title || E'\n' || description || E'\n' || venue_address, 0);

-- email_key: the mailbox of an account, as addresses are compared; NULL where it is email_folded because the address is ASCII.
-- mailbox_of: the older account that has the same mailbox and the key; this one goes on by its exact address. Where both are
-- NULL and the address is not ASCII, it is still to be made, as when a node of the version before has just made the account.
ALTER TABLE users ADD COLUMN email_key text, ADD COLUMN mailbox_of bigint;
CREATE UNIQUE INDEX users_by_email_key ON users (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX users_by_mailbox ON users (mailbox_of) WHERE mailbox_of IS NOT NULL;
CREATE INDEX users_without_key ON users (id) WHERE email_key IS NULL AND mailbox_of IS NULL
    AND octet_length(email) > char_length(email);

-- migrate:down
DROP INDEX users_without_key;
DROP INDEX users_by_mailbox;
DROP INDEX users_by_email_key;
ALTER TABLE users DROP COLUMN mailbox_of, DROP COLUMN email_key;
DROP INDEX events_without_words;
DROP INDEX events_by_words_version;
DROP INDEX events_by_tokens;
ALTER TABLE events DROP COLUMN words_of, DROP COLUMN words_version, DROP COLUMN tokens;
