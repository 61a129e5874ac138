-- A social assistance system as departments have them: keys, sequences, ties, large objects, an extension, triggers.
-- psql variables: rows (people), large (large objects), large_bytes (of each), keyless (1: the log has no key).
\set ON_ERROR_STOP on
BEGIN;
CREATE EXTENSION pg_trgm;
CREATE SEQUENCE case_numbers START 100001 INCREMENT 3;

CREATE TABLE offices (id serial PRIMARY KEY, code varchar(12) NOT NULL UNIQUE, title text NOT NULL);
CREATE TABLE people (
    id bigserial PRIMARY KEY, name text NOT NULL, id_number char(18) NOT NULL UNIQUE, born date NOT NULL,
    office_id integer NOT NULL REFERENCES offices, note text);
CREATE TABLE cases (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number text NOT NULL UNIQUE DEFAULT 'A' || nextval('case_numbers'), person_id bigint NOT NULL REFERENCES people,
    opened timestamptz NOT NULL, amount numeric(12, 2) NOT NULL CHECK (amount >= 0), data jsonb NOT NULL DEFAULT '{}');
CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, case_id uuid NOT NULL REFERENCES cases ON DELETE CASCADE,
    paid date NOT NULL, amount numeric(12, 2) NOT NULL, share double precision);
CREATE TABLE documents (
    id bigserial PRIMARY KEY, person_id bigint NOT NULL REFERENCES people, title text NOT NULL, stamp bytea, scan oid);
CREATE TABLE audit_log (at timestamptz NOT NULL, who text NOT NULL, what text NOT NULL, detail jsonb);

INSERT INTO offices (code, title) SELECT 'B' || n, '第' || n || '科' FROM generate_series(1, 12) n;
INSERT INTO people (name, id_number, born, office_id, note)
    SELECT (ARRAY['王', '李', '张', '刘', '陈', '𠮷'])[1 + n % 6] || '某' || n, lpad(n::text, 18, '0'),
           date '1940-01-01' + (n * 37 % 25000), 1 + n % 12, CASE WHEN n % 5 > 0 THEN repeat(md5(n::text), 1 + n % 8) END
    FROM generate_series(1, :rows) n;
INSERT INTO cases (person_id, opened, amount, data)
    SELECT 1 + n % :rows, timestamptz '2015-03-01 08:00+08' + n * interval '47 minutes', n % 90000 / 100.0,
           jsonb_build_object('kind', n % 7, 'paths', ARRAY['/a', E'/b\t' || n])
    FROM generate_series(1, 2 * :rows) n;
INSERT INTO payments (case_id, paid, amount, share)
    SELECT id, opened::date + part * 30, amount / 3, 1.0 / 3 FROM cases, generate_series(1, 3) part;
INSERT INTO documents (person_id, title, stamp, scan)
    SELECT 1 + n % :rows, '扫描件 ' || n, decode(md5(n::text), 'hex'),
           lo_from_bytea(0, convert_to(repeat(md5(n::text), :large_bytes / 32), 'UTF8'))
    FROM generate_series(1, :large) n;
INSERT INTO audit_log SELECT opened, 'clerk', 'opened', data FROM cases LIMIT :rows;

CREATE INDEX people_names ON people USING gin (name gin_trgm_ops);
CREATE INDEX cases_open ON cases (opened) WHERE amount > 100;
CREATE VIEW open_cases AS SELECT number, name, amount FROM cases JOIN people ON people.id = person_id;
CREATE FUNCTION log_payment() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO audit_log VALUES (now(), current_user, 'paid', to_jsonb(NEW)); RETURN NEW; END $$;
CREATE TRIGGER payments_logged AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION log_payment();
SELECT :keyless = 0 AS keyed \gset
\if :keyed
ALTER TABLE audit_log ADD COLUMN id bigserial PRIMARY KEY;
\endif
COMMIT;
ANALYZE;
