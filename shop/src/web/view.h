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
  // What a module adds to the frame of every page (a cart's count, a name). Set up before pages are made.
  using FramePart = std::function<void(const Request&, Data&)>;

  explicit View(const Assets& assets) : assets_(assets) {}
  void add_to_frame(FramePart part) { frame_parts_.push_back(std::move(part)); }

  // templates/<name>.html within templates/frame.html. `data` needs "title"; texts are reached as
  // {{#t}}key{{/t}}, the token of forms as {{csrf}}.
  Response page(const Request& request, const catalogue::Snapshot& snapshot, std::string_view name, Data data,
                int status = 200) const;
  // templates/<name>.html alone: what htmx puts into a page.
  Response part(const Request& request, std::string_view name, Data data) const;

 private:
  void add_words(const Request& request, Data& data) const;

  const Assets& assets_;
  std::vector<FramePart> frame_parts_;
};

// The path of a page in the request's language: "/en/danh-muc/nhan".
std::string link(core::Language language, std::string_view path);

}  // namespace shop::web
