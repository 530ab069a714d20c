// Pages of a list: how many, from where, and the opaque token that says where to go on. Pure.
//
//   auto page = aws::Page::of(in.maxResults, in.nextToken, {.most = 100}, "ListClusters:" + filter);
//   if (!page) throw InvalidParameterException("Invalid token");   // or size: page.error()
//   for (auto it = rows.upper_bound(page->after()); ...; )  if (!page->take(key)) break; else
//   out.push_back(...) out.nextToken = page->next_token();
//
// Items are walked in the order of a key; the token holds the last key taken, so that a list stays right
// while rows come and go. It is bound to its question: a token of another list or filter is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sampan::aws {

struct PageLimits {
  int most = 100;        // the largest maxResults
  int by_default = 100;  // when none is asked for
};

enum class PageError { kNone, kSize, kToken };

class Page {
 public:
  // Nothing when maxResults is out of 1..most or the token is not ours. `error`, if given, says which.
  static std::optional<Page> of(std::optional<int> max_results, const std::optional<std::string>& token,
                                PageLimits limits, std::string_view question, PageError* error = nullptr);

  // Items up to and with this key were given before; empty on the first page.
  const std::string& after() const { return after_; }
  // True: there is room, the item belongs to the page. False: it does not, and there is a next page.
  bool take(std::string_view key);
  // Ends a page that is not full: whatever comes after `key` is for the next one. For lists in which what is
  // asked for may be rare: a page then costs no more than it may.
  void stop_after(std::string_view key);
  std::optional<std::string> next_token() const;

 private:
  Page(int left, std::string after, std::string_view question)
      : left_(left), after_(std::move(after)), question_(question) {}

  int left_;
  std::string after_;
  std::string question_;
  std::string last_;
  bool more_ = false;
};

}  // namespace sampan::aws
