#include "web/catalogue_api.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>

#include "catalogue/browse.h"
#include "core/error.h"
#include "web/catalogue_pages.h"

namespace shop::web {
namespace {

using Object = Poco::JSON::Object;
using Array = Poco::JSON::Array;

Object::Ptr object() {
  return new Object(Poco::JSON_PRESERVE_KEY_ORDER);
}

Response answer(const Object::Ptr& body) {
  std::ostringstream text;
  body->stringify(text);
  return json(200, text.str()).header("Cache-Control", "no-cache");
}

Object::Ptr render(const catalogue::Text& text) {
  auto both = object();
  both->set("vi", text.vi);
  both->set("en", text.en);
  return both;
}

// Money is a JSON integer of đồng.
Object::Ptr render(const pricing::PriceParts& price) {
  auto parts = object();
  parts->set("metal", price.metal.amount());
  parts->set("making", price.making.amount());
  parts->set("stones", price.stones.amount());
  parts->set("vat", price.vat.amount());
  parts->set("rounding", price.rounding.amount());
  parts->set("total", price.total.amount());
  return parts;
}

Object::Ptr render(const catalogue::Variant& variant) {
  auto shown = object();
  shown->set("sku", variant.sku);
  shown->set("size", variant.size);
  shown->set("purity", std::string(variant.purity->code));
  shown->set("colour", variant.colour);
  shown->set("weight_mg", variant.weight.count());
  shown->set("price", render(variant.price));
  Array::Ptr stones = new Array;
  for (const auto& stone : variant.stones) {
    auto one = object();
    one->set("kind", stone.kind);
    one->set("pieces", stone.pieces);
    one->set("carat_thousandths", stone.carat_thousandths);
    if (stone.certificate) one->set("certificate", *stone.certificate);
    stones->add(one);
  }
  shown->set("stones", stones);
  return shown;
}

Object::Ptr render(const catalogue::Product& product, const catalogue::Snapshot& snapshot) {
  auto shown = object();
  shown->set("slug", product.slug);
  shown->set("name", render(product.name));
  shown->set("description", render(product.description));
  shown->set("category", snapshot.categories[product.category].slug);
  if (product.collection) shown->set("collection", snapshot.collections[*product.collection].slug);
  Array::Ptr variants = new Array;
  for (const auto& variant : product.variants) variants->add(render(variant));
  shown->set("variants", variants);
  return shown;
}

}  // namespace

void CatalogueApi::add_to(Router& router) {
  router.on("GET", "/api/v1/products", [this](const Request& request) { return products(request); });
  router.on("GET", "/api/v1/products/{slug}", [this](const Request& request) { return product(request); });
  router.on("GET", "/api/v1/gold", [this](const Request& request) { return gold(request); });
}

Response CatalogueApi::products(const Request& request) {
  const auto snapshot = snapshots_.current();
  auto wish = read_wish(request);
  wish.category = request.param("danh-muc");
  wish.collection = request.param("bo-suu-tap");
  const auto found = catalogue::browse(*snapshot, wish);
  auto body = object();
  body->set("total", static_cast<Poco::Int64>(found.total));
  body->set("page", static_cast<Poco::Int64>(found.page));
  body->set("pages", static_cast<Poco::Int64>(found.pages));
  Array::Ptr list = new Array;
  for (const auto* product : found.products) list->add(render(*product, *snapshot));
  body->set("products", list);
  return answer(body);
}

Response CatalogueApi::product(const Request& request) {
  const auto snapshot = snapshots_.current();
  const auto* product = snapshot->find(request.capture("slug"));
  if (!product) throw core::Refusal(core::Refusal::Kind::kNotFound, "product_not_found");
  return answer(render(*product, *snapshot));
}

Response CatalogueApi::gold(const Request&) {
  const auto snapshot = snapshots_.current();
  auto body = object();
  Array::Ptr list = new Array;
  for (const auto& [code, rate] : snapshot->rates) {
    auto one = object();
    one->set("purity", code);
    one->set("sell_per_chi", rate.sell_per_chi.amount());
    one->set("buy_per_chi", rate.buy_per_chi.amount());
    one->set("valid_from_ms", static_cast<Poco::Int64>(rate.valid_from.time_since_epoch().count()));
    list->add(one);
  }
  body->set("rates", list);
  return answer(body);
}

}  // namespace shop::web
