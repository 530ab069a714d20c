// build, images, image (bootstrap, import, rm), push, pull: images.
#include <fmt/core.h>

#include <boost/json.hpp>

#include "api/ecr.h"
#include "cli/build_client.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/encoding.h"
#include "core/error.h"
#include "core/text.h"

namespace sampan::cli {
namespace {

namespace ecr = api::ecr;
namespace json = boost::json;

struct BuildFlags {
  BuildOrder order;
  std::string progress = "auto";
  std::vector<std::string> secrets;
};

// "id=token,src=/path"
BuildSecret parse_secret(const std::string& text) {
  BuildSecret secret;
  for (const auto& part : core::split(text, ',')) {
    if (part.starts_with("id=")) secret.id = part.substr(3);
    else if (part.starts_with("src=")) secret.source = part.substr(4);
    else if (part.starts_with("source=")) secret.source = part.substr(7);
  }
  if (secret.id.empty() || secret.source.empty()) throw UsageError("--secret takes id=NAME,src=FILE, not '" + text + "'");
  return secret;
}

void build(Session& session, BuildFlags flags) {
  for (const auto& text : flags.secrets) flags.order.secrets.push_back(parse_secret(text));
  for (const auto& arg : flags.order.args) {
    if (arg.empty() || arg[0] == '=') throw UsageError("--build-arg takes NAME=VALUE, not '" + arg + "'");
  }
  flags.order.progress = flags.progress == "json" ? BuildProgress::kJson : flags.progress == "plain" ? BuildProgress::kPlain : BuildProgress::kAuto;
  Progress progress(session.interactive() && flags.progress == "auto");
  auto built = run_build(session, flags.order, progress);
  if (flags.progress == "json") return;
  for (const auto& tag : flags.order.tags) fmt::print("{} is {} ({})\n", tag, built.digest, human_bytes(built.size));
  if (flags.order.tags.empty()) fmt::print("{} ({}; no --tag was given)\n", built.digest, human_bytes(built.size));
}

template <class T>
T or_empty(const std::optional<T>& value) {
  return value.value_or(T{});
}

std::vector<ecr::ImageDetail> images_of(Session& session, const std::string& repository) {
  std::vector<ecr::ImageDetail> all;
  ecr::DescribeImagesRequest ask;
  ask.repositoryName = repository;
  do {
    auto page = session.call<ecr::ops::DescribeImages>(ask);
    for (auto& detail : or_empty(page.imageDetails)) all.push_back(std::move(detail));
    ask.nextToken = page.nextToken;
  } while (ask.nextToken);
  return all;
}

std::vector<std::string> repositories(Session& session) {
  std::vector<std::string> names;
  ecr::DescribeRepositoriesRequest ask;
  do {
    auto page = session.call<ecr::ops::DescribeRepositories>(ask);
    for (auto& repository : or_empty(page.repositories)) names.push_back(or_empty(repository.repositoryName));
    ask.nextToken = page.nextToken;
  } while (ask.nextToken);
  return names;
}

void images(Session& session) {
  auto now = core::SystemClock().now();
  std::vector<std::vector<std::string>> rows;
  json::array list;
  for (const auto& repository : repositories(session)) {
    for (const auto& detail : images_of(session, repository)) {
      auto tags = or_empty(detail.imageTags);
      auto digest = or_empty(detail.imageDigest);
      json::array tag_list;
      for (const auto& tag : tags) tag_list.emplace_back(tag);
      list.push_back(json::object{{"repository", repository}, {"tags", tag_list}, {"digest", digest},
                                  {"size", detail.imageSizeInBytes.value_or(0)}});
      rows.push_back({repository, tags.empty() ? "-" : core::join(tags, ", "), digest.substr(7, 12),
                      human_bytes(detail.imageSizeInBytes.value_or(0)), detail.imagePushedAt ? ago(*detail.imagePushedAt, now) : ""});
    }
  }
  if (session.json()) fmt::print("{}\n", json::serialize(list));
  else fmt::print("{}", render_table({"REPOSITORY", "TAGS", "DIGEST", "SIZE", "PUSHED"}, rows));
}

// Runs one job and shows what it says.
json::object run_job(Session& session, const std::string& title, const http::ClientResponse& accepted) {
  Progress progress(session.interactive());
  progress.begin(title);
  auto result = follow_job(session, accepted_job(accepted, title), [&](const json::object& event) {
    if (const auto* text = event.if_contains("text"); text && text->is_string() && event.at("type") != "error") {
      auto line = std::string(core::trim(std::string_view(text->as_string())));
      if (!line.empty() && session.interactive()) progress.update(title + ": " + line.substr(line.rfind('\n') + 1).substr(0, 80));
    }
  });
  progress.done();
  return result;
}

void bootstrap(Session& session, const std::string& name) {
  run_job(session, "Base image " + name, session.request("POST", "/sampan/v1/images/bootstrap?name=" + core::percent_encode(name)));
}

void import(Session& session, const std::string& file, const std::vector<std::string>& tags) {
  std::string target = "/sampan/v1/images/import";
  for (std::size_t i = 0; i < tags.size(); ++i) target += (i == 0 ? "?t=" : "&t=") + core::percent_encode(tags[i]);
  auto result = run_job(session, "Import of " + file, session.upload(target, file));
  fmt::print("{}\n", std::string_view(result.at("digest").as_string()));
}

struct PushFlags {
  std::string name, target, user;
};

void push(Session& session, const PushFlags& flags) {
  auto target = "/sampan/v1/images/push?name=" + core::percent_encode(flags.name) + "&to=" + core::percent_encode(flags.target);
  std::vector<std::string> password;
  if (!flags.user.empty()) {
    const char* given = std::getenv("SAMPAN_REGISTRY_PASSWORD");
    if (given == nullptr) throw UsageError("--user needs the password in the environment variable SAMPAN_REGISTRY_PASSWORD");
    target += "&user=" + core::percent_encode(flags.user);
    password = {given};
  }
  run_job(session, "Push of " + flags.name + " to " + flags.target, session.upload(target, "/dev/null", "x-sampan-registry-password", password));
}

void pull(Session& session, const std::string& name) {
  run_job(session, "Pull of " + name, session.request("POST", "/sampan/v1/images/pull?name=" + core::percent_encode(name)));
}

// "localhost:4566/team/app:1" or "team/app:1" or "team/app@sha256:…"
void remove(Session& session, const std::string& written) {
  auto name = written;
  if (auto host = session.registry_host() + "/"; name.starts_with(host)) name = name.substr(host.size());
  ecr::ImageIdentifier id;
  auto at = name.find('@');
  auto colon = name.rfind(':');
  if (at != std::string::npos) id.imageDigest = name.substr(at + 1);
  else id.imageTag = colon == std::string::npos ? "latest" : name.substr(colon + 1);
  ecr::BatchDeleteImageRequest ask;
  ask.repositoryName = name.substr(0, std::min(at, at == std::string::npos ? colon : at));
  ask.imageIds = {id};
  auto answer = session.call<ecr::ops::BatchDeleteImage>(ask);
  for (const auto& failure : or_empty(answer.failures)) throw core::Error(written + ": " + or_empty(failure.failureReason));
  fmt::print("{} is removed\n", written);
}

}  // namespace

void add_build(CLI::App& app, Session& session) {
  auto flags = std::make_shared<BuildFlags>();
  auto* command = app.add_subcommand("build", "Dockerfile to image, in its repository at once");
  command->add_option("CONTEXT", flags->order.context, "Folder with the files")->required()->check(CLI::ExistingDirectory);
  command->add_option("--tag,-t", flags->order.tags, "NAME:TAG, also several times");
  command->add_option("--file,-f", flags->order.dockerfile, "Dockerfile, within the context (default: Dockerfile)");
  command->add_option("--build-arg", flags->order.args, "NAME=VALUE");
  command->add_option("--target", flags->order.target, "The stage to build");
  command->add_flag("--no-cache", flags->order.no_cache, "Do every step anew");
  command->add_option("--secret", flags->secrets, "id=NAME,src=FILE, for RUN --mount=type=secret");
  command->add_option("--progress", flags->progress)->check(CLI::IsMember({"auto", "plain", "json"}))->capture_default_str();
  command->callback([flags, &session] { build(session, *flags); });
}

void add_images(CLI::App& app, Session& session) {
  app.add_subcommand("images", "Images of every repository")->callback([&session] { images(session); });
}

void add_image(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("image", "bootstrap, import, rm, scan, sbom");
  command->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  auto tags = std::make_shared<std::vector<std::string>>();
  auto* boot = command->add_subcommand("bootstrap", "Make a base image from the distribution's own packages");
  boot->add_option("NAME", *name, "debian:bookworm")->required();
  boot->callback([=, &session] { bootstrap(session, *name); });
  auto* load = command->add_subcommand("import", "Take a `docker save` or OCI archive in");
  load->add_option("FILE", *name)->required()->check(CLI::ExistingFile);
  load->add_option("--tag,-t", *tags, "NAME:TAG (default: the archive's own)");
  load->callback([=, &session] { import(session, *name, *tags); });
  auto* rm = command->add_subcommand("rm", "Remove a tag, or an image by its digest");
  rm->add_option("NAME", *name, "NAME:TAG or NAME@DIGEST")->required();
  rm->callback([=, &session] { remove(session, *name); });
  for (auto* each : {boot, load, rm}) each->fallthrough();
  add_image_scan(*command, session);
  add_image_sbom(*command, session);
}

void add_push(CLI::App& app, Session& session) {
  auto flags = std::make_shared<PushFlags>();
  auto* command = app.add_subcommand("push", "Send an image to another registry");
  command->add_option("NAME", flags->name, "NAME:TAG here")->required();
  command->add_option("TARGET", flags->target, "HOST/NAME:TAG there")->required();
  command->add_option("--user", flags->user, "With the password in SAMPAN_REGISTRY_PASSWORD");
  command->callback([flags, &session] { push(session, *flags); });
}

void add_pull(CLI::App& app, Session& session) {
  auto name = std::make_shared<std::string>();
  auto* command = app.add_subcommand("pull", "Fetch an image from another registry");
  command->add_option("NAME", *name, "HOST/NAME:TAG, or a Docker Hub name")->required();
  command->callback([name, &session] { pull(session, *name); });
}

}  // namespace sampan::cli
