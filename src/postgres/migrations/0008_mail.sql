-- migrate:up
-- Whom a message is for, as addresses are compared: only so many an hour go to one.
ALTER TABLE mails ADD COLUMN recipient text;
CREATE INDEX mails_by_recipient ON mails (recipient, until) WHERE recipient IS NOT NULL;
-- What is left to a node that sends no mail: kinds 0 and 1 are messages to people.
CREATE INDEX outbox_due_without_mail ON outbox (due_at, id) WHERE dead_at IS NULL AND kind > 1;

-- migrate:down
DROP INDEX outbox_due_without_mail;
DROP INDEX mails_by_recipient;
ALTER TABLE mails DROP COLUMN recipient;
