-- migrate:up
-- Which store this is and in which life, so that what another one has left (tokens, jobs) means nothing to it. One row.
CREATE TABLE store_identity (
    one               smallint PRIMARY KEY CHECK (one = 1),
    id                text NOT NULL,                        -- 32 random hexadecimal digits; a copy keeps them
    generation        bigint NOT NULL DEFAULT 1,            -- another one after each restore
    plain_until       timestamptz NOT NULL,                 -- tokens that name no store are believed until then
    ids_after         bigint NOT NULL DEFAULT 0,            -- ids given from now on are higher
    clock_accepted_at timestamptz,                          -- by an operator, though times in the rows were later
    clock_ticket      bigint NOT NULL DEFAULT 0             -- the newest ticket then: the times of those up to it say nothing
);
-- People who are logged in stay so for half an hour, and what nodes of the version before sign meanwhile is good, too.
INSERT INTO store_identity (one, id, plain_until)
VALUES (1, replace(gen_random_uuid()::text, '-', ''), now() + interval '30 minutes');

-- migrate:down
DROP TABLE store_identity;  -- loses nothing: the next migration makes another
