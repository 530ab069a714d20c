#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include <future>
#include <thread>

#include "core/encoding.h"
#include "http/tests/serving.h"

namespace sampan::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

ClientRequest get(std::string url) {
  ClientRequest request;
  request.url = std::move(url);
  return request;
}

std::string failure_of(io::Running& running, ClientRequest request) {
  try {
    running.wait(fetch(std::move(request)));
  } catch (const core::Error& error) {
    return error.what();
  }
  return "no failure";
}

// Answers each connection in turn with the next of some fixed texts, whatever it is asked, and closes.
class Scripted {
 public:
  explicit Scripted(std::vector<std::string> answers)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::listen(listener_.get(), 8);
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answers = std::move(answers)] { serve(answers); });
  }
  ~Scripted() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string url(const std::string& target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + target;
  }
  // What was asked on the i-th connection; complete when its answer has been read.
  std::string asked(std::size_t i) const { return asked_.at(i); }

 private:
  void serve(const std::vector<std::string>& answers) {
    asked_.resize(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const io::UniqueFd fd(::accept(listener_.get(), nullptr, nullptr));
      if (!fd) return;
      char piece[65536];
      while (asked_[i].find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(fd.get(), piece, sizeof(piece), 0);
        if (n <= 0) break;
        asked_[i].append(piece, static_cast<std::size_t>(n));
      }
      ::send(fd.get(), answers[i].data(), answers[i].size(), MSG_NOSIGNAL);
      ::shutdown(fd.get(), SHUT_WR);
      while (::recv(fd.get(), piece, sizeof(piece), 0) > 0) {
      }
    }
  }

  io::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::vector<std::string> asked_;
  std::thread thread_;
};

TEST(Client, SendsARequestAndReadsItsResponse) {
  Serving serving(echo);
  ClientRequest request = get(serving.url("/a?b=c"));
  request.method = "POST";
  request.body = "hello";
  request.headers.add("Content-Type", "text/plain");
  const ClientResponse response = serving.running.wait(fetch(request));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("content-type"), "text/plain");
  EXPECT_EQ(response.body, "POST /a?b=c [hello]");
}

TEST(Client, ReadsNoBodyAfterHead) {
  Serving serving(echo);
  ClientRequest request = get(serving.url("/"));
  request.method = "HEAD";
  const ClientResponse response = serving.running.wait(fetch(request));
  EXPECT_EQ(response.headers.get("Content-Length"), "9");
  EXPECT_EQ(response.body, "");
}

TEST(Client, CarriesLargeBodiesBothWays) {
  Serving serving(echo);
  ClientRequest request = get(serving.url("/"));
  request.method = "PUT";
  request.body = std::string(9'000'000, 'x');
  EXPECT_EQ(serving.running.wait(fetch(request)).body, "PUT / [" + request.body + "]");
}

struct Framing {
  const char* wire;
  const char* body;
};

TEST(Client, ReadsEveryFramingOfABody) {
  io::Running running;
  for (const Framing& c :
       {Framing{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n",
         "hello!"},
        {"HTTP/1.0 200 OK\r\n\r\nuntil close", "until close"},
        {"HTTP/1.1 200 OK\r\n\r\n", ""},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         "ok"},
        {"HTTP/1.1 204 No Content\r\n\r\nrest", ""}}) {
    const Scripted server({c.wire});
    EXPECT_EQ(running.wait(fetch(get(server.url()))).body, c.body) << c.wire;
  }
}

TEST(Client, TellsBrokenResponsesFromWholeOnes) {
  io::Running running;
  for (const Framing& c :
       {Framing{"", "the server closed the connection"},
        {"HTTP/1.1 200 OK\r\nContent-", "the server closed the connection"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "before its end"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "before its end"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not chunked encoding"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
         "read the response's head"},
        {"SSH-2.0-OpenSSH\r\n", "read the response's head"}}) {
    const Scripted server({c.wire});
    EXPECT_THAT(failure_of(running, get(server.url())), HasSubstr(c.body)) << c.wire;
  }
}

TEST(Client, HoldsItsLimits) {
  io::Running running;
  {
    const Scripted server({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    ClientRequest request = get(server.url());
    request.max_body = 5;
    EXPECT_EQ(running.wait(fetch(request)).body, "hello");
  }
  {
    const Scripted server({"HTTP/1.1 200 OK\r\n\r\nhello!"});
    ClientRequest request = get(server.url());
    request.max_body = 5;
    EXPECT_THAT(failure_of(running, request), HasSubstr("larger than 5 bytes"));
  }
  {
    const Scripted server({"HTTP/1.1 200 OK\r\nX: " + std::string(300'000, 'x')});
    EXPECT_THAT(failure_of(running, get(server.url())), HasSubstr("read the response's head"));
  }
}

TEST(Client, FollowsRedirectsWithTheRightMethod) {
  io::Running running;
  const Scripted target(
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  {
    const Scripted first({"HTTP/1.1 302 Found\r\nLocation: " + target.url("/there?x=1") + "\r\n\r\n"});
    ClientRequest request = get(first.url());
    request.method = "POST";
    request.body = "form";
    request.headers.add("Authorization", "secret");
    EXPECT_EQ(running.wait(fetch(request)).body, "ok");
    EXPECT_THAT(first.asked(0), HasSubstr("Authorization: secret"));
  }
  {
    const Scripted first(
        {"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + target.url("/again") + "\r\n\r\n"});
    ClientRequest request = get(first.url());
    request.method = "PUT";
    request.body = "kept";
    EXPECT_EQ(running.wait(fetch(request)).body, "ok");
  }
  EXPECT_THAT(target.asked(0), StartsWith("GET /there?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(target.asked(0), Not(HasSubstr("secret")));  // another origin
  EXPECT_THAT(target.asked(1), StartsWith("PUT /again HTTP/1.1\r\n"));
  EXPECT_THAT(target.asked(1), HasSubstr("Content-Length: 4\r\n"));
}

TEST(Client, KeepsAuthorizationWithinOneOrigin) {
  io::Running running;
  const Scripted server(
      {"HTTP/1.1 301 Moved\r\nLocation: /b\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
  ClientRequest request = get(server.url("/a"));
  request.headers.add("Authorization", "secret");
  EXPECT_EQ(running.wait(fetch(request)).status, 200);
  EXPECT_THAT(server.asked(1), StartsWith("GET /b HTTP/1.1\r\n"));
  EXPECT_THAT(server.asked(1), HasSubstr("Authorization: secret"));
}

TEST(Client, EndsALoopOfRedirects) {
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    Response response;
    response.status = 302;
    response.headers.add("Location", "/again");
    co_return response;
  };
  Serving serving(handler);
  EXPECT_THAT(failure_of(serving.running, get(serving.url("/"))), HasSubstr("more than 5 redirects"));
  ClientRequest request = get(serving.url("/"));
  request.max_redirects = 0;
  EXPECT_EQ(serving.running.wait(fetch(request)).status, 302);
}

TEST(Client, GivesUpOnASilentServer) {
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    co_await io::sleep_for(milliseconds(60'000));
    co_return Response();
  };
  Serving serving(handler);
  ClientRequest request = get(serving.url("/quiet?signature=abc"));
  request.timeout = milliseconds(100);
  EXPECT_EQ(failure_of(serving.running, request), "GET " + serving.url("/quiet") + ": timed out after 0.1s");
}

TEST(Client, GivesUpOnABodyThatStalls) {
  io::Running running;
  const io::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::listen(listener.get(), 1);
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  for (const char* head :
       {"HTTP/1.1 200 OK\r\n\r\npart", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"}) {
    ClientRequest request = get("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/");
    request.timeout = milliseconds(200);
    auto failed = std::async(std::launch::async, [&] { return failure_of(running, request); });
    const io::UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
    io::write_all(peer.get(), head);
    EXPECT_THAT(failed.get(), EndsWith("timed out after 0.2s"));
  }
}

TEST(Client, GivesUpOnAServerThatDoesNotAccept) {
  io::Running running;
  const io::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::listen(listener.get(), 0);
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const RawClient fills_the_queue(ntohs(address.sin_port));
  ClientRequest request = get("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/");
  request.timeout = milliseconds(200);
  EXPECT_THAT(failure_of(running, request), EndsWith("timed out after 0.2s"));
}

TEST(Client, SaysWhyItCouldNotConnect) {
  io::Running running;
  std::uint16_t port = 0;
  {
    Serving closed(echo);
    port = closed.port();
  }
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/";
  EXPECT_EQ(failure_of(running, get(url)), "GET " + url + ": connect: Connection refused");
  EXPECT_THAT(failure_of(running, get("unix:///no/such.sock:/x")), HasSubstr("No such file or directory"));
  EXPECT_THAT(failure_of(running, get("http://no-such-host.invalid/")),
              HasSubstr("look up no-such-host.invalid"));
  EXPECT_THAT(failure_of(running, get("unix:///" + std::string(200, 'x') + ":/")), HasSubstr("too long"));
}

TEST(Client, SendsNothingThatWouldBreakOutOfItsLine) {
  Serving serving(echo);
  ClientRequest request = get(serving.url("/"));
  request.headers.add("X", "a\r\nY: b");
  EXPECT_THAT(failure_of(serving.running, request), HasSubstr("line break"));
  request = get(serving.url("/"));
  request.method = "GET / HTTP/1.1\r\nX:";
  EXPECT_THAT(failure_of(serving.running, request), HasSubstr("not a token"));
}

TEST(Client, HearsAServerThatRefusesTheBodyEarly) {
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    co_return Response::text(413, "too much", "text/plain");
  };
  Serving serving(handler);
  ClientRequest request = get(serving.url("/"));
  request.method = "PUT";
  request.body = std::string(50'000'000, 'x');
  const ClientResponse response = serving.running.wait(fetch(request));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body, "too much");
}

TEST(Client, SpeaksToUnixSockets) {
  const io::TemporaryDirectory directory;
  const std::string path = (directory.path() / "s.sock").string();
  io::UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  Serving serving(echo);
  serving.server.adopt_listener(std::move(listener), echo);
  EXPECT_EQ(serving.running.wait(fetch(get("unix://" + path + ":/v1?x"))).body, "GET /v1?x []");
}

TEST(ClientFetchTo, StreamsABodyPastAnyLimitAndKeepsFailuresInTheResponse) {
  const std::string content(30'000'000, 'y');
  const io::UniqueFd file = file_with(content);
  auto handler = [&file](Request& request, BodyReader&) -> Awaitable<Response> {
    if (request.target == "/none") co_return Response::text(404, "not here", "text/plain");
    Response response;
    FileBody body{io::UniqueFd(::dup(file.get())), 0, 30'000'000};
    response.body = std::move(body);
    co_return response;
  };
  Serving serving(handler);
  core::Sha256 digest;
  std::uint64_t size = 0;
  const BodySink sink = [&](std::span<const char> piece) -> Awaitable<void> {
    digest.update(piece);
    size += piece.size();
    co_return;
  };
  ClientRequest request = get(serving.url("/file"));
  request.max_body = 1000;
  EXPECT_EQ(serving.running.wait(fetch_to(request, sink)).status, 200);
  EXPECT_EQ(size, content.size());
  EXPECT_EQ(digest.finish_hex(), core::sha256_hex(content));
  const ClientResponse missing = serving.running.wait(fetch_to(get(serving.url("/none")), sink));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, "not here");
}

TEST(ClientFetchTo, DoesNotCountTheSinksTime) {
  const Scripted server(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"});
  io::Running running;
  std::string got;
  const BodySink sink = [&got](std::span<const char> piece) -> Awaitable<void> {
    co_await io::sleep_for(milliseconds(300));
    got.append(piece.data(), piece.size());
  };
  ClientRequest request = get(server.url());
  request.timeout = milliseconds(100);
  running.wait(fetch_to(request, sink));
  EXPECT_EQ(got, "ab");
}

TEST(ClientFetchTo, PassesTheSinksFailureOn) {
  Serving serving(echo);
  const BodySink sink = [](std::span<const char>) -> Awaitable<void> {
    throw std::logic_error("full");
    co_return;
  };
  EXPECT_THROW(serving.running.wait(fetch_to(get(serving.url("/")), sink)), std::logic_error);
}

}  // namespace
}  // namespace sampan::http
