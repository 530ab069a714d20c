// From data to pages: mustache templates of the program, with the shop's frame around them. Thread-safe.
#pragma once

#include <kainjow/mustache.hpp>
#include <string>

#include "catalogue/snapshot.h"
#include "web/assets.h"
#include "web/http.h"

namespace shop::web {

using Data = kainjow::mustache::data;

class View {
 public:
  explicit View(const Assets& assets) : assets_(assets) {}

  // templates/<name>.html within templates/frame.html. `data` needs "title"; texts are reached as
  // {{#t}}key{{/t}}.
  Response page(const Request& request, const catalogue::Snapshot& snapshot, std::string_view name, Data data,
                int status = 200) const;

 private:
  const Assets& assets_;
};

// The path of a page in the request's language: "/en/danh-muc/nhan".
std::string link(core::Language language, std::string_view path);

}  // namespace shop::web
