// The Maven coordinates inside a Java archive: META-INF/maven/**/pom.properties, of archives inside it too.
#pragma once

#include <string_view>
#include <vector>

#include "scan/package.h"

namespace sampan::scan {

// Throws core::Error when it is no zip archive or beyond the limits (bytes, entries, depth). Blocking.
std::vector<Package> read_jar(std::string_view bytes, std::string_view path);

}  // namespace sampan::scan
