#include "build/stage_build.h"

#include <poll.h>
#include <sys/stat.h>

#include "build/copy_step.h"
#include "build/layer_stack.h"
#include "build/run_step.h"
#include "core/clock.h"
#include "core/error.h"
#include "runtime/overlay.h"

namespace sampan::build {
namespace {

namespace fs = std::filesystem;

std::string now() {
  return core::to_iso8601(core::SystemClock().now());
}

class StageBuild {
 public:
  StageBuild(const BuildSite& site, const PlannedStage& planned,
             const std::map<std::size_t, StageResult>& finished, int first_step)
      : site_(site),
        planned_(planned),
        stage_(site.file.stages[planned.index]),
        finished_(finished),
        step_(first_step),
        stack_(site.content, site.layers, site.cache) {
    config_.escape = site.file.escape;
  }

  StageResult run() {
    begin();
    std::exception_ptr failure;
    try {
      for (const Instruction& instruction : stage_.instructions) {
        ++step_;
        carry_out(instruction);
      }
    } catch (...) {
      failure = std::current_exception();
    }
    // Also after a failure: the steps before it stay in the cache.
    auto layers = stack_.finish();
    if (failure) std::rethrow_exception(failure);
    config_.image.created = created_;
    return {std::move(config_.image), std::move(layers), files_key_};
  }

 private:
  std::string stage_name() const {
    return stage_.name.empty() ? fmt::format("stage-{}", planned_.index) : stage_.name;
  }

  void tell(BuildEvent::Type type, std::string text = {}, std::chrono::milliseconds duration = {}) const {
    BuildEvent event;
    event.type = type;
    event.step = step_;
    event.stage = stage_name();
    event.text = std::move(text);
    event.duration = duration;
    site_.reporter.tell(std::move(event));
  }

  StageResult base() const {
    if (planned_.base_stage) return finished_.at(*planned_.base_stage);
    StageResult scratch;
    scratch.files_key = KeyBuilder("scratch").finish();
    if (planned_.base == "scratch") return scratch;
    try {
      return result_of(site_.image(planned_.base));
    } catch (const core::Error& error) {
      throw BuildError(stage_.where, error.what());
    }
  }

  void begin() {
    const auto started = std::chrono::steady_clock::now();
    tell(BuildEvent::Type::kStep,
         "FROM " + planned_.base + (stage_.name.empty() ? "" : " AS " + stage_.name));
    StageResult from = base();
    config_.image = std::move(from.config);
    files_key_ = from.files_key;
    created_ = config_.image.created;
    for (image::LayerDescriptor& layer : from.layers) stack_.push(std::move(layer));
    const auto triggers = std::exchange(config_.image.on_build, {});
    // A stage built on a stage: its triggers are for those who build on the image.
    if (planned_.base_stage) {
      config_.image.on_build = triggers;
    } else {
      for (const std::string& trigger : triggers) carry_out_quietly(parse_instruction(trigger, stage_.where));
    }
    done(started);
  }

  void done(std::chrono::steady_clock::time_point started) const {
    tell(BuildEvent::Type::kDone, "",
         std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started));
  }

  void carry_out(const Instruction& instruction) {
    const auto started = std::chrono::steady_clock::now();
    tell(BuildEvent::Type::kStep, instruction.shown());
    pollfd cancelled{site_.cancel_fd, POLLIN, 0};
    if (::poll(&cancelled, 1, 0) > 0) throw BuildError(instruction.where, "cancelled");
    carry_out_quietly(instruction);
    done(started);
  }

  void carry_out_quietly(const Instruction& instruction) {
    try {
      const bool changed_files = dispatch(instruction);
      image::History entry;
      entry.created = created_;
      entry.created_by = instruction.shown();
      entry.empty_layer = !changed_files;
      if (instruction.keyword != Keyword::kArg) config_.image.history.push_back(std::move(entry));
    } catch (const BuildError&) {
      throw;
    } catch (const core::Error& error) {
      throw BuildError(instruction.where, error.what());
    }
  }

  // Whether it made a layer.
  bool dispatch(const Instruction& instruction) {
    if (apply_config_step(instruction, config_)) return false;
    switch (instruction.keyword) {
      case Keyword::kArg:
        declare(instruction);
        return false;
      case Keyword::kWorkdir:
        return work_directory(instruction);
      case Keyword::kRun:
        return run_step(instruction);
      default:
        return copy_step(instruction);
    }
  }

  // ARG NAME, ARG NAME=default: the caller's value, the default, or the one from before the first FROM.
  void declare(const Instruction& instruction) {
    for (const std::string& word : split_words(instruction.text, config_.escape)) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      std::optional<std::string> value;
      if (equals != std::string::npos)
        value = expand_word(word.substr(equals + 1), config_.variables(), config_.escape);
      if (!value) value = find_pair(site_.globals, name);
      if (const auto given = find_pair(site_.request.args, name)) value = given;
      if (value) config_.args.emplace_back(name, *value);
    }
  }

  static std::optional<std::string> find_pair(const std::vector<std::pair<std::string, std::string>>& pairs,
                                              std::string_view name) {
    for (auto each = pairs.rbegin(); each != pairs.rend(); ++each) {
      if (each->first == name) return each->second;
    }
    return std::nullopt;
  }

  bool work_directory(const Instruction& instruction) {
    const std::string path = expand_word(instruction.text, config_.variables(), config_.escape);
    config_.image.working_dir = resolve_path(config_, path);
    const std::string& directory = config_.image.working_dir;
    const std::string key = KeyBuilder("workdir").add(files_key_).add(directory).finish();
    return files_step(key,
                      [&directory](const fs::path& root) { return make_directory_in(root, directory, {}); });
  }

  bool run_step(const Instruction& instruction) {
    const RunPlan plan = plan_run(site_, instruction, config_);
    KeyBuilder key("run");
    key.add(files_key_).add(config_.image.user).add(config_.image.working_dir).add(plan.script);
    for (const std::string& arg : plan.args) key.add(arg);
    key.add("environment");
    for (const std::string& entry : keyed_environment()) key.add(entry);
    for (const RunMount& mount : plan.mounts) {
      key.add("mount").add(mount.type).add(mount.target).add(mount.source).add(mount.from).add(mount.id);
      if (mount.type == "bind") key.add(mount_content(mount));
    }
    return files_step(key.finish(), [&](const fs::path& root) {
      std::vector<runtime::ScopedMount> mounted;
      RunPlace place;
      place.root = root;
      place.work = site_.work / fmt::format("step-{}", step_);
      place.id = fmt::format("{}-{}-{}", site_.id, planned_.index, runs_++);
      place.step = step_;
      place.stage = stage_name();
      place.source_root = [&](const std::string& from) { return mount_source(from, mounted); };
      execute_run(site_, instruction, config_, plan, place);
      return true;
    });
  }

  // Without the proxies, which change nothing about the result.
  std::vector<std::string> keyed_environment() const {
    std::vector<std::string> environment;
    for (const auto& [name, value] : config_.args) set_variable(environment, name, value);
    for (const std::string& entry : config_.image.env) environment.push_back(entry);
    return environment;
  }

  std::string mount_content(const RunMount& mount) const {
    if (!mount.from.empty()) return find_source(site_, finished_, planned_.index, mount.from).files_key;
    core::Sha256 hash;
    site_.context.hash(mount.source, hash);
    return hash.finish_hex();
  }

  fs::path mount_source(const std::string& from, std::vector<runtime::ScopedMount>& mounted) {
    const StageResult source = find_source(site_, finished_, planned_.index, from);
    LayerStack stack(site_.content, site_.layers, site_.cache);
    for (const image::LayerDescriptor& layer : source.layers) stack.push(layer);
    runtime::OverlaySpec overlay;
    overlay.lowers = stack.lowers();
    overlay.target = site_.work / fmt::format("from-{}-{}-{}", planned_.index, step_, mounted.size());
    if (overlay.lowers.empty()) {
      io::make_directories(overlay.target);  // FROM scratch: an empty root
      return overlay.target;
    }
    mounted.emplace_back(overlay.target);
    runtime::mount_overlay(overlay);
    return overlay.target;
  }

  bool copy_step(const Instruction& instruction) {
    CopyPlan plan = plan_copy(site_, instruction, config_);
    KeyBuilder key("copy");
    key.add(files_key_)
        .add(plan.destination)
        .add(plan.chown)
        .add(plan.chmod)
        .add(plan.extract ? "add" : "copy");
    key.add(plan.parents ? "parents" : "");
    if (plan.from.empty()) {
      key.add(content_of(site_, plan));
    } else {
      key.add(find_source(site_, finished_, planned_.index, plan.from).files_key);
      for (const std::string& pattern : plan.patterns) key.add(pattern);
    }
    return files_step(key.finish(), [&](const fs::path& root) {
      std::vector<runtime::ScopedMount> mounted;
      if (plan.from.empty()) {
        execute_copy(site_, plan, site_.context, root);
      } else {
        execute_copy(site_, plan, SourceTree(mount_source(plan.from, mounted), IgnoreRules()), root);
      }
      return true;
    });
  }

  // Takes the step's layer from the cache, or mounts the files so far, lets `change` at them and makes a
  // layer of what it changed. True when the step has a layer.
  bool files_step(const std::string& key, const std::function<bool(const fs::path& root)>& change) {
    const auto cached = site_.request.no_cache ? std::nullopt : site_.cache.find(key);
    files_key_ = key;
    if (cached) {
      tell(BuildEvent::Type::kCached);
      created_ = std::max(created_, cached->created);
      if (cached->layer) stack_.push(*cached->layer);
      return cached->layer.has_value();
    }
    OwnedDirectory upper(site_.layers);
    const OwnedDirectory overlay_work(site_.layers);
    ::chmod(upper.path().c_str(), 0755);  // the mode that "/" has
    runtime::OverlaySpec overlay;
    overlay.lowers = stack_.lowers();
    overlay.upper = upper.path();
    overlay.work = overlay_work.path();
    overlay.target = site_.work / fmt::format("root-{}-{}", planned_.index, step_);
    overlay.skip_sync = true;
    runtime::ScopedMount mounted(overlay.target);
    runtime::mount_overlay(overlay);
    const bool changed = change(overlay.target);
    mounted.reset();
    created_ = now();
    if (changed) {
      stack_.push_upper(std::move(upper), key, created_);
    } else {
      site_.cache.store(key, {std::nullopt, created_});
    }
    return changed;
  }

  const BuildSite& site_;
  const PlannedStage& planned_;
  const Stage& stage_;
  const std::map<std::size_t, StageResult>& finished_;
  int step_;
  int runs_ = 0;
  StageConfig config_;
  std::string files_key_;
  std::string created_;
  LayerStack stack_;
};

}  // namespace

StageResult result_of(const image::Image& image) {
  KeyBuilder key("image");
  for (const image::LayerDescriptor& layer : image.layers) key.add(layer.diff_id.str());
  return {image.config, image.layers, key.finish()};
}

StageResult find_source(const BuildSite& site, const std::map<std::size_t, StageResult>& finished,
                        std::size_t before, const std::string& name) {
  const auto stage = find_stage(site.file, name, before);
  return stage ? finished.at(*stage) : result_of(site.image(name));
}

StageResult build_stage(const BuildSite& site, const PlannedStage& planned,
                        const std::map<std::size_t, StageResult>& finished, int first_step) {
  return StageBuild(site, planned, finished, first_step).run();
}

}  // namespace sampan::build
