// One HTTP/1.1 request off the wire: its head into a Request, and the pieces of a chunked body out of their
// framing. Refuses whatever two parsers could read in two ways (RFC 9112, 11.2), since HAProxy or another
// proxy may stand before us. Does no input or output; Boost.Beast's parser is behind it and nowhere else.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "http/message.h"

namespace sampan::http {

// What is answered when a head never becomes a request.
struct HeadFault {
  int status = 400;
  std::string reason;
};

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();

  // Forgets all: the next byte begins a request.
  void reset(std::size_t head_limit);

  // Takes bytes of a head and says how many it took; the rest is to be given again with more behind it.
  // After head_done() nothing more is taken: what follows belongs to the body or to the next request.
  std::size_t put(std::span<const char> bytes);
  bool head_done() const;
  const HeadFault* fault() const;  // no request comes of it any more

  // The rest after head_done().
  Request& request();
  bool keep_alive() const;
  bool http_1_0() const;
  bool expects_continue() const;
  bool chunked() const;

  struct Piece {
    std::size_t taken = 0;     // of the bytes
    std::size_t produced = 0;  // into the buffer
    bool bad = false;          // not chunked encoding
  };
  // Takes bytes of a chunked body and writes what they carry into `buffer`.
  Piece put_chunked(std::span<const char> bytes, std::span<char> buffer);
  bool chunked_done() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sampan::http
