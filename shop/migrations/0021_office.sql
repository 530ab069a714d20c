-- What the staff did, and the pictures they put in.

CREATE TABLE audit_log (
  id {identity},
  at BIGINT NOT NULL,
  account_id BIGINT,               -- none: the command line
  who TEXT NOT NULL,
  action TEXT NOT NULL,            -- product.change, gold.set, …
  subject TEXT NOT NULL,           -- what it was done to
  before TEXT NOT NULL,            -- JSON, or ''
  after TEXT NOT NULL
);
CREATE INDEX audit_log_by_subject ON audit_log(subject);

-- What stands there stays there: the database itself refuses.
{sqlite} CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only');; END;
{sqlite} CREATE TRIGGER audit_log_is_not_deleted BEFORE DELETE ON audit_log
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only');; END;
{postgres} CREATE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''the audit log is append-only'';; END;;';
{postgres} CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses();

CREATE TABLE pictures (
  id {identity},
  product_id BIGINT NOT NULL REFERENCES products(id),
  digest TEXT NOT NULL UNIQUE,     -- SHA-256 of its bytes: its name in URLs
  type TEXT NOT NULL,              -- image/png, image/jpeg, image/webp
  width BIGINT NOT NULL CHECK (width > 0),
  height BIGINT NOT NULL CHECK (height > 0),
  words TEXT NOT NULL DEFAULT '',  -- what is to be seen
  bytes {blob} NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX pictures_by_product ON pictures(product_id);
