#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "http/tests/serving.h"

namespace sampan::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Server, KeepsAConnectionForManyRequests) {
  Serving serving(echo);
  RawClient client = serving.client();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
    ASSERT_THAT(client.read_response(), EndsWith("POST /a [hi]"));
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Serving serving(echo);
  RawClient client = serving.client();
  std::string wire;
  for (int i = 0; i < 50; ++i) {
    wire += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n";
    wire += i % 2 == 0 ? "Content-Length: 3\r\n\r\nabc"
                       : "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  }
  ASSERT_TRUE(client.send(wire));
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(client.read_response(), EndsWith("POST /" + std::to_string(i) + " [abc]"));
  }
}

TEST(Server, AcceptsAHeadByteByByte) {
  Serving serving(echo);
  RawClient client = serving.client();
  for (const char c : std::string_view("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"))
    client.send(std::string_view(&c, 1));
  EXPECT_THAT(client.read_response(), EndsWith("GET /slow []"));
}

TEST(Server, ClosesWhenAsked) {
  Serving serving(echo);
  RawClient client = serving.client();
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string response = client.read_to_end();
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(response, EndsWith("GET / []"));
}

TEST(Server, ClosesAfterHttp10UnlessAskedToKeep) {
  Serving serving(echo);
  RawClient client = serving.client();
  client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.read_response(), HasSubstr("Connection: keep-alive\r\n"));
  client.send("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), EndsWith("GET /2 []"));
}

TEST(Server, TellsTheHandlerWhoAsks) {
  auto handler = [](Request& request, BodyReader&) -> Awaitable<Response> {
    co_return Response::text(200, request.remote_address + (request.tls ? " tls" : " plain"), "text/plain");
  };
  Serving serving(handler);
  RawClient client = serving.client();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("127.0.0.1 plain"));
}

struct BadHead {
  const char* wire;
  const char* answer;
};

TEST(Server, RefusesBadHeadsAndCloses) {
  std::atomic<int> handled{0};
  auto handler = [&handled](Request&, BodyReader&) -> Awaitable<Response> {
    ++handled;
    co_return Response();
  };
  Limits limits = patient_limits();
  limits.head_bytes = 1000;
  Serving serving(handler, limits);
  const std::string long_field = "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(5000, 'x') + "\r\n\r\n";
  for (const BadHead& c :
       {BadHead{"BAD\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\nHost: h\n\n", "HTTP/1.1 "},
        {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", "HTTP/1.1 505 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 400 "},
        {long_field.c_str(), "HTTP/1.1 431 "}}) {
    RawClient client = serving.client();
    client.send(c.wire);
    const std::string response = client.read_to_end();
    EXPECT_THAT(response, StartsWith(c.answer)) << c.wire;
    EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
    // One answer only: nothing behind a bad head is taken for a request.
    EXPECT_EQ(response.find("Date: "), response.rfind("Date: ")) << response;
  }
  EXPECT_EQ(handled, 0);
}

TEST(Server, AnswersASlowHeadWith408) {
  Limits limits = patient_limits();
  limits.head_timeout = milliseconds(100);
  Serving serving(echo, limits);
  RawClient client = serving.client();
  client.send("GET / HTTP/1.1\r\nHost:");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 "));
}

TEST(Server, EndsAHeadThatDripsForEver) {
  Limits limits = patient_limits();
  limits.head_timeout = milliseconds(200);
  Serving serving(echo, limits);
  RawClient client = serving.client();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n");
  const auto start = std::chrono::steady_clock::now();
  while (client.send("X: y\r\n") && std::chrono::steady_clock::now() - start < std::chrono::seconds(10)) {
    ::usleep(10'000);  // the peer's pace, not ours
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Server, ClosesIdleConnectionsWithoutAWord) {
  Limits limits = patient_limits();
  limits.idle_timeout = milliseconds(100);
  Serving serving(echo, limits);
  RawClient fresh = serving.client();
  EXPECT_TRUE(fresh.closed());
  RawClient kept = serving.client();
  kept.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(kept.read_response(), EndsWith("GET / []"));
  EXPECT_TRUE(kept.closed());
}

TEST(Server, DoesNotHurryAHandler) {
  Limits limits;
  limits.head_timeout = limits.idle_timeout = limits.body_stall_timeout = milliseconds(60);
  auto handler = [](Request&, BodyReader& body) -> Awaitable<Response> {
    co_await body.read_all(100);
    co_await io::sleep_for(milliseconds(400));
    co_return Response::text(200, "late", "text/plain");
  };
  Serving serving(handler, limits);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_THAT(client.read_response(), EndsWith("late"));
}

TEST(Server, TurnsConnectionsBeyondItsLimitAway) {
  Limits limits = patient_limits();
  limits.connections = 2;
  Serving serving(echo, limits);
  RawClient first = serving.client();
  RawClient second = serving.client();
  for (RawClient* client : {&first, &second}) {
    client->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client->read_response(), EndsWith("GET / []"));
  }
  EXPECT_TRUE(serving.client().closed());
  first.close();
  // The server hears of it in its own time.
  std::string answer;
  for (int i = 0; i < 500 && answer.empty(); ++i) {
    RawClient third = serving.client();
    third.send("GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    answer = third.read_to_end();
  }
  EXPECT_THAT(answer, EndsWith("GET /3 []"));
}

TEST(Server, AnswersAFailingHandlerWith500AndGoesOn) {
  auto handler = [](Request& request, BodyReader& body) -> Awaitable<Response> {
    if (request.target == "/fail") throw core::Error("open the secret", "no");
    co_return co_await echo(request, body);
  };
  Serving serving(handler);
  RawClient client = serving.client();
  testing::internal::CaptureStderr();
  client.send("GET /fail HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string response = client.read_response();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(response, Not(HasSubstr("secret")));  // that is the log's
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("GET /fail: open the secret: no"));
  client.send("GET /on HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("GET /on []"));
}

TEST(Server, TurnsAnUnsafeHeaderInto500) {
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    Response response;
    response.headers.add("Location", "/x\r\nSet-Cookie: stolen=1");
    co_return response;
  };
  Serving serving(handler);
  RawClient client = serving.client();
  testing::internal::CaptureStderr();
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string response = client.read_to_end();
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(response, Not(HasSubstr("Set-Cookie")));
}

TEST(Server, SendsNoBodyToHead) {
  auto handler = [](Request& request, BodyReader&) -> Awaitable<Response> {
    Response response = Response::text(200, "hello", "text/plain");
    if (request.target == "/big") {
      response.body = std::string();
      response.head_length = 123456789;
    }
    if (request.target == "/file") {
      FileBody file{file_with("0123456789"), 2, 5};
      response.body = std::move(file);
    }
    co_return response;
  };
  Serving serving(handler);
  RawClient client = serving.client();
  client.send(
      "HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD /big HTTP/1.1\r\nHost: h\r\n\r\n"
      "HEAD /file HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 123456789\r\n"));
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(client.read_response(), EndsWith("hello"));
}

TEST(Server, SendsPartsOfFiles) {
  std::string content;
  for (int i = 0; i < 3'000'000; ++i) content.push_back(static_cast<char>('a' + i % 23));
  const io::UniqueFd shared = file_with(content);
  auto handler = [&shared](Request& request, BodyReader&) -> Awaitable<Response> {
    Response response;
    FileBody file;
    file.file = io::UniqueFd(::dup(shared.get()));
    file.offset = request.target == "/all" ? 0 : 1'000'003;
    file.length = request.target == "/all" ? 3'000'000 : request.target == "/none" ? 0 : 1'234'567;
    response.status = request.target == "/all" ? 200 : 206;
    response.body = std::move(file);
    co_return response;
  };
  Serving serving(handler);
  RawClient client = serving.client();
  for (int i = 0; i < 3; ++i) {
    client.send(
        "GET /part HTTP/1.1\r\nHost: h\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\nGET /all "
        "HTTP/1.1\r\nHost: h\r\n\r\n");
    client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.read(1'234'567) == content.substr(1'000'003, 1'234'567));
    EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 0\r\n"));
    client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.read(3'000'000) == content);
  }
}

TEST(Server, BreaksOffWhenAFileIsShorterThanAnnounced) {
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    Response response;
    FileBody file{file_with("short"), 0, 1000};
    response.body = std::move(file);
    co_return response;
  };
  Serving serving(handler);
  RawClient client = serving.client();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\nshort"));
}

TEST(Server, EndsAPeerThatDoesNotReadItsResponse) {
  Limits limits = patient_limits();
  limits.body_stall_timeout = milliseconds(100);
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    co_return Response::text(200, std::string(64 * 1024 * 1024, 'x'), "text/plain");
  };
  Serving serving(handler, limits);
  RawClient client = serving.client();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ::usleep(700'000);  // the peer's sleep: longer than the limit
  EXPECT_LT(client.read_to_end().size(), 64u * 1024 * 1024);
}

TEST(Server, SendsLargeBodiesToSlowReadersWhole) {
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    co_return Response::text(200, std::string(20 * 1024 * 1024, 'x'), "text/plain");
  };
  Serving serving(handler);
  RawClient client = serving.client();
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  ::usleep(50'000);
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_to_end().size(), 20u * 1024 * 1024);
}

TEST(ServerStop, LetsRequestsUnderWayFinishAndTakesNoMore) {
  std::promise<void> entered;
  auto handler = [&entered](Request&, BodyReader&) -> Awaitable<Response> {
    entered.set_value();
    co_await io::sleep_for(milliseconds(150));
    co_return Response::text(200, "finished", "text/plain");
  };
  Serving serving(handler);
  RawClient busy = serving.client();
  RawClient idle = serving.client();
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  entered.get_future().get();
  auto stopped = io::asio::co_spawn(serving.running.executors.net(),
                                    serving.server.stop(milliseconds(30'000)), io::asio::use_future);
  EXPECT_TRUE(idle.closed());
  const std::string response = busy.read_to_end();
  EXPECT_THAT(response, EndsWith("finished"));
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  stopped.get();
  EXPECT_THROW(serving.client(), core::Error);
}

TEST(ServerStop, ClosesWhatDoesNotFinishInTime) {
  std::promise<void> entered;
  auto handler = [&entered](Request&, BodyReader& body) -> Awaitable<Response> {
    entered.set_value();
    co_await body.read_all(1000);
    co_return Response();
  };
  Serving serving(handler);
  RawClient client = serving.client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  entered.get_future().get();
  testing::internal::CaptureStderr();
  const auto start = std::chrono::steady_clock::now();
  serving.running.wait(serving.server.stop(milliseconds(100)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("did not finish within 100 ms"));
  EXPECT_TRUE(client.closed());
}

TEST(ServerListen, SaysWhoHoldsThePort) {
  Serving serving(echo);
  Server second(serving.running.executors, echo);
  try {
    second.listen("127.0.0.1", serving.port());
    FAIL() << "two servers on one port";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(),
                StartsWith("listen on 127.0.0.1:" + std::to_string(serving.port()) + ": address in use"));
    EXPECT_THAT(error.what(), HasSubstr("held by pid " + std::to_string(::getpid()) + " (http_tests)"));
  }
}

TEST(ServerListen, RefusesWhatIsNoAddressOfThisMachine) {
  io::Executors executors;
  Server server(executors, echo);
  for (const char* address : {"localhost", "", "1.2.3", "203.0.113.7"}) {
    EXPECT_THROW(server.listen(address, 0), core::Error) << address;
  }
}

TEST(ServerListen, TakesIpv6) {
  Serving serving(echo);
  Server server(serving.running.executors, echo);
  try {
    server.listen("::1", 0);
  } catch (const core::Error& error) {
    GTEST_SKIP() << "no IPv6 here: " << error.what();
  }
  EXPECT_NE(server.port(), 0);
}

io::UniqueFd unix_listener(const std::string& path) {
  io::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(fd.get(), 8) != 0) {
    throw core::errno_error("listen on " + path);
  }
  return fd;
}

TEST(ServerAdopt, ServesAnotherListenerWithItsOwnHandlerUntilStopped) {
  Serving serving(echo);
  io::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::listen(socket.get(), 8), 0);  // binds to a free port
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::uint16_t port = ntohs(address.sin_port);
  auto handler = [](Request&, BodyReader&) -> Awaitable<Response> {
    co_return Response::text(200, "adopted", "text/plain");
  };
  const std::uint64_t token = serving.server.adopt_listener(std::move(socket), handler);
  EXPECT_NE(serving.port(), port);
  RawClient client(port);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("adopted"));
  RawClient own = serving.client();
  own.send("GET /own HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(own.read_response(), EndsWith("GET /own []"));

  serving.server.stop_listening(token);
  EXPECT_TRUE(client.closed());
  EXPECT_THROW(RawClient{port}, core::Error);
  own.send("GET /still HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(own.read_response(), EndsWith("GET /still []"));
  serving.server.stop_listening(token);  // again, and one that never was: nothing
  serving.server.stop_listening(9999);
}

TEST(ServerAdopt, ServesUnixSockets) {
  const io::TemporaryDirectory directory;
  Serving serving(echo);
  const std::string path = (directory.path() / "s").string();
  auto handler = [](Request& request, BodyReader&) -> Awaitable<Response> {
    co_return Response::text(200, request.remote_address, "text/plain");
  };
  serving.server.adopt_listener(unix_listener(path), handler);
  const io::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  io::write_all(fd.get(), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  std::string response(4096, '\0');
  std::size_t used = 0;
  ssize_t n = 0;
  while ((n = ::read(fd.get(), response.data() + used, response.size() - used)) > 0)
    used += static_cast<std::size_t>(n);
  response.resize(used);
  EXPECT_THAT(response, EndsWith("unix"));
}

TEST(Server, MayGoBeforeItsConnectionsAndItsExecutors) {
  auto running = std::make_unique<io::Running>();
  auto server = std::make_unique<Server>(running->executors, echo, patient_limits());
  server->listen("127.0.0.1", 0);
  RawClient client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("GET / []"));
  server.reset();
  EXPECT_TRUE(client.closed());
  running.reset();
}

}  // namespace
}  // namespace sampan::http
