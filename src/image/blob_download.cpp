#include "image/blob_download.h"

#include <fmt/core.h>

#include "core/log.h"
#include "core/text.h"

namespace sampan::image {
namespace {

constexpr std::size_t kFlushAt = 512 * 1024;
// Fewer bytes than this in such a time is no transfer; it would hold its place for days.
constexpr std::chrono::seconds kPaceWindow{60};
constexpr std::uint64_t kPaceBytes = 64 * 1024;

// "bytes 100-199/200" begins where we asked.
bool continues_at(std::string_view content_range, std::uint64_t offset) {
  return content_range.starts_with(fmt::format("bytes {}-", offset));
}

}  // namespace

BlobDownload::BlobDownload(io::Executors& executors, RegistrySession& session, ContentStore& content,
                           BlobWanted wanted)
    : executors_(executors), session_(session), content_(content), wanted_(std::move(wanted)) {}

void BlobDownload::begin_anew() {
  writer_.reset();
  writer_.emplace(content_.writer(io::Durability::kFlushed, wanted_.digest.algorithm()));
  received_ = 0;
  pending_.clear();
}

void BlobDownload::check_pace() {
  const auto now = std::chrono::steady_clock::now();
  if (now - pace_from_ < kPaceWindow) return;
  if (pace_received_ < kPaceBytes) {
    throw core::Error(fmt::format("fewer than {} bytes came in {} s", kPaceBytes, kPaceWindow.count()));
  }
  pace_from_ = now;
  pace_received_ = 0;
}

io::Awaitable<void> BlobDownload::flush() {
  auto* writer = &*writer_;
  const std::span<const char> bytes(pending_);
  try {
    co_await io::offload(executors_, [writer, bytes] { writer->write(bytes); });
  } catch (const core::Error&) {
    fatal_ = std::current_exception();
    throw;
  }
  pending_.clear();
}

io::Awaitable<void> BlobDownload::take(std::span<const char> bytes) {
  received_ += bytes.size();
  pace_received_ += bytes.size();
  if (received_ > limit()) {
    fatal_ = std::make_exception_ptr(
        RegistryFailure(RegistryFailure::Kind::kWrong, "get blob " + wanted_.digest.str(),
                        fmt::format("there are more than the {} bytes that {}", limit(),
                                    wanted_.size ? "its manifest says" : "a layer may have")));
    throw core::Error("too long");
  }
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  if (wanted_.progress) wanted_.progress(received_);
  check_pace();
  if (pending_.size() >= kFlushAt) co_await flush();
}

// Whether the body goes on where ours ends. One that begins anew is taken from its beginning.
bool BlobDownload::fits(const http::ClientResponse& head, std::uint64_t offset) {
  const auto length = core::parse_int(head.headers.get("Content-Length"));
  if (head.status == 206 && offset > 0 && continues_at(head.headers.get("Content-Range"), offset))
    return true;
  if (head.status != 200) {
    misfit_ = offset > 0 ? "it did not go on where it broke off" : reason_of(head);
    return false;
  }
  if (wanted_.size && length && static_cast<std::uint64_t>(*length) > *wanted_.size) {
    misfit_ = fmt::format("it has {} bytes, its manifest says {}", *length, *wanted_.size);
    return false;
  }
  if (offset > 0) begin_anew();
  return true;
}

io::Awaitable<BlobDownload::Outcome> BlobDownload::try_once(http::ClientRequest request,
                                                            const std::string& scope,
                                                            const std::string& tried) {
  const auto offset = received_;
  if (offset > 0) request.headers.set("Range", fmt::format("bytes={}-", offset));
  pace_from_ = std::chrono::steady_clock::now();
  pace_received_ = 0;
  misfit_.clear();
  request.wants_body = [this, offset](const http::ClientResponse& head) { return fits(head, offset); };
  const http::BodySink sink = [this](std::span<const char> bytes) { return take(bytes); };
  const auto response = co_await session_.ask_to(std::move(request), scope, tried, sink, wanted_.patience);
  if (response.status == 404) co_return Outcome::kAbsent;
  if (misfit_.empty() && response.status / 100 == 2) co_return Outcome::kWhole;
  begin_anew();
  if (offset > 0) {  // 416 too: the next try asks for the whole
    throw RegistryFailure(RegistryFailure::Kind::kUnavailable, tried, "it does not go on where it broke off");
  }
  throw RegistryFailure(RegistryFailure::Kind::kWrong, tried,
                        misfit_.empty() ? reason_of(response) : misfit_);
}

io::Awaitable<bool> BlobDownload::run(http::ClientRequest request, std::string scope, std::string tried) {
  begin_anew();
  bool whole = false;
  for (int attempt = 1; !whole; ++attempt) {
    std::optional<std::chrono::milliseconds> wait;
    try {
      const auto outcome = co_await try_once(request, scope, tried);
      if (outcome == Outcome::kAbsent) co_return false;
      whole = !wanted_.size || received_ == *wanted_.size;
      if (!whole) {
        throw RegistryFailure(RegistryFailure::Kind::kUnavailable, tried,
                              fmt::format("it ended after {} of {} bytes", received_, *wanted_.size));
      }
    } catch (const RegistryFailure& failure) {
      if (fatal_) std::rethrow_exception(fatal_);
      // A try that brought something is no failure in a row: a large blob over a bad line still arrives.
      if (received_ > furthest_ + kFlushAt) attempt = 1;
      furthest_ = std::max(furthest_, received_);
      wait = plan_retry(failure, attempt, wanted_.patience, 0.5);
      if (!wait) throw;
      core::log::info("{} (try {}, again in {} ms)", failure.what(), attempt, wait->count());
    }
    if (wait) co_await io::sleep_for(*wait);
  }
  if (!pending_.empty()) co_await flush();
  auto* writer = &*writer_;
  const auto digest = wanted_.digest;
  std::string mismatch;
  try {
    co_await io::offload(executors_, [writer, &digest] { writer->finish(digest); });
  } catch (const DigestMismatch& wrong) {
    mismatch = wrong.what();
  }
  if (!mismatch.empty()) throw RegistryFailure(RegistryFailure::Kind::kWrong, tried, mismatch);
  co_return true;
}

}  // namespace sampan::image
