#include "scan/download.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "core/encoding.h"
#include "core/error.h"
#include "http/client.h"
#include "http/url.h"
#include "io/file.h"
#include "scan/json_text.h"

namespace sampan::scan {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// What the server said of the copy that is here.
struct Origin {
  std::string url, etag, last_modified;
};

fs::path origin_path(fs::path target) {
  return target += ".from";
}

Origin read_origin(const fs::path& target) try {
  std::error_code error;
  const auto text = io::read_file_if_exists(origin_path(target), 64 * 1024);
  if (!text || !fs::exists(target, error)) return {};
  const auto value = parse_json(*text);
  const auto& object = value.as_object();
  return {std::string(text_in(object, "url")), std::string(text_in(object, "etag")),
          std::string(text_in(object, "last_modified"))};
} catch (const std::exception&) {
  return {};  // then it is fetched anew
}

void write_origin(const fs::path& target, const Origin& origin) {
  const json::object object{
      {"url", origin.url}, {"etag", origin.etag}, {"last_modified", origin.last_modified}};
  io::replace_file(origin_path(target), json::serialize(object), io::Durability::kProcessCrash);
}

// The file being written; gone again unless it was finished.
struct Part {
  fs::path path;
  io::UniqueFd file;
  std::uint64_t size = 0;

  explicit Part(const fs::path& target) : path(target.string() + ".part") {
    io::make_directories(target.parent_path());
    file = io::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  ~Part() {
    std::error_code ignored;
    if (!path.empty()) fs::remove(path, ignored);
  }
  void finish(const fs::path& target) {
    if (::fsync(file.get()) != 0) throw core::errno_error("flush " + path.string());
    fs::rename(path, target);
    path.clear();
  }
};

io::Awaitable<void> take_piece(io::Executors& executors, Part& part, std::span<const char> piece,
                               std::uint64_t limit) {
  part.size += piece.size();
  if (part.size > limit) {
    throw core::Error("fetch the vulnerability database",
                      fmt::format("it has more than the {} bytes allowed", limit));
  }
  co_await io::offload(executors,
                       [&part, piece] { io::write_all(part.file.get(), {piece.data(), piece.size()}); });
}

}  // namespace

std::vector<Download> plan_downloads(const std::string& url) {
  const auto path = url.substr(0, url.find_first_of("?#"));
  if (!path.ends_with('/')) return {{url, path.ends_with(".json") ? "database.json" : "database.zip", false}};
  std::vector<Download> downloads;
  for (const std::string ecosystem : {"Debian", "Ubuntu", "Alpine", "Wolfi", "Chainguard", "npm", "PyPI",
                                      "RubyGems", "Go", "crates.io", "Packagist", "Maven"}) {
    downloads.push_back({url + core::percent_encode(ecosystem) + "/all.zip", ecosystem + ".zip", true});
  }
  return downloads;
}

io::Awaitable<Fetched> download(io::Executors& executors, std::string url, fs::path target,
                                std::uint64_t limit) {
  const auto printable = http::parse_url(url).printable();
  auto before = co_await io::offload(executors, [&] { return read_origin(target); });
  http::ClientRequest request;
  request.url = url;
  if (before.url == url && !before.etag.empty()) request.headers.set("If-None-Match", before.etag);
  if (before.url == url && !before.last_modified.empty())
    request.headers.set("If-Modified-Since", before.last_modified);
  auto part = co_await io::offload(executors, [&] { return std::make_unique<Part>(target); });
  // A named coroutine: its frame holds what it needs for as long as it runs.
  auto* writing = part.get();
  const auto answer =
      co_await http::fetch_to(std::move(request), [&executors, writing, limit](std::span<const char> piece) {
        return take_piece(executors, *writing, piece, limit);
      });
  if (answer.status == 304) co_return Fetched::kUnchanged;
  if (answer.status == 404 || answer.status == 410) co_return Fetched::kAbsent;
  if (answer.status != 200) {
    throw core::Error("fetch " + printable, fmt::format("the server answered {}", answer.status));
  }
  const Origin after{url, std::string(answer.headers.get("ETag")),
                     std::string(answer.headers.get("Last-Modified"))};
  co_await io::offload(executors, [&] {
    std::error_code ignored;
    fs::remove(origin_path(target), ignored);  // it would speak of the file before
    part->finish(target);
    write_origin(target, after);
  });
  co_return Fetched::kChanged;
}

}  // namespace sampan::scan
