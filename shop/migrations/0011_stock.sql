-- What is there to be sold. A unique variant exists as pieces with serial numbers, the others by count; both have a row
-- in stock, which whoever changes anything about the variant locks first.

CREATE TABLE stock (
  variant_id BIGINT PRIMARY KEY REFERENCES variants(id),
  on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
  reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  serials BIGINT NOT NULL DEFAULT 0,  -- 1: each has a row in pieces
  CHECK (reserved <= on_hand)      -- the last line of defence against selling a piece twice
);

CREATE TABLE pieces (
  id {identity},
  variant_id BIGINT NOT NULL REFERENCES variants(id),
  serial TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL DEFAULT 'in_stock' CHECK (state IN ('in_stock', 'reserved', 'sold')),
  reservation_id BIGINT,           -- while reserved
  order_line_id BIGINT,            -- once sold
  CHECK ((state = 'reserved') = (reservation_id IS NOT NULL))
);
CREATE INDEX pieces_by_variant ON pieces(variant_id, state);
CREATE INDEX pieces_by_reservation ON pieces(reservation_id);
CREATE INDEX pieces_by_line ON pieces(order_line_id);

-- Kept for a cart at the checkout, or for an order that is not packed yet.
CREATE TABLE reservations (
  id {identity},
  variant_id BIGINT NOT NULL REFERENCES variants(id),
  count BIGINT NOT NULL CHECK (count > 0),
  holder TEXT NOT NULL,            -- 'cart:7', 'order:9'
  expires_at BIGINT,               -- NULL: kept until its holder lets it go
  UNIQUE (holder, variant_id)
);
CREATE INDEX reservations_by_end ON reservations(expires_at);
