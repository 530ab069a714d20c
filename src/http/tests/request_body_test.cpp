#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "core/encoding.h"
#include "http/tests/serving.h"

namespace sampan::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Awaitable<Response> digest(Request&, BodyReader& body) {
  core::Sha256 sha;
  std::uint64_t size = 0;
  std::vector<char> buffer(100'000);
  while (const std::size_t n = co_await body.read_some(buffer)) {
    sha.update(std::span(buffer).first(n));
    size += n;
  }
  co_return Response::text(200, std::to_string(size) + " " + sha.finish_hex(), "text/plain");
}

Awaitable<Response> ignore_body(Request& request, BodyReader&) {
  co_return Response::text(200, "ignored " + request.target, "text/plain");
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

std::string chunked(const std::string& bytes, std::size_t chunk) {
  std::string wire;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    const std::string piece = bytes.substr(at, chunk);
    wire += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  return wire + "0\r\n\r\n";
}

TEST(RequestBody, StreamsCountedBodiesOfAnySize) {
  Serving serving(digest);
  RawClient client = serving.client();
  for (const std::size_t size : {0u, 1u, 8191u, 8192u, 100'000u, 10'000'000u}) {
    const std::string bytes = pattern(size);
    ASSERT_TRUE(
        client.send(fmt::format("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", size) + bytes));
    EXPECT_THAT(client.read_response(),
                EndsWith(fmt::format("\r\n\r\n{} {}", size, core::sha256_hex(bytes))));
  }
}

TEST(RequestBody, StreamsChunkedBodiesOfAnyShape) {
  Serving serving(digest);
  RawClient client = serving.client();
  for (const std::size_t size : {0u, 1u, 70'000u, 3'000'000u}) {
    for (const std::size_t chunk : {13u, 4096u, 32'768u, 1'000'000u}) {
      const std::string bytes = pattern(chunk == 13 ? std::min<std::size_t>(size, 70'000) : size);
      ASSERT_TRUE(client.send("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
                              chunked(bytes, chunk)));
      EXPECT_THAT(client.read_response(),
                  EndsWith(fmt::format("\r\n\r\n{} {}", bytes.size(), core::sha256_hex(bytes))));
    }
  }
}

TEST(RequestBody, InvitesAWaitingPeerWhenItIsFirstRead) {
  Serving serving(echo);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_THAT(client.read_response(), EndsWith("POST / [body]"));
  client.send("POST /2 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("2\r\nhi\r\n0\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("POST /2 [hi]"));
}

TEST(RequestBody, DoesNotInviteABodyThatNobodyReads) {
  Serving serving(ignore_body);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  const std::string response = client.read_response();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));  // the peer may or may not send it now
  EXPECT_TRUE(client.closed());
}

TEST(RequestBody, DoesNotInviteAPeerThatDidNotWait) {
  Serving serving(echo);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST(RequestBody, ReadsASmallUnreadBodyAwayAndKeepsTheConnection) {
  Serving serving(ignore_body);
  RawClient client = serving.client();
  client.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x') +
              "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
              chunked(std::string(50'000, 'y'), 999) + "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("ignored /1"));
  EXPECT_THAT(client.read_response(), EndsWith("ignored /2"));
  EXPECT_THAT(client.read_response(), EndsWith("ignored /3"));
}

TEST(RequestBody, ClosesAfterALargeUnreadBodyButDeliversTheAnswer) {
  Serving serving(ignore_body);
  RawClient client = serving.client();
  const std::string large(20'000'000, 'x');
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n" + large);
  const std::string response = client.read_to_end();
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(response, EndsWith("ignored /"));
}

TEST(RequestBody, AnswersABodyBeyondTheHandlersLimitWith413) {
  auto handler = [](Request&, BodyReader& body) -> Awaitable<Response> {
    co_await body.read_all(1000);
    co_return Response();
  };
  Serving serving(handler);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n" +
              std::string(10'000'000, 'x'));
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 413 "));
}

TEST(RequestBody, AnswersBrokenChunksWith400) {
  Serving serving(echo);
  for (const char* wire : {"zz\r\n", "5\r\nhelloWORLD\r\n0\r\n\r\n", "5\nhello\n0\n\n\r\n"}) {
    RawClient client = serving.client();
    client.send(std::string("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n") + wire);
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 400 ")) << wire;
  }
}

TEST(RequestBody, RefusesAChunkExtensionWithoutEnd) {
  Serving serving(echo);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;");
  client.send(std::string(1'000'000, 'x'));
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 400 "));
}

TEST(RequestBody, TellsTheHandlerThatThePeerLeft) {
  std::promise<std::string> heard;
  auto handler = [&heard](Request&, BodyReader& body) -> Awaitable<Response> {
    try {
      co_await body.read_all(1000);
      heard.set_value("whole");
    } catch (const BodyError& error) {
      heard.set_value(error.what());
    }
    co_return Response();
  };
  Serving serving(handler);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  client.finish_sending();
  EXPECT_EQ(heard.get_future().get(), "the peer closed before the body's end");
  EXPECT_TRUE(client.closed());
}

TEST(RequestBody, AnswersAStalledBodyWith408) {
  Limits limits = patient_limits();
  limits.body_stall_timeout = milliseconds(100);
  Serving serving(echo, limits);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 "));
}

TEST(RequestBody, TakesABodyThatIsSlowButFlows) {
  Limits limits = patient_limits();
  limits.body_stall_timeout = milliseconds(300);
  Serving serving(echo, limits);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    ::usleep(60'000);  // the peer's pace: twice the limit in all
    client.send("x");
  }
  EXPECT_THAT(client.read_response(), EndsWith("[xxxxxxxxxx]"));
}

}  // namespace
}  // namespace sampan::http
