#include "image/s3_blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pugixml.hpp>

#include "aws/time_text.h"
#include "core/encoding.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "io/file.h"

namespace sampan::image {
namespace {

constexpr std::uint64_t kSmallestPart = 5ull << 20;   // S3's own
constexpr std::uint64_t kLargestPart = 256ull << 20;  // each is in memory while it is sent
constexpr int kTries = 4;
constexpr std::chrono::milliseconds kFirstWait{200};
constexpr std::size_t kLargestAnswer = 8 * 1024 * 1024;

core::Error failed(const std::string& tried, const http::ClientResponse& answer) {
  pugi::xml_document document;
  document.load_buffer(answer.body.data(), answer.body.size());
  const auto error = document.child("Error");
  return core::Error(tried, fmt::format("status {} {} {}", answer.status, error.child("Code").text().get(),
                                        error.child("Message").text().get()));
}

std::string read_part(int file, std::uint64_t offset, std::uint64_t size) {
  std::string bytes(size, '\0');
  for (std::uint64_t got = 0; got < size;) {
    const auto more = ::pread(file, bytes.data() + got, size - got, static_cast<off64_t>(offset + got));
    if (more < 0) throw core::errno_error("read a blob to send it");
    if (more == 0) throw core::Error("read a blob to send it", "it became shorter");
    got += static_cast<std::uint64_t>(more);
  }
  return bytes;
}

}  // namespace

S3Place parse_s3_place(const std::string& text) {
  constexpr std::string_view kScheme = "s3://";
  const auto tried = "read the place " + text;
  if (!text.starts_with(kScheme)) throw core::Error(tried, "it does not begin with s3://");
  const auto question = text.find('?');
  const auto path =
      text.substr(kScheme.size(), question == std::string::npos ? question : question - kScheme.size());
  S3Place place;
  place.bucket = path.substr(0, path.find('/'));
  if (path.find('/') != std::string::npos) place.prefix = path.substr(path.find('/') + 1);
  if (!place.prefix.empty() && !place.prefix.ends_with('/')) place.prefix += '/';
  if (place.bucket.empty()) throw core::Error(tried, "it names no bucket");
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
  if ((place.bucket + place.prefix).find_first_not_of(kPlain) != std::string::npos) {
    throw core::Error(tried, "bucket and prefix may have letters, digits, '.', '_', '-' and '/'");
  }
  for (const auto& [name, value] :
       http::parse_query(question == std::string::npos ? "" : text.substr(question + 1))) {
    if (name == "endpoint") place.endpoint = value;
    if (name == "region") place.region = value;
    if (name != "part") continue;
    const auto size = core::parse_int(value);
    if (!size || *size < static_cast<std::int64_t>(kSmallestPart) ||
        *size > static_cast<std::int64_t>(kLargestPart)) {
      throw core::Error(tried, "a part has 5 MiB to 256 MiB");
    }
    place.part_size = static_cast<std::uint64_t>(*size);
  }
  if (place.endpoint.empty()) place.endpoint = fmt::format("https://s3.{}.amazonaws.com", place.region);
  while (place.endpoint.ends_with('/')) place.endpoint.pop_back();
  if (!place.endpoint.starts_with("http://") && !place.endpoint.starts_with("https://")) {
    throw core::Error(tried, "its endpoint is no http:// or https:// URL");
  }
  return place;
}

S3BlobStore::S3BlobStore(io::Executors& executors, const core::Clock& clock, S3Place place)
    : executors_(executors), clock_(clock), place_(std::move(place)) {
  host_ = place_.endpoint.substr(place_.endpoint.find("//") + 2);
  name_ = fmt::format("s3://{}/{} at {}", place_.bucket, place_.prefix, place_.endpoint);
}

std::string S3BlobStore::target_of(const Digest& digest) const {
  return fmt::format("/{}/{}{}/{}/{}", place_.bucket, place_.prefix, digest.name(), digest.hex().substr(0, 2),
                     digest.hex());
}

std::string S3BlobStore::bucket_target(const std::string& query) const {
  return fmt::format("/{}?{}", place_.bucket, query);
}

std::optional<Digest> S3BlobStore::digest_of(const std::string& key) const {
  if (!key.starts_with(place_.prefix)) return std::nullopt;
  const auto parts = core::split(key.substr(place_.prefix.size()), '/');
  if (parts.size() != 3) return std::nullopt;
  return Digest::parse(parts[0] + ':' + parts[2]);
}

http::ClientRequest S3BlobStore::signed_request(const Ask& ask) const {
  http::Request plain;
  plain.method = ask.method;
  plain.target = ask.target;
  plain.headers.set("Host", host_);
  plain.headers.set("X-Amz-Content-Sha256", core::sha256_hex(ask.body));
  if (!ask.body.empty()) plain.headers.set("Content-Type", "application/octet-stream");
  aws::sign_request(plain, ask.body, place_.credentials, place_.region, "s3", clock_.now());
  http::ClientRequest request;
  request.method = ask.method;
  request.url = place_.endpoint + ask.target;
  request.headers = std::move(plain.headers);
  if (!ask.range.empty()) request.headers.set("Range", ask.range);
  request.max_body = kLargestAnswer;
  request.max_redirects = 0;
  return request;
}

io::Awaitable<http::ClientResponse> S3BlobStore::call(Ask ask) {
  std::string why;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (attempt > 0) co_await io::sleep_for(kFirstWait * (1 << (attempt - 1)));
    try {
      auto request = co_await io::offload(executors_, [this, &ask] {  // hashes the body
        auto made = signed_request(ask);
        made.body = ask.body;
        return made;
      });
      auto answer = co_await http::fetch(std::move(request));
      if (answer.status < 500 && answer.status != 429) co_return answer;
      why = failed(ask.method, answer).what();
    } catch (const core::Error& error) {
      why = error.what();
    }
  }
  throw core::Error(fmt::format("{} {} at {}", ask.method, ask.target.substr(0, 200), place_.endpoint), why);
}

io::Awaitable<std::optional<std::uint64_t>> S3BlobStore::size(Digest digest) {
  // A range of one byte says the whole length, and an error has a body that says why, as HEAD's has not.
  const auto answer = co_await call({"GET", target_of(digest), {}, "bytes=0-0"});
  if (answer.status == 404) co_return std::nullopt;
  if (answer.status == 416) co_return 0;  // an empty object has no first byte
  if (answer.status != 206 && answer.status != 200)
    throw failed("look for blob " + digest.str() + " in " + name_, answer);
  const std::string range(answer.headers.get("Content-Range"));
  const auto total = core::parse_int(range.substr(std::min(range.size(), range.find('/') + 1)));
  if (answer.status == 206 && total) co_return static_cast<std::uint64_t>(*total);
  co_return answer.body.size();
}

io::Awaitable<void> S3BlobStore::put(Digest digest, std::filesystem::path path) {
  const auto file = co_await io::offload(executors_, [&path] { return io::open_file(path, O_RDONLY); });
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) throw core::errno_error("look at " + path.string());
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > place_.part_size) {
    co_await put_parts(target_of(digest), file.get(), size);
    co_return;
  }
  const int fd = file.get();
  auto bytes = co_await io::offload(executors_, [fd, size] { return read_part(fd, 0, size); });
  co_await put_part(target_of(digest), std::move(bytes));
}

io::Awaitable<std::string> S3BlobStore::put_part(std::string target, std::string body) {
  const auto answer = co_await call({"PUT", target, std::move(body), {}});
  if (answer.status != 200) throw failed("store " + target.substr(0, 200) + " at " + place_.endpoint, answer);
  co_return std::string(answer.headers.get("ETag"));
}

io::Awaitable<void> S3BlobStore::put_parts(std::string target, int file, std::uint64_t size) {
  const auto begun = co_await call({"POST", target + "?uploads=", {}, {}});
  pugi::xml_document document;
  document.load_buffer(begun.body.data(), begun.body.size());
  const std::string upload = document.child("InitiateMultipartUploadResult").child("UploadId").text().get();
  if (begun.status != 200 || upload.empty())
    throw failed("begin to store " + target + " at " + place_.endpoint, begun);
  std::exception_ptr failure;
  try {
    std::string finish = "<CompleteMultipartUpload>";
    int number = 1;
    for (std::uint64_t at = 0; at < size; at += place_.part_size, ++number) {
      const auto length = std::min(place_.part_size, size - at);
      auto bytes =
          co_await io::offload(executors_, [file, at, length] { return read_part(file, at, length); });
      const auto tag = co_await put_part(
          fmt::format("{}?partNumber={}&uploadId={}", target, number, core::percent_encode(upload)),
          std::move(bytes));
      finish += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, tag);
    }
    finish += "</CompleteMultipartUpload>";
    const auto done =
        co_await call({"POST", target + "?uploadId=" + core::percent_encode(upload), finish, {}});
    // A failure while the parts are joined comes with status 200 and an error in the body.
    if (done.status != 200 || done.body.find("<Error>") != std::string::npos)
      throw failed("join the parts of " + target, done);
  } catch (const core::Error&) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  co_await abort(target, upload);
  std::rethrow_exception(failure);
}

// Best effort: sweep() takes what stays.
io::Awaitable<void> S3BlobStore::abort(std::string target, std::string upload) {
  try {
    co_await call({"DELETE", target + "?uploadId=" + core::percent_encode(upload), {}, {}});
  } catch (const core::Error& error) {
    core::log::warn("{}", error.what());
  }
}

io::Awaitable<void> S3BlobStore::get(Digest digest, std::uint64_t offset, std::uint64_t length, Sink sink) {
  std::string why;
  const auto end = length > ~offset ? ~std::uint64_t{0} : offset + length;
  for (int attempt = 0; offset < end && attempt < kTries; ++attempt) {
    if (attempt > 0) co_await io::sleep_for(kFirstWait * (1 << (attempt - 1)));
    const auto range = end == ~std::uint64_t{0} ? fmt::format("bytes={}-", offset)
                                                : fmt::format("bytes={}-{}", offset, end - 1);
    std::exception_ptr from_sink;
    try {
      const http::BodySink count = [&](std::span<const char> bytes) -> io::Awaitable<void> {
        try {
          co_await sink(bytes);
        } catch (...) {
          from_sink = std::current_exception();
          throw;
        }
        offset += bytes.size();
      };
      const auto answer =
          co_await http::fetch_to(signed_request({"GET", target_of(digest), {}, range}), count);
      if (answer.status == 206 || answer.status == 416) co_return;
      if (answer.status == 200 && range.starts_with("bytes=0-")) co_return;
      if (answer.status < 500 && answer.status != 429)
        throw failed("get blob " + digest.str() + " from " + name_, answer);
      why = failed("GET", answer).what();
      continue;
    } catch (const core::Error& error) {
      why = error.what();
    }
    if (from_sink) std::rethrow_exception(from_sink);
    if (why.starts_with("get blob ")) throw core::Error(why);
  }
  if (offset < end) throw core::Error("get blob " + digest.str() + " from " + name_, why);
}

io::Awaitable<void> S3BlobStore::remove(Digest digest) {
  const auto answer = co_await call({"DELETE", target_of(digest), {}, {}});
  if (answer.status != 204 && answer.status != 200 && answer.status != 404)
    throw failed("remove blob " + digest.str() + " from " + name_, answer);
}

io::Awaitable<void> S3BlobStore::list(std::function<void(const Found&)> visit) {
  std::string token;
  do {
    auto query = "list-type=2&prefix=" + core::percent_encode(place_.prefix);
    if (!token.empty()) query += "&continuation-token=" + core::percent_encode(token);
    const auto answer = co_await call({"GET", bucket_target(query), {}, {}});
    if (answer.status != 200) throw failed("list " + name_, answer);
    pugi::xml_document document;
    if (!document.load_buffer(answer.body.data(), answer.body.size()))
      throw core::Error("list " + name_, "the answer is no XML");
    const auto result = document.child("ListBucketResult");
    for (const auto& object : result.children("Contents")) {
      const auto digest = digest_of(object.child("Key").text().get());
      const auto time = aws::parse_iso8601(object.child("LastModified").text().get());
      if (digest && time) visit({*digest, object.child("Size").text().as_ullong(), *time});
    }
    token = result.child("NextContinuationToken").text().get();
  } while (!token.empty());
}

std::optional<std::string> S3BlobStore::link(const Digest& digest, std::chrono::seconds life) {
  http::Request plain;
  plain.method = "GET";
  plain.target = target_of(digest);
  plain.headers.set("Host", host_);
  plain.headers.set("X-Amz-Content-Sha256", std::string(aws::kUnsignedPayload));
  return place_.endpoint +
         aws::presign_target(plain, place_.credentials, place_.region, "s3", clock_.now(), life);
}

io::Awaitable<std::uint64_t> S3BlobStore::sweep(core::TimePoint cutoff) {
  std::uint64_t swept = 0;
  std::string markers;
  do {
    const auto answer =
        co_await call({"GET",
                       bucket_target("prefix=" + core::percent_encode(place_.prefix) + "&uploads=" + markers),
                       {},
                       {}});
    if (answer.status != 200) throw failed("list the uploads under way to " + name_, answer);
    pugi::xml_document document;
    document.load_buffer(answer.body.data(), answer.body.size());
    const auto result = document.child("ListMultipartUploadsResult");
    for (const auto& upload : result.children("Upload")) {
      const std::string key = upload.child("Key").text().get();
      const auto begun = aws::parse_iso8601(upload.child("Initiated").text().get());
      if (!digest_of(key) || !begun || *begun >= cutoff) continue;
      co_await abort(fmt::format("/{}/{}", place_.bucket, key), upload.child("UploadId").text().get());
      ++swept;
    }
    markers.clear();
    if (!result.child("IsTruncated").text().as_bool()) break;
    markers = "&key-marker=" + core::percent_encode(result.child("NextKeyMarker").text().get()) +
              "&upload-id-marker=" + core::percent_encode(result.child("NextUploadIdMarker").text().get());
  } while (true);
  co_return swept;
}

}  // namespace sampan::image
