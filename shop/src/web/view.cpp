#include "web/view.h"

#include <stdexcept>
#include <unordered_map>

#include "core/resources.h"
#include "web/texts.h"

namespace shop::web {
namespace {

namespace mustache = kainjow::mustache;

std::string template_text(std::string_view name) {
  const auto found = core::resources().find("templates/" + std::string(name) + ".html");
  if (found == core::resources().end()) throw std::logic_error("there is no template " + std::string(name));
  return std::string(found->second);
}

// Parsed once a thread: a kainjow template keeps state while it renders.
mustache::mustache& template_of(std::string_view name) {
  thread_local std::unordered_map<std::string, mustache::mustache> parsed;
  const std::string key(name);
  auto found = parsed.find(key);
  if (found == parsed.end()) {
    found = parsed.emplace(key, mustache::mustache(template_text(name))).first;
    if (!found->second.is_valid())
      throw std::logic_error("template " + key + ": " + found->second.error_message());
  }
  return found->second;
}

Data texts_in(core::Language language) {
  return Data(
      mustache::lambda([language](const std::string& key) { return std::string(text(key, language)); }));
}

Data categories_of(const Request& request, const catalogue::Snapshot& snapshot) {
  Data list(Data::type::list);
  for (const auto& category : snapshot.categories) {
    Data item;
    const auto path = "/danh-muc/" + category.slug;
    item.set("name", category.name.in(request.language));
    item.set("url", link(request.language, path));
    item.set("here", request.path == path);
    list.push_back(item);
  }
  return list;
}

core::Language other(core::Language language) {
  return language == core::Language::kVietnamese ? core::Language::kEnglish : core::Language::kVietnamese;
}

std::string query_text(const Fields& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    if (!value.empty()) text += (text.empty() ? "?" : "&") + url_encode(name) + '=' + url_encode(value);
  }
  return text;
}

}  // namespace

std::string link(core::Language language, std::string_view path) {
  if (language == core::Language::kVietnamese) return std::string(path);
  return path == "/" ? "/en" : "/en" + std::string(path);
}

void View::add_words(const Request& request, Data& data) const {
  const bool vietnamese = request.language == core::Language::kVietnamese;
  data.set("t", texts_in(request.language));
  data.set("lang", vietnamese ? "vi" : "en");
  data.set("base", vietnamese ? "" : "/en");
  data.set("home_url", link(request.language, "/"));
  if (!request.session.token.empty()) data.set("csrf", request.session.csrf());
}

Response View::page(const Request& request, const catalogue::Snapshot& snapshot, std::string_view name,
                    Data data, int status) const {
  const auto language = request.language;
  add_words(request, data);
  data.set("other_lang", language == core::Language::kVietnamese ? "en" : "vi");
  data.set("other_url", link(other(language), request.path) + query_text(request.query));
  data.set("search_url", link(language, "/tim"));
  data.set("words", std::string(request.param("q")));
  data.set("categories", categories_of(request, snapshot));
  data.set("css", assets_.url("shop.css"));
  data.set("icon", assets_.url("icon.svg"));
  for (const auto& part : frame_parts_) part(request, data);
  data.set("content", template_of(name).render(data));
  Response response;
  response.status = status;
  response.body = template_of("frame").render(data);
  response.header("Cache-Control", "private, no-cache");  // it carries its visitor's token
  return response;
}

Response View::part(const Request& request, std::string_view name, Data data) const {
  add_words(request, data);
  Response response;
  response.body = template_of(name).render(data);
  response.header("Cache-Control", "no-store");
  return response;
}

}  // namespace shop::web
