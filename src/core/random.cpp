#include "core/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <utility>

#include "core/error.h"

namespace sampan::core {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kAlphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

// 0..bound-1, each as likely as any other: numbers of the last, incomplete, round are thrown away.
std::uint64_t below(IdSource& source, std::uint64_t bound) {
  const std::uint64_t usable = UINT64_MAX - UINT64_MAX % bound;
  while (true) {
    const std::uint64_t number = source.next();
    if (number < usable) return number % bound;
  }
}

// One getrandom a page of numbers: a call costs about 0.3 us, an id needs two to eight numbers.
struct Pool {
  std::array<std::uint64_t, 64> numbers;
  std::size_t left = 0;
};

void refill(Pool& pool) {
  auto* bytes = reinterpret_cast<char*>(pool.numbers.data());
  std::size_t got = 0;
  while (got < sizeof(pool.numbers)) {
    const ssize_t n = ::getrandom(bytes + got, sizeof(pool.numbers) - got, 0);
    if (n < 0 && errno == EINTR) continue;
    SAMPAN_CHECK(n > 0);
    got += static_cast<std::size_t>(n);
  }
  pool.left = pool.numbers.size();
}

}  // namespace

std::string IdSource::hex(std::size_t digits) {
  std::string text;
  text.reserve(digits + 16);
  while (text.size() < digits) {
    std::uint64_t number = next();
    for (int i = 0; i < 16; ++i, number >>= 4) text.push_back(kHexDigits[number & 15]);
  }
  text.resize(digits);
  return text;
}

std::string IdSource::digits(std::size_t count) {
  std::string text;
  text.reserve(count);
  if (count > 0) text.push_back(static_cast<char>('1' + below(*this, 9)));
  while (text.size() < count) text.push_back(static_cast<char>('0' + below(*this, 10)));
  return text;
}

std::string IdSource::alphanumeric(std::size_t count) {
  std::string text;
  text.reserve(count);
  while (text.size() < count) text.push_back(kAlphanumeric[below(*this, sizeof(kAlphanumeric) - 1)]);
  return text;
}

std::string IdSource::uuid() {
  std::string text = hex(32);
  text[12] = '4';                              // version
  text[16] = kHexDigits[8 + below(*this, 4)];  // variant 10xx
  for (const std::size_t at : {20, 16, 12, 8}) text.insert(at, 1, '-');
  return text;
}

std::uint64_t SystemIdSource::next() {
  thread_local Pool pool;
  if (pool.left == 0) refill(pool);
  // Taken numbers are not kept in memory: they may have become a key.
  return std::exchange(pool.numbers[--pool.left], 0);
}

std::uint64_t SeededIdSource::next() {  // splitmix64
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace sampan::core
