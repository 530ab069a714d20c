// Small real backends and clients for the tests that drive a real HAProxy.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sampan::elb {

int free_port();

// An HTTP/1.1 server on a free port of 127.0.0.1: answers every request with its name and the request's head.
class TestBackend {
 public:
  explicit TestBackend(std::string name);
  ~TestBackend();
  int port() const { return port_; }
  std::atomic<int> health_status{200};  // of /health
  std::atomic<int> requests{0};         // health checks not counted
  std::atomic<int> delay_ms{0};

 private:
  void accept_all();
  void serve(int fd);
  std::string name_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

struct Answer {
  int status = 0;                              // 0: no answer
  std::map<std::string, std::string> headers;  // lower-case names; the last one of a name
  std::string cookies;                         // all Set-Cookie lines
  std::string body;
  // The first word of the body: the backend's name.
  std::string by() const { return body.substr(0, body.find('\n')); }
};

// A connection that lives over several requests; reconnects only when told to close or when there is none.
class TestClient {
 public:
  explicit TestClient(int port) : port_(port) {}
  ~TestClient();
  Answer get(const std::string& path, const std::string& more_headers = "", const std::string& host = "x",
             const std::string& method = "GET");

 private:
  int port_;
  int fd_ = -1;
};

Answer get(int port, const std::string& path, const std::string& more_headers = "",
           const std::string& host = "x", const std::string& method = "GET");

}  // namespace sampan::elb
