// The grammar of JSON filter patterns, by recursive descent. Pure.
//
//   pattern   = "{" or "}"
//   or        = and ("||" and)*          and = term ("&&" term)*
//   term      = "(" or ")" | condition
//   condition = path ("=" | "!=") (text | number) | path ("<" | "<=" | ">" | ">=") number
//             | path "IS" ("NULL" | "TRUE" | "FALSE") | path "NOT" "EXISTS"
//   path      = "$" ("." name | "[" number "]" | "['" name "']")*
#pragma once

#include <string_view>

#include "logs/json_pattern.h"

namespace sampan::logs {

// Throws InvalidPattern.
JsonTerm parse_json_pattern(std::string_view pattern);

}  // namespace sampan::logs
