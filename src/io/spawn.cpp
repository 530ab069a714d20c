#include "io/spawn.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "core/error.h"

namespace sampan::io {
namespace {

void require(int result, std::string_view what) {
  if (result != 0) throw core::errno_error(what, result);
}

class FileActions {
 public:
  FileActions() { require(::posix_spawn_file_actions_init(&actions_), "prepare a child"); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void give(int ours, int theirs) {
    require(::posix_spawn_file_actions_adddup2(&actions_, ours, theirs), "prepare a child's descriptor");
  }
  void close_one(int fd) { require(::posix_spawn_file_actions_addclose(&actions_, fd), "prepare a child"); }
  void close_from(int fd) {
    require(::posix_spawn_file_actions_addclosefrom_np(&actions_, fd), "prepare a child");
  }
  void change_directory(const std::string& path) {
    require(::posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()), "prepare a child");
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() {
    require(::posix_spawnattr_init(&attributes_), "prepare a child");
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    // We ignore SIGPIPE and may block others; exec would hand both on.
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<std::string> environment_of(const Command& command) {
  if (!command.inherit_environment) return command.environment;
  std::map<std::string, std::string> merged;
  const auto put = [&merged](std::string_view entry) {
    merged[std::string(entry.substr(0, entry.find('=')))] = std::string(entry);
  };
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) put(*entry);
  for (const std::string& entry : command.environment) put(entry);
  std::vector<std::string> entries;
  for (auto& [name, entry] : merged) entries.push_back(std::move(entry));
  return entries;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// Copies above every number a child is to see, so that giving one never overwrites another still to be given.
std::vector<std::pair<UniqueFd, int>> lift(const Command& command, const std::array<int, 3>& standard) {
  std::vector<std::pair<int, int>> wanted = {{standard[0], 0}, {standard[1], 1}, {standard[2], 2}};
  wanted.insert(wanted.end(), command.inherit_fds.begin(), command.inherit_fds.end());
  int highest = 2;
  for (const auto& [ours, theirs] : wanted) highest = std::max(highest, theirs);
  std::vector<std::pair<UniqueFd, int>> lifted;
  for (const auto& [ours, theirs] : wanted) {
    UniqueFd copy(::fcntl(ours, F_DUPFD_CLOEXEC, highest + 1));
    if (!copy) throw core::errno_error(fmt::format("give descriptor {} to {}", ours, command.argv[0]));
    lifted.emplace_back(std::move(copy), theirs);
  }
  return lifted;
}

void prepare(FileActions& actions, const std::vector<std::pair<UniqueFd, int>>& lifted) {
  int next = 0;
  std::map<int, int> by_number;
  for (const auto& [fd, theirs] : lifted) by_number[theirs] = fd.get();
  for (const auto& [theirs, ours] : by_number) {
    for (; next < theirs; ++next) actions.close_one(next);
    actions.give(ours, theirs);
    next = theirs + 1;
  }
  actions.close_from(next);
}

}  // namespace

pid_t spawn_child(const Command& command, const std::array<int, 3>& standard) {
  SAMPAN_CHECK(!command.argv.empty());
  const auto program = find_program(command.argv[0]);
  if (!program)
    throw core::Error("start " + command.argv[0], "no such program (is it installed and in PATH?)");
  const auto lifted = lift(command, standard);
  FileActions actions;
  prepare(actions, lifted);
  if (!command.directory.empty()) actions.change_directory(command.directory);
  const Attributes attributes;
  const std::vector<std::string> environment = environment_of(command);
  pid_t pid = -1;
  // glibc's posix_spawn is clone(CLONE_VM | CLONE_VFORK): its cost does not grow with the daemon's memory.
  const int failure = ::posix_spawn(&pid, program->c_str(), actions.get(), attributes.get(),
                                    pointers(command.argv).data(), pointers(environment).data());
  if (failure != 0) {
    const std::string where = command.directory.empty() ? "" : " in " + command.directory;
    throw core::errno_error("start " + *program + where, failure);
  }
  return pid;
}

}  // namespace sampan::io
