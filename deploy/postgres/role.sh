#!/bin/bash
# On the first start of an empty volume: boxoffice gets a role of its own, which owns its database and has no other rights.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password BOXOFFICE_DB_PASSWORD
CREATE ROLE boxoffice LOGIN PASSWORD :'password';
CREATE EXTENSION IF NOT EXISTS postgis;
SELECT format('ALTER DATABASE %I OWNER TO boxoffice', current_database()) \gexec
ALTER SCHEMA public OWNER TO boxoffice;
SQL
