// Ordinary coroutine code that g++ 12 miscompiles (double destruction, crashes, refused initialiser lists).
// Sampan is full of it, so the compiler must pass these; under ASan they are a stronger test still.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
template <class T>
using Awaitable = asio::awaitable<T>;

// Counts its living copies: a double destruction makes the count negative.
struct Counted {
  static inline int living = 0;
  std::string text;
  explicit Counted(std::string t) : text(std::move(t)) { ++living; }
  Counted(const Counted& other) : text(other.text) { ++living; }
  Counted(Counted&& other) noexcept : text(std::move(other.text)) { ++living; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --living; }
};

struct Pair {
  std::string a, b;
  Counted counted{"by default"};
};

const std::string kLong(60, 'x');  // longer than a small string's own buffer

Awaitable<std::string> text(std::string s) {
  co_return s;
}
Awaitable<Counted> counted(std::string s) {
  co_return Counted(s);
}
Awaitable<std::size_t> total(std::vector<std::string> list) {
  std::size_t n = 0;
  for (const auto& s : list) n += s.size();
  co_return n;
}
Awaitable<std::size_t> sum(Pair p) {
  co_return p.a.size() + p.b.size();
}
Awaitable<std::size_t> join(Counted a, Counted b) {
  co_return a.text.size() * 10 + b.text.size();
}
Awaitable<int> number(int n) {
  co_return n;
}

void run(Awaitable<void> body) {
  asio::io_context context;
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(body), [&](std::exception_ptr e) { failure = e; });
  context.run();
  if (failure) std::rethrow_exception(failure);
  EXPECT_EQ(Counted::living, 0);
}

TEST(Compiler, KeepsTemporariesOfConditionalExpressions) {
  run([]() -> Awaitable<void> {
    bool yes = true;
    std::string s = yes ? co_await text(kLong) : std::string("no");
    Counted c = yes ? co_await counted("x") : Counted("y");
    std::optional<std::string> o = yes ? std::optional(co_await text(kLong)) : std::nullopt;
    std::string k = co_await text(yes ? kLong : std::string("short"));
    EXPECT_EQ(s, kLong);
    EXPECT_EQ(c.text, "x");
    EXPECT_EQ(o, kLong);
    EXPECT_EQ(k, kLong);
  }());
}

TEST(Compiler, KeepsAggregatesMadeInPlace) {
  run([]() -> Awaitable<void> {
    EXPECT_EQ(co_await sum(Pair{kLong, kLong}), 120u);
    EXPECT_EQ(co_await sum({.a = kLong, .b = kLong}), 120u);
    Pair p{co_await text(kLong), "b"};
    EXPECT_EQ(p.a, kLong);
    Pair q{.a = co_await text(kLong), .b = co_await text("b")};
    EXPECT_EQ(q.a + q.b, kLong + "b");
  }());
}

TEST(Compiler, TakesInitialiserLists) {
  run([]() -> Awaitable<void> {
    EXPECT_EQ(co_await total({kLong, kLong, "x"}), 121u);
    std::vector<std::string> list{co_await text(kLong), co_await text("y")};
    EXPECT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0], kLong);
  }());
}

TEST(Compiler, KeepsOperandsOfLogicalOperators) {
  run([]() -> Awaitable<void> {
    bool hit = (co_await text("abc")).size() == 4 || (co_await text("")).empty();
    EXPECT_TRUE(hit);
    EXPECT_EQ(co_await join(co_await counted("ab"), co_await counted("cde")), 23u);
  }());
}

TEST(Compiler, KeepsCapturesOfLambdasCalledInPlace) {
  run([]() -> Awaitable<void> {
    auto size = co_await [s = kLong]() -> Awaitable<std::size_t> {
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      co_return s.size();
    }();
    EXPECT_EQ(size, kLong.size());
  }());
}

TEST(Compiler, KeepsCapturesOfLambdasSpawned) {
  std::size_t seen = 0;
  run([](std::size_t& out) -> Awaitable<void> {
    auto work = [](std::string s, std::size_t& result) -> Awaitable<void> {
      co_await number(1);
      result = s.size();
    };
    co_await asio::co_spawn(co_await asio::this_coro::executor, work(kLong, out), asio::use_awaitable);
  }(seen));
  EXPECT_EQ(seen, kLong.size());
}

TEST(Compiler, LetsExceptionsThroughConditionalExpressions) {
  run([]() -> Awaitable<void> {
    bool thrown = false;
    try {
      bool yes = true;
      int n = yes ? throw std::runtime_error("e"), 1 : co_await number(1);
      (void)n;
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  }());
}

}  // namespace
