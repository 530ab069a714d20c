#include "cli/context_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "build/ignore.h"
#include "core/error.h"
#include "io/file.h"

namespace sampan::cli {
namespace {

namespace fs = std::filesystem;

struct CloseArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

class Writer {
 public:
  Writer(fs::path root, build::IgnoreRules rules, std::string dockerfile, const fs::path& target)
      : root_(std::move(root)), rules_(std::move(rules)), dockerfile_(std::move(dockerfile)), archive_(archive_write_new()) {
    archive_write_set_format_pax_restricted(archive_.get());
    check(archive_write_open_filename(archive_.get(), target.c_str()), target);
  }

  void write() {
    walk("");
    check(archive_write_close(archive_.get()), root_);
  }

 private:
  void check(int code, const fs::path& path) {
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) throw core::Error("cannot pack " + path.string(), archive_error_string(archive_.get()));
  }

  // The builder reads these two itself, whatever the rules say of them.
  bool wanted(const std::string& name) const { return name == dockerfile_ || name == ".dockerignore" || !rules_.ignores(name); }

  void walk(const std::string& below) {
    std::vector<fs::directory_entry> entries;
    for (const auto& entry : fs::directory_iterator(root_ / below)) entries.push_back(entry);
    std::sort(entries.begin(), entries.end());
    for (const auto& entry : entries) {
      auto name = below.empty() ? entry.path().filename().string() : below + "/" + entry.path().filename().string();
      bool directory = entry.is_directory() && !entry.is_symlink();
      bool in = wanted(name);
      if (in) add(entry.path(), name);
      if (directory && (in || rules_.may_take_back() || dockerfile_.starts_with(name + "/"))) walk(name);
    }
  }

  void add(const fs::path& path, const std::string& name) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) throw core::errno_error("read " + path.string());
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && !S_ISLNK(info.st_mode)) return;  // sockets, pipes, devices
    std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_copy_stat(entry.get(), &info);
    archive_entry_set_pathname_utf8(entry.get(), name.c_str());
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    archive_entry_set_nlink(entry.get(), 1);
    if (S_ISLNK(info.st_mode)) archive_entry_set_symlink_utf8(entry.get(), fs::read_symlink(path).c_str());
    check(archive_write_header(archive_.get(), entry.get()), path);
    if (S_ISREG(info.st_mode)) copy(path, static_cast<std::uint64_t>(info.st_size));
  }

  void copy(const fs::path& path, std::uint64_t size) {
    auto file = io::open_file(path, O_RDONLY);
    std::vector<char> buffer(256 * 1024);
    for (std::uint64_t done = 0; done < size;) {
      auto n = ::read(file.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), size - done));
      if (n < 0) throw core::errno_error("read " + path.string());
      if (n == 0) throw core::Error("cannot pack " + path.string(), "it became shorter while it was read");
      if (archive_write_data(archive_.get(), buffer.data(), static_cast<std::size_t>(n)) < 0) check(ARCHIVE_FATAL, path);
      done += static_cast<std::uint64_t>(n);
    }
  }

  fs::path root_;
  build::IgnoreRules rules_;
  std::string dockerfile_;
  std::unique_ptr<archive, CloseArchive> archive_;
};

fs::path temporary_file() {
  std::string name = (fs::temp_directory_path() / "sampan-context-XXXXXX").string();
  io::UniqueFd made(::mkstemp(name.data()));
  if (!made) throw core::errno_error("make a file in " + fs::temp_directory_path().string());
  return name;
}

}  // namespace

ContextTar::~ContextTar() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove(path_, ignored);
}

ContextTar write_context_tar(const fs::path& directory, const std::string& dockerfile) {
  if (!fs::is_directory(directory)) throw core::Error("the context " + directory.string() + " is not a folder");
  ContextTar tar(temporary_file());
  build::IgnoreRules rules(io::read_file_if_exists(directory / ".dockerignore").value_or(""));
  Writer(directory, std::move(rules), dockerfile.empty() ? "Dockerfile" : dockerfile, tar.path()).write();
  return tar;
}

}  // namespace sampan::cli
