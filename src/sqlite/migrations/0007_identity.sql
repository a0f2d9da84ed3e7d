-- migrate:up
-- Which store this is and in which life, so that what another one has left (tokens, jobs) means nothing to it. One row.
CREATE TABLE store_identity (
    one               INTEGER PRIMARY KEY CHECK (one = 1),
    id                TEXT    NOT NULL,                     -- 32 random hexadecimal digits; a copy keeps them
    generation        INTEGER NOT NULL DEFAULT 1,           -- another one after each restore
    plain_until       INTEGER NOT NULL,                     -- tokens that name no store are believed until then
    ids_after         INTEGER NOT NULL DEFAULT 0,           -- ids given from now on are higher
    clock_accepted_at INTEGER,                              -- by an operator, though times in the rows were later
    clock_ticket      INTEGER NOT NULL DEFAULT 0            -- the newest ticket then: the times of those up to it say nothing
) STRICT;
-- People who are logged in stay so for half an hour; in a store without accounts no token of an older one is believed.
INSERT INTO store_identity (one, id, plain_until)
SELECT 1, lower(hex(randomblob(16))),
       CASE WHEN EXISTS (SELECT 1 FROM users) THEN (CAST(strftime('%s', 'now') AS INTEGER) + 1800) * 1000000 ELSE 0 END;

-- migrate:down
DROP TABLE store_identity;  -- loses nothing: the next migration makes another
