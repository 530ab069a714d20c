// The whole web application without its sockets: a request in, a response out. Thread-safe.
#pragma once

#include <atomic>

#include "catalogue/snapshot.h"
#include "core/error.h"
#include "web/catalogue_api.h"
#include "web/catalogue_pages.h"
#include "web/session.h"

namespace shop::web {

class App {
 public:
  App(db::Database& database, const core::Clock& clock);
  // Never throws: what goes wrong is a page (or JSON under /api) in the request's language.
  Response handle(Request request);

 private:
  void recognise(Request& request);
  Response health();
  Response ready();
  Response metrics() const;
  Response session(const Request& request);
  Response refuse(const Request& request, const core::Refusal& refusal);
  Response fail(const Request& request, int status, const char* code);
  Response error_page(const Request& request, int status, std::string_view title, const std::string& text);
  void count(int status);

  db::Database& database_;
  catalogue::Snapshots snapshots_;
  Sessions sessions_;
  Assets assets_;
  View view_{assets_};
  CataloguePages pages_{snapshots_, view_};
  CatalogueApi api_{snapshots_};
  Router router_;
  std::atomic<std::uint64_t> answers_[6]{};  // by the first digit of their status
};

}  // namespace shop::web
