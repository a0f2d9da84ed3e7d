-- migrate:up
-- Vacuum comes by what has changed and not by a share of the table: the fifth of ten million tickets that the server's own setting
-- waits for is an on-sale's whole day, and the indexes of due holds are walked through what it would have cleared.
ALTER TABLE tickets SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000,
                         autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE inventory SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- Rows come and go: their number says nothing of how many are dead.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
ALTER TABLE batches SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE kept_answers SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
                              autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE mails SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
ALTER TABLE sold_out SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);

-- The latest time that any node has judged by, to the second: a server whose clock is behind must not let another node make holds
-- that the first calls dead.
CREATE TABLE store_clock (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    latest timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO store_clock (latest) VALUES (to_timestamp(0));

-- Forgets at most so many answers kept before a time, and says how many: for an operator whose table has grown, in steps that keep
-- no lock for long. Servers do the same once a minute.
CREATE FUNCTION forget_answers(before timestamptz, most bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM kept_answers WHERE ctid = ANY(ARRAY(SELECT ctid FROM kept_answers WHERE kept_at < before
        ORDER BY kept_at LIMIT most FOR UPDATE SKIP LOCKED)) RETURNING 1)
    SELECT count(*) FROM gone
$$;

-- migrate:down
DROP FUNCTION forget_answers(timestamptz, bigint);
DROP TABLE store_clock;
ALTER TABLE sold_out RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE mails RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE kept_answers RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_insert_scale_factor);
ALTER TABLE batches RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_analyze_scale_factor,
                          autovacuum_analyze_threshold);
ALTER TABLE inventory RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE tickets RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_insert_scale_factor,
                           autovacuum_analyze_scale_factor);
