// Builds and other long work on images over HTTP, for `sampan build`, `image bootstrap` and `image import`:
//   POST /sampan/v1/build?t=NAME:TAG&t=…&dockerfile=F&arg=K=V&arg=…&target=S&no_cache=1
//        body: the context as a tar stream (plain, gzip or zstd); a secret travels as a header
//        `x-sampan-build-secret: ID:BASE64` (repeated)
//   POST /sampan/v1/images/bootstrap?name=debian:bookworm
//   POST /sampan/v1/images/import?t=NAME:TAG        body: a `docker save` or OCI archive
//   POST /sampan/v1/images/pull?name=REF            from wherever the name leads; tagged NAME here
//   POST /sampan/v1/images/push?name=REF&to=HOST/REF&user=U   (password: header `x-sampan-registry-password`)
// each answer 202 {"id":"…"} once the body has arrived; then
//   GET  /sampan/v1/build/<id>?from=<n>             JSON lines: events n and later; waits up to 10 s for one
//   DELETE /sampan/v1/build/<id>                    cancels
// A line is one of
//   {"type":"status","text":…}
//   {"type":"step","step":2,"steps":5,"stage":"build","text":"RUN make"}
//   {"type":"cached","step":2}        {"type":"done","step":2,"ms":1234}
//   {"type":"log","step":2,"stream":"stdout","text":…}
// and the last one
//   {"type":"result","digest":"sha256:…","tags":[…],"size":n,"exposed_ports":[8080]}   or
//   {"type":"error","text":"Dockerfile:7: RUN make: exit code 2"}
// Finished jobs are remembered for ten minutes. The caller has been authenticated before it comes here.
#pragma once

#include <memory>
#include <string>

#include "build/bootstrap.h"
#include "build/builder.h"
#include "http/message.h"

namespace sampan::build {

class HttpApi {
 public:
  // All must outlive this.
  HttpApi(io::Executors& executors, Builder& builder, Bootstrap& bootstrap, image::Images& images,
          image::ContentStore& content, image::Catalog& catalog, std::filesystem::path data_dir);
  ~HttpApi();

  // Whether `path` is one of the above.
  static bool serves(std::string_view path);
  io::Awaitable<http::Response> handle(http::Request& request, http::BodyReader& body,
                                       image::Registry registry);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with jobs under way
};

}  // namespace sampan::build
