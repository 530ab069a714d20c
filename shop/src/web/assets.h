// Static files under names that change with their content, so that browsers keep them for ever; and the
// drawings.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "web/http.h"

namespace shop::web {

class Assets {
 public:
  Assets();
  // "/tinh/shop.3f2a9c01.css" of "shop.css".
  std::string url(std::string_view name) const;
  Response file(const Request& request) const;     // of /tinh/{name}
  Response drawing(const Request& request) const;  // of /anh/{name}: "<design>_<colour>_<stone>.svg"

  static std::string drawing_url(std::string_view design, std::string_view colour, std::string_view stone);

 private:
  struct File {
    std::string_view bytes;
    std::string type;
    std::string etag;
  };
  std::map<std::string, File, std::less<>> by_url_name_;
  std::map<std::string, std::string, std::less<>> url_names_;
};

}  // namespace shop::web
