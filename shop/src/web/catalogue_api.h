// The shop window as JSON, under /api/v1.
#pragma once

#include "catalogue/snapshot.h"
#include "web/http.h"

namespace shop::web {

class CatalogueApi {
 public:
  explicit CatalogueApi(catalogue::Snapshots& snapshots) : snapshots_(snapshots) {}
  void add_to(Router& router);

 private:
  Response products(const Request& request);
  Response product(const Request& request);
  Response gold(const Request& request);
  catalogue::Snapshots& snapshots_;
};

}  // namespace shop::web
