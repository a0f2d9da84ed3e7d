-- migrate:up
-- Grows with each change by the organizer, so that a change meant for one version can be refused at another. Sales leave it.
ALTER TABLE events ADD COLUMN version bigint NOT NULL DEFAULT 1;

-- A node of the version before knows nothing of it and may change events beside us while nodes are replaced.
CREATE FUNCTION event_version_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER event_version_grows BEFORE UPDATE OF updated_at ON events FOR EACH ROW
    WHEN (NEW.version = OLD.version AND NEW.updated_at <> OLD.updated_at) EXECUTE FUNCTION event_version_grows();

-- migrate:down
DROP TRIGGER event_version_grows ON events;
DROP FUNCTION event_version_grows;
ALTER TABLE events DROP COLUMN version;
