-- Money that moved, or is about to; what providers told; and letters that are to be sent.

CREATE TABLE payments (
  id {identity},
  order_id BIGINT NOT NULL REFERENCES orders(id),
  provider TEXT NOT NULL,          -- sandbox, bank, courier, staff
  reference TEXT NOT NULL,         -- the provider's own name of it
  url TEXT NOT NULL DEFAULT '',    -- where the customer pays
  amount BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'failed', 'refund_due', 'refunded')),
  created_at BIGINT NOT NULL,
  UNIQUE (provider, reference)
);
CREATE INDEX payments_by_order ON payments(order_id);
-- An order is paid once: whatever comes beyond is a refund that is due.
CREATE UNIQUE INDEX payments_once ON payments(order_id) WHERE state = 'paid';

CREATE TABLE webhook_events (
  provider TEXT NOT NULL,
  event TEXT NOT NULL,             -- the provider's id of it: seen once
  received_at BIGINT NOT NULL,
  PRIMARY KEY (provider, event)
);

CREATE TABLE outbox (
  id {identity},
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  message_id TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  next_try BIGINT NOT NULL,        -- also while a worker is at it: then others leave it alone
  tries BIGINT NOT NULL DEFAULT 0,
  sent_at BIGINT,
  failed_at BIGINT,                -- given up
  error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_by_turn ON outbox(sent_at, failed_at, next_try);
