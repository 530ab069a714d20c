// An inventory as a bill of materials, in the two forms that other tools read. Pure.
#pragma once

#include <string>

#include "core/clock.h"
#include "scan/package.h"

namespace sampan::scan {

struct SbomSubject {
  std::string name;    // "localhost:4566/team/app"
  std::string digest;  // "sha256:…"
  core::TimePoint made_at{};
};

std::string render_cyclonedx(const Inventory& inventory, const SbomSubject& subject);  // 1.5, JSON
std::string render_spdx(const Inventory& inventory, const SbomSubject& subject);       // 2.3, JSON

}  // namespace sampan::scan
