// Untrusted text as parts of HAProxy's configuration language. Pure.
//
// Everything but a few harmless characters is written as \xNN inside double quotes, so no name, value or body
// can end its word, its line or its section, start a variable ($) or a comment (#).
#pragma once

#include <string>
#include <string_view>

namespace sampan::elb {

// One word.
std::string quote(std::string_view text);
// One word that is a log-format string: "%" is doubled, so that no expression is evaluated.
std::string quote_format(std::string_view text);
// The inside of both, without the quotes: to put pieces together.
std::string escape(std::string_view text);
std::string escape_format(std::string_view text);
// A word like req.fhdr("NAME") around an untrusted argument; `argument` has no '"' and no '\'.
std::string fetch_with(std::string_view function, std::string_view argument);

// '*' and '?' patterns as an anchored PCRE expression; `any` is what one wild character matches.
std::string glob_to_regex(std::string_view glob, std::string_view any = ".");

}  // namespace sampan::elb
