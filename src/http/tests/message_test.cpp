#include "http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "http/response_head.h"
#include "http/url.h"
#include "io/tests/running.h"

namespace sampan::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(Headers, CompareNamesWithoutCaseAndKeepOrder) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("X", "1");
  headers.add("accept", "b");
  EXPECT_EQ(headers.find("ACCEPT"), "a");
  EXPECT_EQ(headers.get("none"), "");
  EXPECT_EQ(headers.find("none"), std::nullopt);
  headers.set("aCCept", "c");
  EXPECT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers.get("Accept"), "c");
  headers.erase("x");
  EXPECT_THAT(std::vector(headers.begin(), headers.end()), ElementsAre(Pair("aCCept", "c")));
}

TEST(Request, SplitsItsTargetAtTheFirstQuestionMark) {
  Request request;
  request.target = "/v2/a%20b?x=1?y";
  EXPECT_EQ(request.raw_path(), "/v2/a%20b");
  EXPECT_EQ(request.raw_query(), "x=1?y");
  request.target = "/plain";
  EXPECT_EQ(request.raw_path(), "/plain");
  EXPECT_EQ(request.raw_query(), "");
}

TEST(ParseQuery, DecodesPairsInOrder) {
  EXPECT_THAT(parse_query("b=1&a=x%20y+z&&c&d=&=e&a=2=3"),
              ElementsAre(Pair("b", "1"), Pair("a", "x y z"), Pair("c", ""), Pair("d", ""), Pair("", "e"),
                          Pair("a", "2=3")));
  EXPECT_THAT(parse_query(""), ElementsAre());
  EXPECT_THAT(parse_query("a=%zz"), ElementsAre(Pair("a", "%zz")));
}

class Pieces final : public BodyReader {
 public:
  explicit Pieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  boost::asio::awaitable<std::size_t> read_some(std::span<char> buffer) override {
    if (at_ == pieces_.size()) co_return 0;
    std::string& piece = pieces_[at_];
    const std::size_t n = std::min(piece.size(), buffer.size());
    std::copy_n(piece.begin(), n, buffer.begin());
    piece.erase(0, n);
    if (piece.empty()) ++at_;
    co_return n;
  }

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
};

TEST(BodyReader, ReadAllHoldsItsLimitExactly) {
  io::Running running;
  Pieces at_limit({std::string(5000, 'a'), std::string(5000, 'b')});
  EXPECT_EQ(running.wait(at_limit.read_all(10000)), std::string(5000, 'a') + std::string(5000, 'b'));
  Pieces beyond({std::string(5000, 'a'), std::string(5001, 'b')});
  EXPECT_THROW(running.wait(beyond.read_all(10000)), BodyTooLarge);
  Pieces empty({});
  EXPECT_EQ(running.wait(empty.read_all(0)), "");
  Pieces one({"x"});
  EXPECT_THROW(running.wait(one.read_all(0)), BodyTooLarge);
}

std::string head_of(const Response& response, const std::string& method = "GET", bool keep = true,
                    bool old = false) {
  Request request;
  request.method = method;
  std::string out;
  append_response_head(out, request, response, keep, old);
  return out;
}

TEST(ResponseHead, SetsFramingItselfWhateverTheHandlerSays) {
  Response response = Response::text(200, "hello", "text/plain");
  response.headers.add("Content-Length", "99");
  response.headers.add("transfer-encoding", "chunked");
  response.headers.add("Connection", "upgrade");
  const std::string head = head_of(response);
  EXPECT_THAT(head, testing::StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(head, HasSubstr("\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("chunked")));
  EXPECT_THAT(head, Not(HasSubstr("upgrade")));
}

TEST(ResponseHead, RefusesFieldsThatWouldBreakOutOfTheirLine) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"X", "a\r\nSet-Cookie: b"},
                                                        {"X", "a\nb"},
                                                        {"X", "a\rb"},
                                                        {"X", std::string("a\0b", 3)},
                                                        {"X Y", "a"},
                                                        {"X:", "a"},
                                                        {"", "a"},
                                                        {"X\r\n", "a"}}) {
    Response response;
    response.headers.add(name, value);
    EXPECT_THROW(head_of(response), core::Error) << name << "=" << value;
  }
}

TEST(ResponseHead, AnnouncesNoLengthWhereNoneMayBe) {
  Response response;
  response.status = 204;
  EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Length")));
  response.status = 304;
  EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Length")));
  response.status = 404;
  EXPECT_THAT(head_of(response), HasSubstr("Content-Length: 0\r\n"));
}

TEST(ResponseHead, AnnouncesToHeadWhatGetWouldSend) {
  Response response;
  response.head_length = 1'000'000'000'000;
  EXPECT_THAT(head_of(response, "HEAD"), HasSubstr("Content-Length: 1000000000000\r\n"));
  EXPECT_THAT(head_of(response, "GET"), HasSubstr("Content-Length: 0\r\n"));
}

TEST(ResponseHead, SaysWhatBecomesOfTheConnection) {
  EXPECT_THAT(head_of({}, "GET", false), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head_of({}, "GET", true), Not(HasSubstr("Connection")));
  EXPECT_THAT(head_of({}, "GET", true, true), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(HttpDate, IsTheFormOfRfc9110) {
  EXPECT_EQ(render_http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(render_http_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(Url, ReadsItsParts) {
  const Url url = parse_url("HTTPS://Example.com:8443/a/b?x=1#part");
  EXPECT_EQ(url.scheme, Url::Scheme::kHttps);
  EXPECT_EQ(url.host, "Example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/a/b?x=1");
  EXPECT_EQ(url.origin(), "https://example.com:8443");
  EXPECT_EQ(url.printable(), "https://Example.com:8443/a/b");
  EXPECT_EQ(parse_url("http://h").target, "/");
  EXPECT_EQ(parse_url("http://h?q").target, "/?q");
  EXPECT_EQ(parse_url("http://h").host_header(), "h");
  EXPECT_EQ(parse_url("http://h:443").host_header(), "h:443");
  EXPECT_EQ(parse_url("http://[::1]:81/").host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/").host_header(), "[::1]:81");
}

TEST(Url, ReadsUnixSockets) {
  const Url url = parse_url("unix:///run/a.sock:/v1/x?y");
  EXPECT_EQ(url.scheme, Url::Scheme::kUnix);
  EXPECT_EQ(url.host, "/run/a.sock");
  EXPECT_EQ(url.target, "/v1/x?y");
  EXPECT_EQ(parse_url("unix:///run/a.sock").target, "/");
}

TEST(Url, RefusesWhatItCannotMean) {
  for (const char* bad : {"", "example.com", "ftp://h/", "http://", "http:///x", "http://h:0/",
                          "http://h:65536/", "http://h:x/", "http://u:p@h/", "http://[::1/", "http://[::1]x/",
                          "http://h/a b", "http://h/\r\nX: y", "unix://relative:/x", "unix://"}) {
    EXPECT_THROW(parse_url(bad), core::Error) << bad;
  }
}

TEST(Url, FollowsLocations) {
  const Url base = parse_url("http://h:81/a/b/c?q=1");
  const auto to = [&base](const char* location) {
    const Url url = resolve_location(base, location);
    return url.origin() + url.target;
  };
  EXPECT_EQ(to("https://o/x"), "https://o:443/x");
  EXPECT_EQ(to("//o/x"), "http://o:80/x");
  EXPECT_EQ(to("/x/./y/../z?r#f"), "http://h:81/x/z?r");
  EXPECT_EQ(to("d"), "http://h:81/a/b/d");
  EXPECT_EQ(to("../d/"), "http://h:81/a/d/");
  EXPECT_EQ(to("../../../../d"), "http://h:81/d");
  EXPECT_EQ(to("?r=2"), "http://h:81/a/b/c?r=2");
}

TEST(Url, FollowsNoLocationToASocketOrAnotherScheme) {
  const Url base = parse_url("http://h/");
  for (const char* bad : {"unix:///run/docker.sock:/x", "file:///etc/passwd", "http://h/\nx"}) {
    EXPECT_THROW(resolve_location(base, bad), core::Error) << bad;
  }
}

}  // namespace
}  // namespace sampan::http
