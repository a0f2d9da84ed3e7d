-- migrate:up
-- How many events an account has added lately, removed ones included.
CREATE INDEX events_by_organizer_age ON events (organizer_id, created_at);

-- migrate:down
DROP INDEX events_by_organizer_age;
