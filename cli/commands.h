// Each command of `sampan` adds itself to the parser. A callback throws UsageError (exit 2), or anything else
// (exit 1).
#pragma once

#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace sampan::cli {

void add_up(CLI::App& app, Session& session);
void add_down(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_configure(CLI::App& app, Session& session);
void add_build(CLI::App& app, Session& session);
void add_images(CLI::App& app, Session& session);
void add_registry(CLI::App& app, Session& session);      // collect, fsck, quota, refresh
void add_refresh(CLI::App& registry, Session& session);  // below registry
void add_image(CLI::App& app, Session& session);         // bootstrap, import, rm, scan, sbom
void add_image_scan(CLI::App& image, Session& session);
void add_image_sbom(CLI::App& image, Session& session);
void add_push(CLI::App& app, Session& session);
void add_pull(CLI::App& app, Session& session);
void add_deploy(CLI::App& app, Session& session);
void add_ps(CLI::App& app, Session& session);
void add_logs(CLI::App& app, Session& session);
void add_events(CLI::App& app, Session& session);
void add_scale(CLI::App& app, Session& session);
void add_stop(CLI::App& app, Session& session);
void add_rm(CLI::App& app, Session& session);

}  // namespace sampan::cli
