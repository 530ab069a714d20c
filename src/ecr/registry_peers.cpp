#include "ecr/registry_peers.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/text.h"
#include "ecr/names.h"
#include "io/file.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;

core::Error bad_line(int number, std::string_view why) {
  return core::Error(fmt::format("read line {} of the file of peers", number), why);
}

bool is_account(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "[eu-west-1 111111111111]"
Destination parse_section(std::string_view line, int number) {
  const auto inside = core::trim(line.substr(1, line.size() - 2));
  const auto space = inside.find_first_of(" \t");
  const auto region = inside.substr(0, space);
  const auto account =
      space == std::string_view::npos ? std::string_view() : core::trim(inside.substr(space));
  if (region.empty() || !is_account(account)) throw bad_line(number, "a section is [REGION ACCOUNT]");
  return {std::string(region), std::string(account)};
}

std::string parse_endpoint(std::string_view text, int number) {
  if (!text.starts_with("http://") && !text.starts_with("https://")) {
    throw bad_line(number, "an endpoint is http://HOST:PORT or https://HOST:PORT");
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  const auto host = text.substr(text.find("//") + 2);
  if (host.empty() || host.find('/') != std::string_view::npos || host.find('@') != std::string_view::npos) {
    throw bad_line(number, "an endpoint is a scheme, a host and a port, and nothing else");
  }
  return std::string(text);
}

void set(Peer& peer, std::string_view name, std::string_view value, int number) {
  if (name == "endpoint")
    peer.endpoint = parse_endpoint(value, number);
  else if (name == "aws_access_key_id")
    peer.access_key = value;
  else if (name == "aws_secret_access_key")
    peer.secret = value;
  else
    throw bad_line(number, fmt::format("there is no setting '{}'", name));
}

void check_whole(const Peers& peers) {
  for (const auto& [destination, peer] : peers) {
    if (!peer.endpoint.empty() && !peer.access_key.empty() && !peer.secret.empty()) continue;
    throw core::Error("read the file of peers",
                      fmt::format("[{} {}] needs endpoint, aws_access_key_id and aws_secret_access_key",
                                  destination.region, destination.account));
  }
}

}  // namespace

Peers parse_peers(std::string_view text) {
  Peers peers;
  Peer* peer = nullptr;
  int number = 0;
  for (const auto& raw : core::split(text, '\n')) {
    ++number;
    const auto line = core::trim(raw);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    if (line.starts_with('[') && line.ends_with(']')) {
      const auto [place, fresh] = peers.try_emplace(parse_section(line, number));
      if (!fresh) throw bad_line(number, "this registry was named before");
      peer = &place->second;
      continue;
    }
    const auto equals = line.find('=');
    if (!peer || equals == std::string_view::npos)
      throw bad_line(number, "it is no NAME = VALUE of a section");
    set(*peer, core::trim(line.substr(0, equals)), core::trim(line.substr(equals + 1)), number);
  }
  check_whole(peers);
  return peers;
}

void PeersFile::refresh() {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) {
    if (errno != ENOENT) throw core::errno_error("read " + path_.string());
    peers_.clear();
    read_at_.reset();
    return;
  }
  if ((status.st_mode & 077) != 0) {
    throw core::Error("read " + path_.string(), "others may read it, and it holds secrets: chmod 600");
  }
  const auto time = std::filesystem::last_write_time(path_);
  if (read_at_ == time) return;
  if (status.st_size > static_cast<off_t>(kLargestFile))
    throw core::Error("read " + path_.string(), "it is too large");
  peers_ = parse_peers(io::read_file(path_));
  read_at_ = time;
}

std::optional<Peer> PeersFile::find(const Destination& destination) {
  const std::scoped_lock lock(mutex_);
  refresh();
  const auto found = peers_.find(destination);
  if (found == peers_.end()) return std::nullopt;
  return found->second;
}

}  // namespace sampan::ecr
