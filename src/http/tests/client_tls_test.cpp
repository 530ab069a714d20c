#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <thread>

#include "core/error.h"
#include "http/client.h"
#include "io/file.h"
#include "io/subprocess.h"
#include "io/tests/running.h"

namespace sampan::http {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

// A certificate for "localhost" that is its own root. The client reads SSL_CERT_FILE once, at its first
// https request in this process: all tests here share it.
class Certificate {
 public:
  static const Certificate& shared() {
    static const Certificate certificate;
    return certificate;
  }
  std::string key() const { return (directory_.path() / "key.pem").string(); }
  std::string certificate() const { return (directory_.path() / "cert.pem").string(); }

 private:
  Certificate() {
    io::Command command;
    command.argv = {"openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                    "-keyout",
                    key(),
                    "-out",
                    certificate(),
                    "-days",
                    "1",
                    "-subj",
                    "/CN=localhost",
                    "-addext",
                    "subjectAltName=DNS:localhost"};
    io::run_or_throw(command);
    ::setenv("SSL_CERT_FILE", certificate().c_str(), 1);
  }
  io::TemporaryDirectory directory_;
};

// Serves one connection over TLS: reads a head, sends `answer`, says farewell unless told not to.
class TlsServer {
 public:
  enum class End { kFarewell, kCut };
  TlsServer(std::string answer, End end)
      : acceptor_(context_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        thread_([this, answer = std::move(answer), end] { serve(answer, end); }) {}
  ~TlsServer() { thread_.join(); }
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(acceptor_.local_endpoint().port()) + "/x";
  }
  const std::string& server_name() const { return server_name_; }

 private:
  void serve(const std::string& answer, End end) {
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file(Certificate::shared().certificate());
    tls.use_private_key_file(Certificate::shared().key(), asio::ssl::context::pem);
    asio::ssl::stream<asio::ip::tcp::socket> stream(context_, tls);
    acceptor_.accept(stream.next_layer());
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::server, error);
    if (error) return;
    const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    server_name_ = name != nullptr ? name : "";
    std::string head;
    asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n", error);
    asio::write(stream, asio::buffer(answer), error);
    if (end == End::kFarewell) stream.shutdown(error);
  }

  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  std::string server_name_;
  std::thread thread_;
};

class ClientTls : public testing::Test {
 protected:
  void SetUp() override {
    if (!io::find_program("openssl")) GTEST_SKIP() << "no openssl program to make a certificate with";
    Certificate::shared();
  }

  ClientResponse get(const std::string& url) {
    ClientRequest request;
    request.url = url;
    request.timeout = std::chrono::milliseconds(10'000);
    return running_.wait(fetch(std::move(request)));
  }
  std::string failure_of(const std::string& url) {
    try {
      get(url);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "no failure";
  }

  io::Running running_;
};

TEST_F(ClientTls, TrustsARootOfTheSystemAndNamesTheServer) {
  TlsServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", TlsServer::End::kFarewell);
  EXPECT_EQ(get(server.url("localhost")).body, "ok");
  EXPECT_EQ(server.server_name(), "localhost");
}

TEST_F(ClientTls, RefusesACertificateForAnotherName) {
  TlsServer server("HTTP/1.1 200 OK\r\n\r\n", TlsServer::End::kFarewell);
  EXPECT_THAT(failure_of(server.url("127.0.0.1")), HasSubstr("TLS with 127.0.0.1"));
}

TEST_F(ClientTls, TellsACutBodyFromAWholeOne) {
  {
    TlsServer server("HTTP/1.1 200 OK\r\n\r\nwhole", TlsServer::End::kFarewell);
    EXPECT_EQ(get(server.url("localhost")).body, "whole");
  }
  TlsServer server("HTTP/1.1 200 OK\r\n\r\npart", TlsServer::End::kCut);
  EXPECT_THAT(failure_of(server.url("localhost")), HasSubstr("read over TLS"));
}

}  // namespace
}  // namespace sampan::http
