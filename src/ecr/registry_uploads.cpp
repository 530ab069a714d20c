// The registry's uploads: in one piece, in chunks, or by mounting what another repository has.
#include <fmt/core.h>

#include "ecr/ranges.h"
#include "ecr/registry.h"
#include "ecr/registry_error.h"
#include "image/receive.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kMostMountSources = 20'000;  // looked at for a mount that names none: some milliseconds

std::string upload_path(const Uploads::Upload& upload) {
  return "/v2/" + upload.repository.name + "/blobs/uploads/" + upload.id;
}

// What an upload has so far: the last byte's number, and 0-0 for nothing, as Docker's registry says it.
std::string range_so_far(std::uint64_t size) {
  return fmt::format("0-{}", size == 0 ? 0 : size - 1);
}

http::Response upload_answer(int status, const Uploads::Upload& upload) {
  http::Response response;
  response.status = status;
  response.headers.set("Location", upload_path(upload));
  response.headers.set("Docker-Upload-UUID", upload.id);
  response.headers.set("Range", range_so_far(upload.writer.size()));
  return response;
}

http::Response created(const RepositoryId& repository, const image::Digest& digest) {
  http::Response response;
  response.status = 201;
  response.headers.set("Location", "/v2/" + repository.name + "/blobs/" + digest.str());
  response.headers.set("Docker-Content-Digest", digest.str());
  return response;
}

image::Digest parse_digest(const std::string& text) {
  if (auto digest = image::Digest::parse(text)) return *digest;
  throw RegistryError(400, "DIGEST_INVALID",
                      fmt::format("'{}' is no digest: sha256 and sha512 are known", text.substr(0, 200)));
}

// OCI 1.1.1: the client may say ahead by which hash the blob will be named.
core::HashAlgorithm parse_algorithm(const std::string& name) {
  if (name.empty() || name == "sha256") return core::HashAlgorithm::kSha256;
  if (name == "sha512") return core::HashAlgorithm::kSha512;
  throw RegistryError(
      400, "DIGEST_INVALID",
      fmt::format("'{}' is no digest algorithm: sha256 and sha512 are known", name.substr(0, 100)));
}

RegistryError out_of_order(const Uploads::Upload& upload) {
  RegistryError error(
      416, "RANGE_INVALID",
      fmt::format("The chunk does not begin at byte {}, where the upload stands", upload.writer.size()));
  error.header("Location", upload_path(upload)).header("Range", range_so_far(upload.writer.size()));
  return error;
}

bool has_body(const http::Request& request) {
  return request.content_length != 0;
}

}  // namespace

Uploads::Claim Registry::claim_upload(const Exchange& exchange) {
  auto problem = Uploads::Problem::kNone;
  auto claim = uploads_.claim(exchange.repository, exchange.route.reference, problem);
  if (problem == Uploads::Problem::kBusy) {
    throw RegistryError(409, "BLOB_UPLOAD_INVALID", "Another request is sending to this upload");
  }
  if (!claim) throw RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  return std::move(*claim);
}

// Where the blob is, as far as the visitor may read there: who may not sends the bytes instead, as one to
// whom the repository is unknown. On the control strand.
std::optional<RepositoryId> Registry::mount_source(const Exchange& exchange,
                                                   const image::Digest& digest) const {
  const auto& own = exchange.repository;
  const auto& held = exchange.visitor.scopes;
  const auto fits = [&](const RepositoryId& from) {
    if (!repositories_.has_blob(from, digest)) return false;
    if (from == own) return true;
    if (held && !covers(*held, {Scope{from.name, true}})) return false;
    return !refusal(exchange, from, kMountAction);
  };
  auto from = own;
  if (const auto name = exchange.param("from"); !name.empty()) {
    from.name = name;
    return fits(from) ? std::optional(from) : std::nullopt;
  }
  // Without `from` any repository of the account will do.
  if (fits(own)) return own;
  const auto prefix = own.account + '/' + own.region + '/';
  const auto& all = repositories_.repositories();
  std::size_t seen = 0;
  for (auto row = all.lower_bound(prefix); row != all.end() && row->first.starts_with(prefix); ++row) {
    if (++seen > kMostMountSources) break;
    from.name = row->first.substr(prefix.size());
    if (fits(from)) return from;
  }
  return std::nullopt;
}

io::Awaitable<std::optional<http::Response>> Registry::try_mount(Exchange& exchange) {
  const auto mount = exchange.param("mount");
  if (mount.empty()) co_return std::nullopt;
  if (settings_ && !settings_->mounts_blobs(exchange.repository)) co_return std::nullopt;
  const auto digest = parse_digest(mount);
  if (!content_.has(digest) && !co_await repositories_.size_of(digest)) co_return std::nullopt;
  const auto look = [this, &exchange, &digest] { return mount_source(exchange, digest).has_value(); };
  if (!co_await io::on_control(executors_, look)) co_return std::nullopt;
  auto work = repositories_.link_blob(exchange.repository, digest);
  co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  co_return created(exchange.repository, digest);
}

io::Awaitable<http::Response> Registry::start_upload(Exchange& exchange) {
  auto mounted = co_await try_mount(exchange);
  if (mounted) co_return std::move(*mounted);
  const bool whole = !exchange.param("digest").empty();
  const auto algorithm = whole ? parse_digest(exchange.param("digest")).algorithm()
                               : parse_algorithm(exchange.param("digest-algorithm"));
  auto* uploads = &uploads_;
  const auto* id = &exchange.repository;
  auto claim =
      co_await io::offload(executors_, [uploads, id, algorithm] { return uploads->start(*id, algorithm); });
  if (!claim) {
    throw RegistryError(429, "TOOMANYREQUESTS", "Too many uploads are under way").header("Retry-After", "30");
  }
  if (whole) co_return co_await complete(exchange, std::move(*claim));
  co_return upload_answer(202, **claim);
}

io::Awaitable<void> Registry::receive(Exchange& exchange, Uploads::Claim& claim) {
  if (claim->broken)
    throw RegistryError(400, "BLOB_UPLOAD_INVALID", "The upload has failed; begin a new one");
  const auto header = exchange.request.headers.get("Content-Range");
  std::optional<ChunkRange> range;
  if (!header.empty()) {
    range = parse_chunk_range(header);
    if (!range) throw RegistryError(416, "RANGE_INVALID", "The Content-Range is malformed");
    if (range->first != claim->writer.size()) throw out_of_order(*claim);
    const auto length = range->last - range->first + 1;
    if (exchange.request.content_length && *exchange.request.content_length != length) {
      throw RegistryError(400, "SIZE_INVALID", "Content-Range and Content-Length do not agree");
    }
  }
  const auto check_length = [&] {
    if (!range || claim->writer.size() == range->last + 1) return;
    claim.drop();  // it has other bytes than were announced
    throw RegistryError(400, "SIZE_INVALID", "The chunk has not the length that its Content-Range says");
  };
  if (!has_body(exchange.request)) co_return check_length();
  const auto room = kLargestBlob - claim->writer.size();
  try {
    co_await image::receive_blob(executors_, exchange.body, claim->writer, room);
  } catch (const core::Error&) {
    claim->broken = true;
    claim.drop();
    throw;
  } catch (const http::BodyTooLarge&) {
    claim.drop();
    throw;
  }
  check_length();
}

io::Awaitable<http::Response> Registry::continue_upload(Exchange& exchange) {
  auto claim = claim_upload(exchange);
  co_await receive(exchange, claim);
  co_return upload_answer(202, *claim);
}

io::Awaitable<http::Response> Registry::finish_upload(Exchange& exchange) {
  auto claim = claim_upload(exchange);
  co_return co_await complete(exchange, std::move(claim));
}

// The last bytes, if any, then the digest, then the repository's right to show the blob.
io::Awaitable<http::Response> Registry::complete(Exchange& exchange, Uploads::Claim claim) {
  const auto digest = parse_digest(exchange.param("digest"));
  co_await receive(exchange, claim);
  claim.drop();
  auto* writer = &claim->writer;
  co_await io::offload(executors_, [writer, digest] { writer->finish(digest); });
  auto work = repositories_.link_blob(exchange.repository, digest);
  co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  co_return created(exchange.repository, digest);
}

io::Awaitable<http::Response> Registry::upload_status(Exchange& exchange) {
  const auto claim = claim_upload(exchange);
  co_return upload_answer(204, *claim);
}

io::Awaitable<http::Response> Registry::cancel_upload(Exchange& exchange) {
  auto claim = claim_upload(exchange);
  claim.drop();
  http::Response response;
  response.status = 204;
  co_return response;
}

}  // namespace sampan::ecr
