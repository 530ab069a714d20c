#include "build/copy_step.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "build/archive_source.h"
#include "build/layer_stack.h"
#include "core/error.h"
#include "core/text.h"
#include "runtime/user.h"

namespace sampan::build {
namespace {

namespace fs = std::filesystem;

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

std::string file_name_of(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  const std::size_t slash = path.rfind('/');
  return path.find("://") + 2 < slash ? path.substr(slash + 1) : "";
}

std::optional<std::uint32_t> parse_mode(const CopyPlan& plan) {
  if (plan.chmod.empty()) return std::nullopt;
  std::uint32_t mode = 0;
  for (const char digit : plan.chmod) {
    if (digit < '0' || digit > '7') throw BuildError(plan.where, "--chmod must be octal: " + plan.chmod);
    mode = mode * 8 + static_cast<std::uint32_t>(digit - '0');
  }
  if (mode > 07777) throw BuildError(plan.where, "--chmod is too large: " + plan.chmod);
  return mode;
}

// Names as in the image's own files; a user without a group has the group of the same number.
std::optional<Owner> parse_owner(const CopyPlan& plan, const fs::path& root) {
  if (plan.chown.empty()) return std::nullopt;
  const runtime::ResolvedUser user = runtime::resolve_user_in(root, plan.chown, {});
  const bool has_group = plan.chown.find(':') != std::string::npos;
  return Owner{user.uid, has_group ? user.gid : user.uid};
}

const Heredoc* heredoc_of(const Instruction& instruction, std::string_view word) {
  if (!word.starts_with("<<")) return nullptr;
  for (const Heredoc& heredoc : instruction.heredocs) {
    if (word.find(heredoc.name) != std::string_view::npos) return &heredoc;
  }
  return nullptr;
}

void take_source(CopyPlan& plan, const Instruction& instruction, const StageConfig& stage,
                 const std::string& word) {
  if (const Heredoc* heredoc = heredoc_of(instruction, word)) {
    const std::string body =
        heredoc->expand ? expand_body(heredoc->body, stage.variables(), stage.escape) : heredoc->body;
    plan.inline_files.push_back({heredoc->name, body});
  } else if (plan.extract && is_url(word)) {
    plan.urls.push_back(word);
  } else if (plan.extract && (word.starts_with("git@") || word.ends_with(".git"))) {
    throw BuildError(plan.where, "git repositories are not offered as a source");
  } else {
    plan.patterns.push_back(word);
  }
}

std::vector<std::string> words_of(const Instruction& instruction, const StageConfig& stage) {
  std::vector<std::string> words;
  for (const std::string& raw :
       instruction.exec ? *instruction.exec : split_words(instruction.text, stage.escape)) {
    // A heredoc's mark keeps its quotes: they say whether its body is expanded.
    words.push_back(
        heredoc_of(instruction, raw) != nullptr ? raw : expand_word(raw, stage.variables(), stage.escape));
  }
  return words;
}

std::vector<std::string> matches_of(const CopyPlan& plan, const SourceTree& source) {
  std::vector<std::string> paths;
  for (const std::string& pattern : plan.patterns) {
    const auto found = source.match(pattern);
    if (found.empty()) {
      throw BuildError(plan.where,
                       plan.from.empty()
                           ? "\"" + pattern + "\" is not in the build context, or .dockerignore leaves it out"
                           : "\"" + pattern + "\" is not in " + plan.from);
    }
    paths.insert(paths.end(), found.begin(), found.end());
  }
  return paths;
}

void require_room(const CopyPlan& plan, std::size_t sources) {
  if (sources <= 1 || plan.destination.ends_with('/')) return;
  throw BuildError(plan.where,
                   "with more than one source the destination must be a directory and end with a /");
}

class Execution {
 public:
  Execution(const BuildSite& site, const CopyPlan& plan, const SourceTree& source, const fs::path& root)
      : site_(site), plan_(plan), source_(source), root_(root) {
    options_.owner = parse_owner(plan, root);
    options_.mode = parse_mode(plan);
    options_.parents = plan.parents;
  }

  void run() {
    const auto paths = matches_of(plan_, source_);
    require_room(plan_, paths.size() + plan_.urls.size() + plan_.inline_files.size());
    for (const std::string& path : paths) {
      if (!plan_.extract || !extracted(path)) copy_into(source_, {path}, root_, plan_.destination, options_);
    }
    for (const std::string& url : plan_.urls) fetch(url);
    for (const InlineFile& file : plan_.inline_files) {
      write_file_in(root_, target_of(file.name), file.bytes, options_.mode.value_or(0644),
                    options_.owner.value_or(Owner{}));
    }
  }

 private:
  std::string target_of(const std::string& name) const {
    const std::string& destination = plan_.destination;
    if (destination.ends_with('/')) return destination + name;
    const bool is_directory =
        static_cast<bool>(runtime::open_in_root(root_, destination, O_PATH | O_DIRECTORY));
    return is_directory ? destination + "/" + name : destination;
  }

  bool extracted(const std::string& path) const {
    if (source_.is_directory(path)) return false;
    io::UniqueFd file = source_.open(path);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || !is_tar_archive(file.get()))
      return false;
    const OwnedDirectory directory(site_.layers);
    unpack_archive(std::move(file), directory.path());
    CopyOptions options = options_;
    options.keep_owner = true;
    copy_into(SourceTree(directory.path(), IgnoreRules()), {""}, root_, plan_.destination, options);
    return true;
  }

  void fetch(const std::string& url) const {
    const std::string name = file_name_of(url);
    if (name.empty() && plan_.destination.ends_with('/')) {
      throw BuildError(plan_.where, "cannot determine a file name from " + url);
    }
    const OwnedDirectory directory(site_.layers);
    const fs::path file = directory.path() / "body";
    site_.download(url, file);
    const std::string bytes = io::read_file(file, std::size_t{1} << 30);
    if (!plan_.checksum.empty() && plan_.checksum != image::Digest::of(bytes).str()) {
      throw BuildError(plan_.where, url + " has digest " + image::Digest::of(bytes).str());
    }
    write_file_in(root_, target_of(name), bytes, options_.mode.value_or(0600),
                  options_.owner.value_or(Owner{}));
  }

  const BuildSite& site_;
  const CopyPlan& plan_;
  const SourceTree& source_;
  const fs::path& root_;
  CopyOptions options_;
};

}  // namespace

CopyPlan plan_copy(const BuildSite&, const Instruction& instruction, const StageConfig& stage) {
  CopyPlan plan;
  plan.where = instruction.where;
  plan.extract = instruction.keyword == Keyword::kAdd;
  const auto flag = [&](std::string_view name) {
    const std::string* value = instruction.flag(name);
    return value == nullptr ? std::string() : expand_word(*value, stage.variables(), stage.escape);
  };
  plan.from = flag("from");
  plan.chown = flag("chown");
  plan.chmod = flag("chmod");
  plan.checksum = flag("checksum");
  plan.parents = flag("parents") == "true";
  if (instruction.flag("exclude") != nullptr)
    throw BuildError(plan.where, "--exclude is not offered: use .dockerignore");
  parse_mode(plan);

  std::vector<std::string> words = words_of(instruction, stage);
  if (words.size() < 2)
    throw BuildError(plan.where, "needs at least two arguments: sources and a destination");
  const std::string destination = words.back();
  words.pop_back();
  for (const std::string& word : words) take_source(plan, instruction, stage, word);
  plan.destination = resolve_path(stage, destination);
  const bool is_directory = destination.ends_with('/') || destination == "." || destination.ends_with("/.");
  if (is_directory && plan.destination != "/") plan.destination += "/";
  require_room(plan, plan.patterns.size() + plan.urls.size() + plan.inline_files.size());
  return plan;
}

std::string content_of(const BuildSite& site, const CopyPlan& plan) {
  core::Sha256 hash;
  const auto add = [&hash](std::string_view text) {
    hash.update(std::to_string(text.size()) + ":");
    hash.update(text);
  };
  for (const std::string& path : matches_of(plan, site.context)) {
    add(path);
    site.context.hash(path, hash);
  }
  for (const InlineFile& file : plan.inline_files) {
    add(file.name);
    add(file.bytes);
  }
  // Not their bodies: a URL is fetched when its step is new, as with Docker's classic builder without
  // --checksum.
  for (const std::string& url : plan.urls) add(url + plan.checksum);
  return hash.finish_hex();
}

void execute_copy(const BuildSite& site, const CopyPlan& plan, const SourceTree& source,
                  const fs::path& root) {
  Execution(site, plan, source, root).run();
}

}  // namespace sampan::build
