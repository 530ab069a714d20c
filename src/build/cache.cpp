#include "build/cache.h"

#include <boost/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "image/json_fields.h"
#include "io/file.h"

namespace sampan::build {
namespace {

namespace json = boost::json;
constexpr std::size_t kLargestRow = 4096;

std::optional<CachedStep> parse(const std::string& text) {
  const json::value parsed = image::parse_json_object(text, kLargestRow, "build cache");
  const image::JsonFields fields(parsed.as_object(), "build cache");
  CachedStep step;
  step.created = fields.text("created");
  const auto layer = fields.object("layer");
  if (!layer) return step;
  const auto digest = image::Digest::parse(layer->text("digest"));
  const auto diff_id = image::Digest::parse(layer->text("diffId"));
  const auto size = layer->integer("size");
  if (!digest || !diff_id || !size) return std::nullopt;
  step.layer =
      image::LayerDescriptor{*digest, static_cast<std::uint64_t>(*size), layer->text("mediaType"), *diff_id};
  return step;
}

}  // namespace

KeyBuilder& KeyBuilder::add(std::string_view field) {
  const std::string length = std::to_string(field.size()) + ":";
  hash_.update(length);
  hash_.update(field);
  return *this;
}

StepCache::StepCache(std::filesystem::path directory, const image::ContentStore& content)
    : directory_(std::move(directory)), content_(content) {}

std::filesystem::path StepCache::file(const std::string& key) const {
  return directory_ / key.substr(0, 2) / key;
}

std::optional<CachedStep> StepCache::find(const std::string& key) const {
  try {
    const auto text = io::read_file_if_exists(file(key), kLargestRow);
    auto step = text ? parse(*text) : std::nullopt;
    if (step && step->layer && !content_.has(step->layer->digest)) return std::nullopt;
    if (step) image::touch(file(key), content_.clock().now());
    return step;
  } catch (const core::Error& error) {
    core::log::warn("build cache row {}: {}", key, error.what());
    return std::nullopt;
  }
}

void StepCache::store(const std::string& key, const CachedStep& step) const {
  json::object row{{"created", step.created}};
  if (step.layer) {
    row["layer"] = json::object{{"digest", step.layer->digest.str()},
                                {"size", step.layer->size},
                                {"mediaType", step.layer->media_type},
                                {"diffId", step.layer->diff_id.str()}};
  }
  io::make_directories(file(key).parent_path());
  io::replace_file(file(key), json::serialize(row), io::Durability::kProcessCrash);
}

std::uint64_t StepCache::collect(core::TimePoint cutoff, Removal removal,
                                 const std::function<void(const image::Digest&)>& keep) const {
  namespace fs = std::filesystem;
  std::uint64_t dropped = 0;
  std::error_code absent;
  for (const auto& shard : fs::directory_iterator(directory_, absent)) {
    for (const auto& entry : fs::directory_iterator(shard.path(), absent)) {
      const auto used = image::look(entry.path());
      if (!used) continue;
      if (used->used < cutoff) {
        ++dropped;
        if (removal == Removal::kReal) fs::remove(entry.path(), absent);
        continue;
      }
      const auto text = io::read_file_if_exists(entry.path(), kLargestRow);
      std::optional<CachedStep> step;
      try {
        if (text) step = parse(*text);
      } catch (const core::Error& error) {
        core::log::warn("build cache row {}: {}", entry.path().filename().string(), error.what());
      }
      if (step && step->layer) keep(step->layer->digest);
    }
  }
  return dropped;
}

}  // namespace sampan::build
