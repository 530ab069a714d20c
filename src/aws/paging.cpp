#include "aws/paging.h"

#include "core/encoding.h"

namespace sampan::aws {
namespace {

constexpr std::size_t kMarkDigits = 12;
constexpr std::size_t kMaxToken = 4096;

// Ties the token to its question; not a secret: a made-up token shows nothing that a first page would not.
std::string mark_of(std::string_view question) {
  return core::sha256_hex("page:" + std::string(question)).substr(0, kMarkDigits);
}

std::optional<std::string> key_of(const std::string& token, std::string_view question) {
  if (token.size() > kMaxToken) return std::nullopt;
  const auto text = core::from_base64(token);
  if (!text || text->size() < kMarkDigits || !text->starts_with(mark_of(question))) return std::nullopt;
  return text->substr(kMarkDigits);
}

}  // namespace

std::optional<Page> Page::of(std::optional<int> max_results, const std::optional<std::string>& token,
                             PageLimits limits, std::string_view question, PageError* error) {
  const auto refuse = [error](PageError why) {
    if (error) *error = why;
    return std::nullopt;
  };
  const int size = max_results.value_or(limits.by_default);
  if (size < 1 || size > limits.most) return refuse(PageError::kSize);
  std::string after;
  if (token && !token->empty()) {
    auto key = key_of(*token, question);
    if (!key) return refuse(PageError::kToken);
    after = std::move(*key);
  }
  if (error) *error = PageError::kNone;
  return Page(size, std::move(after), question);
}

bool Page::take(std::string_view key) {
  if (left_ == 0) {
    more_ = true;
    return false;
  }
  --left_;
  last_ = key;
  return true;
}

void Page::stop_after(std::string_view key) {
  more_ = true;
  last_ = key;
}

std::optional<std::string> Page::next_token() const {
  if (!more_) return std::nullopt;
  return core::to_base64(mark_of(question_) + last_);
}

}  // namespace sampan::aws
