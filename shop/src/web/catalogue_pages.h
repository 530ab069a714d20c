// The shop window: home, lists, products. Reads a snapshot, changes nothing.
#pragma once

#include "catalogue/browse.h"
#include "web/view.h"

namespace shop::web {

class CataloguePages {
 public:
  CataloguePages(catalogue::Snapshots& snapshots, const View& view) : snapshots_(snapshots), view_(view) {}
  void add_to(Router& router);

 private:
  Response home(const Request& request);
  Response category(const Request& request);
  Response collection(const Request& request);
  Response search(const Request& request);
  Response product(const Request& request);
  Response list(const Request& request, const catalogue::Snapshot& snapshot, catalogue::Wish wish, Data data);

  catalogue::Snapshots& snapshots_;
  const View& view_;
};

// What the query asks for, checked; throws core::Refusal. Used by the JSON API as well.
catalogue::Wish read_wish(const Request& request);

}  // namespace shop::web
