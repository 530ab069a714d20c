-- Who is looking at the shop. A row is made with the first form that is sent, not with the first page that is read.

CREATE TABLE sessions (
  key TEXT PRIMARY KEY,            -- SHA-256 of the cookie's token: what is here signs nobody in
  customer_id BIGINT,              -- NULL: a guest
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_customer ON sessions(customer_id);
CREATE INDEX sessions_by_end ON sessions(expires_at);
