-- migrate:up
-- The cost of a bcrypt hash stands in its fifth and sixth character: what a refused login has to take as long as.
CREATE INDEX users_by_cost ON users (substr(password_hash, 5, 2));

-- migrate:down
DROP INDEX users_by_cost;
