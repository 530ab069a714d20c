// The registry's blobs: sending and taking away.
#include <fmt/core.h>

#include "ecr/conditional.h"
#include "ecr/registry.h"
#include "ecr/registry_error.h"

namespace sampan::ecr {
namespace {

RegistryError blob_unknown() {
  return {404, "BLOB_UNKNOWN", "blob unknown to registry"};
}

}  // namespace

io::Awaitable<http::Response> Registry::get_blob(Exchange& exchange) {
  const auto digest = exchange.digest();
  auto* repositories = &repositories_;
  const auto* id = &exchange.repository;
  const bool visible = co_await io::on_control(
      executors_, [repositories, id, &digest] { return repositories->has_blob(*id, digest); });
  auto size = visible ? content_.size(digest) : std::nullopt;
  const bool far = visible && !size && repositories_.tier();
  if (far) size = co_await repositories_.size_of(digest);
  if (!size) throw blob_unknown();
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Docker-Content-Digest", digest.str());
  response.headers.set("ETag", '"' + digest.str() + '"');
  response.headers.set("Cache-Control", "max-age=31536000");
  if (exchange.is("HEAD")) {
    response.head_length = *size;
  } else {
    response.body = http::FileBody{{}, 0, *size};  // opened when it is known that it will be sent
  }
  response = conditional(exchange.request, std::move(response));
  if (!std::holds_alternative<http::FileBody>(response.body)) co_return response;
  if (const auto elsewhere = far ? repositories_.tier()->link(digest) : std::nullopt) {
    http::Response redirect;
    redirect.status = 307;  // the client sends its Range there
    redirect.headers.set("Docker-Content-Digest", digest.str());
    redirect.headers.set("Location", *elsewhere);
    redirect.headers.set("Cache-Control", "no-store");  // the link dies
    co_return redirect;
  }
  const auto held = content_.hold();  // what is brought stays until it is open
  if (far && !co_await repositories_.tier()->bring(digest)) throw blob_unknown();
  std::get<http::FileBody>(response.body).file = content_.open(digest);
  co_return response;
}

io::Awaitable<http::Response> Registry::delete_blob(Exchange& exchange) {
  const auto digest = exchange.digest();
  auto* repositories = &repositories_;
  const auto* id = &exchange.repository;
  co_await io::on_control(executors_, [repositories, id, &digest] {
    if (!repositories->has_blob(*id, digest)) throw blob_unknown();
    if (repositories->index().needs(id->key(), digest)) {
      RegistryError needed(405, "UNSUPPORTED", "A manifest of the repository needs the blob");
      needed.header("Allow", "GET, HEAD");
      throw needed;
    }
  });
  auto work = repositories_.unlink_blob(exchange.repository, digest);
  co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  http::Response response;
  response.status = 202;
  co_return response;
}

}  // namespace sampan::ecr
