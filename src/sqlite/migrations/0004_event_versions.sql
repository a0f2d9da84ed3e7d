-- migrate:up
-- Grows with each change by the organizer, so that a change meant for one version can be refused at another. Sales leave it.
ALTER TABLE events ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- migrate:down
ALTER TABLE events DROP COLUMN version;
