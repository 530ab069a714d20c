// The `sampan` command: an ordinary client of the daemon's HTTP APIs.
#include <fmt/core.h>

#include <cstdio>

#include "aws/fault.h"
#include "cli/commands.h"
#include "core/log.h"
#include "core/version.h"

namespace {

// The session's places are known only after the flags are read, before the command runs.
void add_common(CLI::App& app, sampan::cli::Session& session) {
  struct Common {
    std::string endpoint, region;
    sampan::cli::Places places;
    bool json = false;
  };
  auto common = std::make_shared<Common>();
  app.add_option("--endpoint", common->endpoint, "Where the daemon is (else SAMPAN_ENDPOINT, AWS_ENDPOINT_URL, http://127.0.0.1:4566)");
  app.add_option("--region", common->region, "Else AWS_REGION, us-east-1");
  app.add_option("--data-dir", common->places.data_dir, "The daemon's data, for up, down and its root key")->capture_default_str();
  app.add_option("--run-dir", common->places.run_dir, "The daemon's sockets and pid files, for up and down")->capture_default_str();
  app.add_flag("--json", common->json, "Print JSON where something is listed");
  app.parse_complete_callback([common, &session] {
    auto absolute = [](const std::filesystem::path& path) { return std::filesystem::absolute(path).lexically_normal(); };
    session.configure(common->endpoint, common->region, {absolute(common->places.data_dir), absolute(common->places.run_dir)}, common->json);
  });
}

int run(int argc, char** argv) {
  using namespace sampan::cli;
  Session session;
  CLI::App app("Sampan: a container cloud that you own", "sampan");
  app.set_version_flag("--version", std::string("sampan ") + sampan::core::kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  add_common(app, session);
  for (auto add : {add_up, add_down, add_status, add_configure, add_build, add_images, add_image, add_registry, add_push, add_pull, add_deploy,
                   add_ps, add_logs, add_events, add_scale, add_stop, add_rm}) {
    add(app, session);
  }
  for (auto* command : app.get_subcommands({})) command->fallthrough();
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return 2;
  } catch (const UsageError& error) {
    fmt::print(stderr, "sampan: {}\n", error.what());
    return 2;
  } catch (const sampan::aws::Fault& fault) {
    fmt::print(stderr, "sampan: {}: {}\n", fault.code(), fault.what());
  } catch (const std::exception& error) {
    fmt::print(stderr, "sampan: {}\n", error.what());
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  sampan::core::log::configure(sampan::core::log::Level::kError, sampan::core::log::Format::kText);
  return run(argc, argv);
}
