// The files that are part of the program: templates, static files, migrations. By their path in the source
// tree.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace shop::core {

const std::map<std::string, std::string_view, std::less<>>& resources();

}  // namespace shop::core
