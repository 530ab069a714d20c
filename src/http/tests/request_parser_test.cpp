#include "http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sampan::http {
namespace {

constexpr std::size_t kLimit = 4096;

// The status a head is answered with, or 0 when it is fine; fed whole, then byte by byte: they must agree.
int verdict(const std::string& head) {
  int results[2] = {-1, -1};
  for (const bool piecewise : {false, true}) {
    RequestParser parser;
    parser.reset(kLimit);
    std::string pending;
    std::size_t at = 0;
    while (!parser.head_done() && parser.fault() == nullptr && at < head.size()) {
      const std::size_t n = piecewise ? 1 : head.size();
      pending.append(head, at, n);
      at += n;
      pending.erase(0, parser.put(pending));
    }
    int& result = results[piecewise ? 1 : 0];
    if (parser.fault() != nullptr) result = parser.fault()->status;
    if (parser.head_done()) result = 0;
  }
  EXPECT_EQ(results[0], results[1]) << head;
  return results[0];
}

TEST(RequestParser, TakesOrdinaryHeads) {
  for (const char* head :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "POST /a?b HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "M-SEARCH /a HTTP/1.1\r\nHost:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"}) {
    EXPECT_EQ(verdict(head), 0) << head;
  }
}

struct Refusal {
  const char* head;
  int status;
};

TEST(RequestParser, RefusesWhatTwoParsersCouldReadInTwoWays) {
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const Refusal& c : {
           Refusal{"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
           {"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
           {"Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
           {"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
           {"Content-Length: 3, 3\r\n\r\n", 400},
           {"Content-Length: +3\r\n\r\n", 400},
           {"Content-Length: -3\r\n\r\n", 400},
           {"Content-Length: 0x3\r\n\r\n", 400},
           {"Content-Length: 3 4\r\n\r\n", 400},
           {"Content-Length:\r\n\r\n", 400},
           {"Content-Length: 99999999999999999999\r\n\r\n", 400},
           {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
           {"Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
           {"Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
           {"Transfer-Encoding: identity\r\n\r\n", 501},
           {"Transfer-Encoding: xchunked\r\n\r\n", 501},
           {"Transfer-Encoding : chunked\r\n\r\n", 400},
           {" Transfer-Encoding: chunked\r\n\r\n", 400},
           {"X: a\r\n Transfer-Encoding: chunked\r\n\r\n", 400},
           {"X: a\r\n\tb\r\n\r\n", 400},
           {"X: a\nContent-Length: 3\r\n\r\n", 400},
           {"X: a\rb\r\n\r\n", 400},
           {"X\r\n\r\n", 400},
           {": a\r\n\r\n", 400},
           {"Host: b\r\n\r\n", 400},
           {"Expect: 200-ok\r\n\r\n", 417},
       }) {
    EXPECT_EQ(verdict(start + c.head), c.status) << c.head;
  }
  EXPECT_EQ(verdict(start + std::string("X: a\0b\r\n\r\n", 10)), 400);
}

TEST(RequestParser, RefusesBrokenStartLines) {
  for (const Refusal& c : {Refusal{"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
                           {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
                           {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
                           {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
                           {"GET /\r\nHost: a\r\n\r\n", 400},
                           {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                           {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                           {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                           {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 505},
                           {"\x16\x03\x01\x02\x00\x01", 400},  // TLS on a plain port
                           {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400}}) {
    EXPECT_EQ(verdict(c.head), c.status) << c.head;
  }
}

TEST(RequestParser, HoldsTheHeadsLimitOverLineAndFieldsTogether) {
  const std::string start = "GET /";
  const std::string end = " HTTP/1.1\r\nHost: a\r\nX: ";
  const auto head = [&](std::size_t target, std::size_t field) {
    return start + std::string(target, 'a') + end + std::string(field, 'b') + "\r\n\r\n";
  };
  const std::size_t rest = head(0, 0).size();
  EXPECT_EQ(verdict(head(1000, kLimit - rest - 1000)), 0);
  EXPECT_EQ(verdict(head(1000, kLimit - rest - 1000 + 1)), 431);
  EXPECT_EQ(verdict(head(2 * kLimit, 0)), 431);
  EXPECT_EQ(verdict(head(0, 2 * kLimit)), 431);
  EXPECT_EQ(verdict(head(kLimit - rest, kLimit / 2)), 431);
}

TEST(RequestParser, TakesTheHostOfAnAbsoluteTarget) {
  RequestParser parser;
  parser.reset(kLimit);
  const std::string head = "GET http://real:81/x?y HTTP/1.1\r\nHost: other\r\n\r\n";
  EXPECT_EQ(parser.put(head), head.size());
  ASSERT_TRUE(parser.head_done());
  EXPECT_EQ(parser.request().target, "/x?y");
  EXPECT_EQ(parser.request().headers.get("Host"), "real:81");
}

TEST(RequestParser, LeavesWhatFollowsTheHead) {
  RequestParser parser;
  parser.reset(kLimit);
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";
  EXPECT_EQ(parser.put(head + "bodyGET /"), head.size());
  EXPECT_EQ(parser.request().content_length, 4u);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_FALSE(parser.chunked());
}

struct Decoded {
  std::string body;
  bool done = false;
  bool bad = false;
  std::size_t left = 0;
};

Decoded decode(const std::string& wire, std::size_t step, std::size_t room) {
  RequestParser parser;
  parser.reset(kLimit);
  parser.put(std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  Decoded decoded;
  std::string pending;
  std::string buffer(room, '\0');
  std::size_t at = 0;
  while (!parser.chunked_done() && !decoded.bad) {
    const auto piece = parser.put_chunked(pending, buffer);
    pending.erase(0, piece.taken);
    decoded.body.append(buffer, 0, piece.produced);
    decoded.bad = piece.bad;
    if (piece.taken > 0 || piece.produced > 0) continue;
    if (at >= wire.size()) break;
    pending.append(wire, at, step);
    at += step;
  }
  decoded.done = parser.chunked_done();
  decoded.left = pending.size() + (at < wire.size() ? wire.size() - at : 0);
  return decoded;
}

TEST(ChunkedBody, IsTheSameInAnyPieces) {
  const std::string wire =
      "5\r\nhello\r\n1;name=value\r\n \r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (const std::size_t step : {1u, 2u, 3u, 7u, 1000u}) {
    for (const std::size_t room : {1u, 4u, 1000u}) {
      const Decoded decoded = decode(wire, step, room);
      EXPECT_EQ(decoded.body, "hello 0123456789") << step << " " << room;
      EXPECT_TRUE(decoded.done);
    }
  }
  EXPECT_EQ(decode(wire, 1000, 1000).left, 4u);
}

TEST(ChunkedBody, RefusesBrokenFraming) {
  for (const char* wire :
       {"x\r\n", "-1\r\na\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "5 ;\x01\r\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n", "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    const Decoded decoded = decode(wire, 1000, 1000);
    EXPECT_TRUE(decoded.bad) << wire;
    EXPECT_FALSE(decoded.done) << wire;
  }
}

TEST(ChunkedBody, TrailersDoNotBecomeHeaders) {
  RequestParser parser;
  parser.reset(kLimit);
  parser.put(std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  std::string buffer(10, '\0');
  const std::string wire = "0\r\nAuthorization: forged\r\n\r\n";
  parser.put_chunked(wire, buffer);
  ASSERT_TRUE(parser.chunked_done());
  EXPECT_EQ(parser.request().headers.find("Authorization"), std::nullopt);
}

}  // namespace
}  // namespace sampan::http
