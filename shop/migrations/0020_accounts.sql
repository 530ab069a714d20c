-- People: customers and staff. A deleted account keeps its row, for the orders that point to it, without
-- anything that tells who it was.

CREATE TABLE accounts (
  id {identity},
  email TEXT NOT NULL UNIQUE,      -- in lower case
  name TEXT NOT NULL,
  phone TEXT NOT NULL DEFAULT '',
  password TEXT NOT NULL,          -- argon2id, encoded; '' lets nobody in
  language TEXT NOT NULL,          -- vi, en
  role TEXT NOT NULL DEFAULT 'customer',
  created_at BIGINT NOT NULL,
  deleted_at BIGINT
);

-- Asked for, not yet confirmed from the mailbox. Tokens are kept as their SHA-256 only.
CREATE TABLE sign_ups (
  token TEXT PRIMARY KEY,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  password TEXT NOT NULL,
  language TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE password_resets (
  token TEXT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES accounts(id),
  expires_at BIGINT NOT NULL
);
CREATE INDEX password_resets_by_account ON password_resets(account_id);

-- How often somebody tried something within a window of time.
CREATE TABLE limits (
  subject TEXT PRIMARY KEY,
  window_from BIGINT NOT NULL,
  tries BIGINT NOT NULL
);

CREATE TABLE addresses (
  id {identity},
  account_id BIGINT NOT NULL REFERENCES accounts(id),
  name TEXT NOT NULL,
  phone TEXT NOT NULL,
  province TEXT NOT NULL,
  district TEXT NOT NULL,
  ward TEXT NOT NULL,
  street TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX addresses_by_account ON addresses(account_id);

CREATE TABLE wishes (
  account_id BIGINT NOT NULL REFERENCES accounts(id),
  product_id BIGINT NOT NULL REFERENCES products(id),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, product_id)
);

CREATE TABLE reviews (
  id {identity},
  product_id BIGINT NOT NULL REFERENCES products(id),
  account_id BIGINT NOT NULL REFERENCES accounts(id),
  stars BIGINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
  words TEXT NOT NULL,
  state TEXT NOT NULL,             -- waiting, shown, refused
  created_at BIGINT NOT NULL,
  UNIQUE (product_id, account_id)
);
CREATE INDEX reviews_by_product ON reviews(product_id, state);
CREATE INDEX reviews_by_state ON reviews(state, created_at);
