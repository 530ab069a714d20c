-- What is sold, and what a chỉ of each metal costs.

CREATE TABLE categories (
  id {identity},
  slug TEXT NOT NULL UNIQUE,
  name_vi TEXT NOT NULL,
  name_en TEXT NOT NULL,
  position BIGINT NOT NULL
);

CREATE TABLE collections (
  id {identity},
  slug TEXT NOT NULL UNIQUE,
  name_vi TEXT NOT NULL,
  name_en TEXT NOT NULL,
  story_vi TEXT NOT NULL,
  story_en TEXT NOT NULL,
  position BIGINT NOT NULL
);

CREATE TABLE products (
  id {identity},
  slug TEXT NOT NULL UNIQUE,
  category_id BIGINT NOT NULL REFERENCES categories(id),
  collection_id BIGINT REFERENCES collections(id),
  name_vi TEXT NOT NULL,
  name_en TEXT NOT NULL,
  description_vi TEXT NOT NULL,
  description_en TEXT NOT NULL,
  design TEXT NOT NULL,            -- which of the shop's own drawings shows it
  hidden BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL       -- milliseconds since 1970
);

-- One way a product can be had. A unique one exists as pieces with serial numbers, the others by count.
CREATE TABLE variants (
  id {identity},
  product_id BIGINT NOT NULL REFERENCES products(id),
  sku TEXT NOT NULL UNIQUE,
  size TEXT NOT NULL,              -- ring size or length; '' where there is none
  purity TEXT NOT NULL,            -- gold-9999, gold-750, …: see pricing/purity.h
  colour TEXT NOT NULL,            -- yellow, white, rose
  weight_mg BIGINT NOT NULL CHECK (weight_mg > 0),
  making_charge BIGINT NOT NULL CHECK (making_charge >= 0),
  unique_pieces BIGINT NOT NULL DEFAULT 0,
  position BIGINT NOT NULL
);
CREATE INDEX variants_by_product ON variants(product_id);

CREATE TABLE stones (
  id {identity},
  variant_id BIGINT NOT NULL REFERENCES variants(id),
  kind TEXT NOT NULL,              -- diamond, ruby, …
  pieces BIGINT NOT NULL CHECK (pieces > 0),
  carat_thousandths BIGINT NOT NULL CHECK (carat_thousandths > 0),
  certificate TEXT,
  price BIGINT NOT NULL CHECK (price >= 0)
);
CREATE INDEX stones_by_variant ON stones(variant_id);

-- The gold table with its history: the last row of a purity that is not in the future counts.
CREATE TABLE metal_rates (
  id {identity},
  purity TEXT NOT NULL,
  sell_per_chi BIGINT NOT NULL CHECK (sell_per_chi > 0),
  buy_per_chi BIGINT NOT NULL CHECK (buy_per_chi > 0),
  valid_from BIGINT NOT NULL,
  source TEXT NOT NULL,
  CHECK (buy_per_chi <= sell_per_chi)
);
CREATE INDEX metal_rates_by_purity ON metal_rates(purity, valid_from);

-- Raised by every change of what is above: whoever keeps a copy looks here whether it is old.
CREATE TABLE revisions (
  name TEXT PRIMARY KEY,
  number BIGINT NOT NULL
);
INSERT INTO revisions (name, number) VALUES ('catalogue', 1);
