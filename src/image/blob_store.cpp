#include "image/blob_store.h"

#include <cstdlib>

#include "core/error.h"
#include "core/text.h"
#include "image/file_blob_store.h"
#include "image/s3_blob_store.h"
#include "io/file.h"

namespace sampan::image {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// "aws_access_key_id = …" of [default] in an AWS credentials file.
aws::Credentials read_credentials(const std::filesystem::path& file) {
  aws::Credentials found;
  const auto text = io::read_file_if_exists(file, 1024 * 1024).value_or("");
  bool ours = false;
  for (const auto& line : core::split(text, '\n')) {
    const auto trimmed = std::string(core::trim(line));
    if (trimmed.starts_with('[')) ours = trimmed == "[default]";
    const auto equals = trimmed.find('=');
    if (!ours || equals == std::string::npos) continue;
    const auto name = core::trim(std::string_view(trimmed).substr(0, equals));
    const auto value = std::string(core::trim(std::string_view(trimmed).substr(equals + 1)));
    if (name == "aws_access_key_id") found.access_key = value;
    if (name == "aws_secret_access_key") found.secret = value;
    if (name == "aws_session_token") found.session_token = value;
  }
  return found;
}

aws::Credentials find_credentials(const std::string& where) {
  aws::Credentials found{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"),
                         variable("AWS_SESSION_TOKEN")};
  if (found.access_key.empty() || found.secret.empty()) {
    auto file = variable("AWS_SHARED_CREDENTIALS_FILE");
    if (file.empty()) file = variable("HOME") + "/.aws/credentials";
    found = read_credentials(file);
  }
  if (!found.access_key.empty() && !found.secret.empty()) return found;
  throw core::Error("use " + where,
                    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them into "
                    "~/.aws/credentials");
}

}  // namespace

std::unique_ptr<BlobStore> open_blob_store(io::Executors& executors, const core::Clock& clock,
                                           const std::string& where) {
  constexpr std::string_view kFile = "file://";
  if (where.starts_with(kFile)) {
    const std::filesystem::path root(where.substr(kFile.size()));
    if (!root.is_absolute())
      throw core::Error("use " + where, "it takes an absolute path, such as file:///srv/blobs");
    return std::make_unique<FileBlobStore>(executors, root);
  }
  auto place = parse_s3_place(where);
  place.credentials = find_credentials(where);
  return std::make_unique<S3BlobStore>(executors, clock, std::move(place));
}

}  // namespace sampan::image
