-- Carts, with the prices that were promised, and vouchers.

CREATE TABLE carts (
  id {identity},
  session_key TEXT UNIQUE,         -- a guest's
  customer_id BIGINT UNIQUE,       -- or a customer's
  voucher TEXT,
  quoted_until BIGINT NOT NULL,    -- until then its lines' prices hold
  renewed BIGINT NOT NULL DEFAULT 0,  -- prices changed when they were last renewed, and nobody has seen it yet
  touched_at BIGINT NOT NULL,
  revision BIGINT NOT NULL DEFAULT 0,
  CHECK ((session_key IS NULL) <> (customer_id IS NULL))
);
CREATE INDEX carts_by_age ON carts(touched_at);

CREATE TABLE cart_lines (
  id {identity},
  cart_id BIGINT NOT NULL REFERENCES carts(id) ON DELETE CASCADE,
  variant_id BIGINT NOT NULL REFERENCES variants(id),
  count BIGINT NOT NULL CHECK (count > 0),
  metal BIGINT NOT NULL,           -- the parts of the price of one
  making BIGINT NOT NULL,
  stones BIGINT NOT NULL,
  vat BIGINT NOT NULL,
  rounding BIGINT NOT NULL,
  rate_per_chi BIGINT NOT NULL,    -- the metal's rate that the price was made with
  UNIQUE (cart_id, variant_id)
);

CREATE TABLE vouchers (
  id {identity},
  code TEXT NOT NULL UNIQUE,       -- upper case
  kind TEXT NOT NULL CHECK (kind IN ('percent', 'amount')),
  value BIGINT NOT NULL CHECK (value > 0),
  most BIGINT,                     -- a percentage takes off no more than this
  minimum BIGINT NOT NULL DEFAULT 0,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  uses BIGINT NOT NULL,            -- how often it may be used
  used BIGINT NOT NULL DEFAULT 0,
  CHECK (used >= 0 AND used <= uses),
  CHECK (kind <> 'percent' OR value <= 100)
);
