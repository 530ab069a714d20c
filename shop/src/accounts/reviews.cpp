#include "accounts/reviews.h"

#include "core/error.h"
#include "core/text.h"

namespace shop::accounts {
namespace {

using core::Refusal;

constexpr std::size_t kMostWords = 2000;  // bytes

constexpr char kColumns[] =
    "SELECT r.id, r.product_id, r.account_id, a.name, r.stars, r.words, r.state, r.created_at FROM reviews r "
    "JOIN "
    "accounts a ON a.id = r.account_id WHERE ";

Review read(const db::Row& row) {
  return {row.number(0), row.number(1), row.number(2), row.text(3), static_cast<int>(row.number(4)),
          row.text(5),   row.text(6),   row.time(7)};
}

std::vector<Review> read(const db::Rows& rows) {
  std::vector<Review> all;
  for (const auto& row : rows) all.push_back(read(row));
  return all;
}

std::optional<Review> read_one(const std::optional<db::Row>& row) {
  if (!row) return std::nullopt;
  return read(*row);
}

std::string checked(const std::string& words) {
  std::string kept;
  for (const char letter : words) {
    if (letter == '\r') continue;
    if (static_cast<unsigned char>(letter) < 0x20 && letter != '\n')
      throw Refusal(Refusal::Kind::kInvalid, "bad_review");
    kept.push_back(letter);
  }
  const auto first = kept.find_first_not_of(" \n\t");
  if (first == kept.npos || kept.size() > kMostWords || !core::valid_utf8(kept))
    throw Refusal(Refusal::Kind::kInvalid, "bad_review");
  return kept.substr(first, kept.find_last_not_of(" \n\t") - first + 1);
}

}  // namespace

bool Reviews::may_write(std::int64_t account, std::int64_t product) const {
  return has_bought_(account, product);
}

void Reviews::write(std::int64_t account, std::int64_t product, int stars, const std::string& words) {
  if (stars < 1 || stars > 5) throw Refusal(Refusal::Kind::kInvalid, "bad_stars");
  const auto kept = checked(words);
  if (!may_write(account, product)) throw Refusal(Refusal::Kind::kForbidden, "review_needs_purchase");
  database_.execute(
      "INSERT INTO reviews (product_id, account_id, stars, words, state, created_at) VALUES ($1, $2, $3, $4, "
      "'waiting', $5) ON CONFLICT (product_id, account_id) DO UPDATE SET stars = excluded.stars, words = "
      "excluded.words, state = 'waiting', created_at = excluded.created_at",
      {product, account, stars, kept, clock_.now()});
}

std::optional<Review> Reviews::own(std::int64_t account, std::int64_t product) const {
  return read_one(database_.query_one(std::string(kColumns) + "r.account_id = $1 AND r.product_id = $2",
                                      {account, product}));
}

std::vector<Review> Reviews::shown(std::int64_t product, int most) const {
  return read(database_.query(
      std::string(kColumns) + "r.product_id = $1 AND r.state = 'shown' ORDER BY r.created_at DESC, r.id DESC "
                              "LIMIT $2",
      {product, most}));
}

Stars Reviews::stars(std::int64_t product) const {
  const auto row = database_.query_one(
      "SELECT COUNT(*), CAST(COALESCE(SUM(stars), 0) AS BIGINT) FROM reviews WHERE product_id = $1 AND state "
      "= "
      "'shown'",
      {product});
  const auto count = row->number(0);
  return {count, count == 0 ? 0 : (row->number(1) * 20 + count) / (count * 2)};
}

std::vector<Review> Reviews::in_state(const std::string& state, int most) const {
  return read(database_.query(std::string(kColumns) + "r.state = $1 ORDER BY r.created_at, r.id LIMIT $2",
                              {state, most}));
}

std::optional<Review> Reviews::find(std::int64_t id) const {
  return read_one(database_.query_one(std::string(kColumns) + "r.id = $1", {id}));
}

void Reviews::decide(db::Connection& connection, std::int64_t id, bool show) {
  if (connection.execute("UPDATE reviews SET state = $1 WHERE id = $2", {show ? "shown" : "refused", id}) ==
      0)
    throw Refusal(Refusal::Kind::kNotFound, "page_not_found");
}

}  // namespace shop::accounts
