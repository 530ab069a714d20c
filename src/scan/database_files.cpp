#include "scan/database_files.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/encoding.h"
#include "core/error.h"
#include "scan/archive.h"
#include "scan/image_reader.h"

namespace sampan::scan {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestRecord = 32 * 1024 * 1024;
constexpr std::size_t kMostFiles = 4'000'000;
constexpr int kDeepest = 8;

bool is_record(const std::string& name) {
  return name.ends_with(".json");
}
bool is_archive(const std::string& name) {
  return name.ends_with(".zip");
}

// The files in the order of their paths, so that the same directory always gives the same database.
std::vector<std::string> list_files(const fs::path& root) {
  std::error_code error;
  if (fs::is_regular_file(root, error)) return {root.string()};
  if (!fs::is_directory(root, error)) {
    throw core::Error("read the vulnerability database " + root.string(),
                      "there is no such directory or file");
  }
  std::vector<std::string> files;
  fs::recursive_directory_iterator walk(root, fs::directory_options::skip_permission_denied, error), end;
  for (; !error && walk != end; walk.increment(error)) {
    if (walk.depth() >= kDeepest) walk.disable_recursion_pending();
    const auto name = walk->path().filename().string();
    if (name.starts_with('.') || (!is_record(name) && !is_archive(name))) continue;
    files.push_back(walk->path().string());
    if (files.size() > kMostFiles) throw core::Error("read " + root.string(), "it has too many files");
  }
  if (error) throw core::Error("read the vulnerability database " + root.string(), error.message());
  std::sort(files.begin(), files.end());
  return files;
}

class Loading {
 public:
  Loading(const fs::path& scratch, std::stop_token stop, DatabaseLimits limits)
      : builder_(scratch, limits), stop_(std::move(stop)) {}

  void load(const std::string& file) {
    if (is_archive(file)) return load_archive(file);
    take(file, [&] { return io::read_file(file, kLargestRecord); });
  }
  LoadResult finish() {
    result_.database = builder_.finish();
    return std::move(result_);
  }
  const LoadResult& result() const { return result_; }

 private:
  void load_archive(const std::string& file) try {
    auto archive = Archive::zip_file(file);
    Archive::Entry entry;
    while (archive.next(entry)) {
      if (entry.type != Archive::Type::kFile || !is_record(entry.path)) continue;
      take(file + ": " + entry.path, [&] { return archive.read_all(kLargestRecord); });
    }
  } catch (const Stopped&) {
    throw;
  } catch (const core::Error& error) {
    throw core::Error("read " + file, error.what());
  }

  template <class Read>
  void take(const std::string& name, Read read) {
    if (stop_.stop_requested()) throw Stopped();
    std::optional<OsvRecord> record;
    try {
      record = parse_osv(read());
      ++result_.records;
    } catch (const std::exception& error) {
      if (result_.unreadable++ == 0) result_.first_problem = fmt::format("{}: {}", name, error.what());
    }
    if (record) builder_.add(*record);
  }

  DatabaseBuilder builder_;
  std::stop_token stop_;
  LoadResult result_;
};

}  // namespace

FilesState look_at_files(const fs::path& root) {
  core::Sha256 hash;
  FilesState state;
  for (const auto& file : list_files(root)) {
    struct stat info{};
    if (::stat(file.c_str(), &info) != 0) continue;  // it has just gone
    const auto line = fmt::format("{}\n{}\n{}.{:09}\n{}\n", file, info.st_size, info.st_mtim.tv_sec,
                                  info.st_mtim.tv_nsec, info.st_ino);
    hash.update(line);
    state.newest =
        std::max<std::int64_t>(state.newest, info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000);
    ++state.files;
  }
  state.signature = hash.finish_hex();
  return state;
}

LoadResult load_files(const fs::path& root, const fs::path& scratch, std::stop_token stop,
                      DatabaseLimits limits) {
  Loading loading(scratch, std::move(stop), limits);
  for (const auto& file : list_files(root)) loading.load(file);
  if (loading.result().records == 0) {
    const auto& problem = loading.result().first_problem;
    throw core::Error("read the vulnerability database " + root.string(),
                      problem.empty() ? "it has no .json and no .zip file of OSV records" : problem);
  }
  return loading.finish();
}

}  // namespace sampan::scan
