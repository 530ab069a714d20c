-- Orders, as they were agreed: nothing here follows the catalogue or the gold table afterwards.

CREATE TABLE orders (
  id {identity},
  number TEXT NOT NULL UNIQUE,     -- what people say: "BT-7K3M9Q"
  secret TEXT NOT NULL UNIQUE,     -- who has the link with it sees the order
  idempotency_key TEXT NOT NULL UNIQUE,
  customer_id BIGINT,
  state TEXT NOT NULL CHECK (state IN ('pending_payment', 'paid', 'packed', 'shipped', 'delivered', 'cancelled',
                                       'returned', 'refunded')),
  method TEXT NOT NULL CHECK (method IN ('cod', 'transfer', 'card')),
  language TEXT NOT NULL,          -- vi, en: of its e-mails
  name TEXT NOT NULL,
  phone TEXT NOT NULL,
  email TEXT NOT NULL,
  province TEXT NOT NULL,          -- code: see delivery/provinces.h
  district TEXT NOT NULL,          -- as before July 2025, where people still say it
  ward TEXT NOT NULL,
  street TEXT NOT NULL,
  note TEXT NOT NULL,
  subtotal BIGINT NOT NULL,
  discount BIGINT NOT NULL,
  voucher TEXT,
  delivery BIGINT NOT NULL,
  insurance BIGINT NOT NULL,
  total BIGINT NOT NULL CHECK (total >= 0),
  tracking TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  pay_until BIGINT,                -- unpaid then: cancelled
  paid_at BIGINT,
  delivered_at BIGINT,
  CHECK (total = subtotal - discount + delivery + insurance)
);
CREATE INDEX orders_by_customer ON orders(customer_id);
CREATE INDEX orders_by_deadline ON orders(state, pay_until);
CREATE INDEX orders_by_time ON orders(created_at);

CREATE TABLE order_lines (
  id {identity},
  order_id BIGINT NOT NULL REFERENCES orders(id),
  position BIGINT NOT NULL,
  variant_id BIGINT NOT NULL REFERENCES variants(id),
  sku TEXT NOT NULL,
  name_vi TEXT NOT NULL,
  name_en TEXT NOT NULL,
  purity TEXT NOT NULL,
  size TEXT NOT NULL,
  weight_mg BIGINT NOT NULL,
  picture TEXT NOT NULL,
  stones_vi TEXT NOT NULL,         -- with certificate numbers
  stones_en TEXT NOT NULL,
  metal BIGINT NOT NULL,
  making BIGINT NOT NULL,
  stones BIGINT NOT NULL,
  vat BIGINT NOT NULL,
  rounding BIGINT NOT NULL,
  rate_per_chi BIGINT NOT NULL,
  unit_price BIGINT NOT NULL,
  count BIGINT NOT NULL CHECK (count > 0),
  CHECK (unit_price = metal + making + stones + vat + rounding)
);
CREATE INDEX order_lines_by_order ON order_lines(order_id);

CREATE TABLE order_events (
  id {identity},
  order_id BIGINT NOT NULL REFERENCES orders(id),
  at BIGINT NOT NULL,
  state TEXT NOT NULL,
  actor TEXT NOT NULL,             -- customer, provider, worker, or a member of the staff
  note TEXT NOT NULL
);
CREATE INDEX order_events_by_order ON order_events(order_id);
