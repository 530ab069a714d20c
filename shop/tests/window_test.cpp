// The shop window, through the application's own front: requests in, pages out.
#include <gmock/gmock.h>

#include <regex>

#include "pricing/rates.h"
#include "web/texts.h"
#include "world.h"

namespace shop {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WindowTest : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    stock();
    app = std::make_unique<web::App>(*database, clock);
  }
  void TearDown() override {
    app.reset();
    World::TearDown();
  }
  web::Response get(std::string path, const std::string& query = {},
                    core::Language language = core::Language::kVietnamese) {
    web::Request request;
    request.id = "test";
    request.method = "GET";
    request.path = std::move(path);
    request.query = web::parse_form(query);
    request.language = language;
    return app->handle(std::move(request));
  }
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
  }
  std::unique_ptr<web::App> app;
};
INSTANTIATE_TEST_SUITE_P(Both, WindowTest, ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         engine_name);

TEST_P(WindowTest, ShowsEveryPageInBothLanguages) {
  for (const auto language : {core::Language::kVietnamese, core::Language::kEnglish}) {
    for (const char* path :
         {"/", "/danh-muc/nhan", "/bo-suu-tap/hoa-sen", "/tim", "/san-pham/nhan-tron-gian-di"}) {
      const auto page = get(path, "", language);
      EXPECT_EQ(page.status, 200) << path;
      EXPECT_THAT(page.body, HasSubstr(language == core::Language::kVietnamese ? "<html lang=\"vi\">"
                                                                               : "<html lang=\"en\">"))
          << path;
      EXPECT_THAT(page.body, Not(HasSubstr("{{"))) << path;
      EXPECT_EQ(count(page.body, "<h1>"), 1U) << path;
    }
  }
}

TEST_P(WindowTest, FindsWithoutCaringForDiacritics) {
  EXPECT_THAT(get("/tim", "q=nhan cuoi tram nam").body, HasSubstr("Nhẫn cưới Trăm Năm"));
  EXPECT_THAT(get("/tim", "q=NHẪN+CƯỚI").body, HasSubstr("Nhẫn cưới Tơ Hồng"));
  EXPECT_THAT(get("/tim", "q=xe+dap").body, HasSubstr("Chưa có món nào"));
}

TEST_P(WindowTest, FiltersByWhatOneVariantIs) {
  const auto silver = get("/tim", "tuoi=silver-925");
  EXPECT_THAT(silver.body, HasSubstr("Nhẫn bạc Mưa Xuân"));
  EXPECT_THAT(silver.body, Not(HasSubstr("Nhẫn cưới Trăm Năm")));
  const auto cheap = get("/danh-muc/nhan", "gia-den=2000000&xep=cheapest");
  EXPECT_THAT(cheap.body, HasSubstr("Nhẫn bạc Mưa Xuân"));
  EXPECT_THAT(cheap.body, Not(HasSubstr("kim cương")));
  EXPECT_EQ(get("/tim", "gia-tu=abc").status, 400);
  EXPECT_EQ(get("/tim", "tuoi=brass").status, 400);
  EXPECT_EQ(get("/tim", "trang=0").status, 400);
}

TEST_P(WindowTest, PagesHoldEachProductOnce) {
  const auto first = get("/api/v1/products", "xep=dearest");
  const auto second = get("/api/v1/products", "xep=dearest&trang=2");
  std::set<std::string> slugs;
  std::size_t shown = 0;
  const std::regex slug("\"slug\":\"([^\"]+)\"");
  for (const auto* body : {&first.body, &second.body}) {
    for (std::sregex_iterator at(body->begin(), body->end(), slug), end; at != end; ++at) {
      slugs.insert((*at)[1]);
      ++shown;
    }
  }
  EXPECT_EQ(shown, 48U);
  EXPECT_EQ(slugs.size(), shown);
}

TEST_P(WindowTest, PricesFollowTheTableAtOnce) {
  const auto before = get("/san-pham/nhan-tron-gian-di");
  EXPECT_THAT(before.body, HasSubstr("15.035.000"));
  pricing::Rates(*database).set(
      {{"gold-9999", core::Dong(15'000'000), core::Dong(14'000'000), clock.now(), "test"}});
  clock.time += std::chrono::seconds(1);
  EXPECT_THAT(get("/san-pham/nhan-tron-gian-di").body, HasSubstr("15.385.000"));
}

TEST_P(WindowTest, RefusesInTheLanguageOfTheRequest) {
  EXPECT_EQ(get("/san-pham/khong-co").status, 404);
  EXPECT_THAT(get("/san-pham/khong-co", "", core::Language::kEnglish).body,
              HasSubstr("not on show any more"));
  const auto api = get("/api/v1/products/khong-co");
  EXPECT_EQ(api.status, 404);
  EXPECT_THAT(api.body, HasSubstr("\"code\":\"product_not_found\""));
}

TEST_P(WindowTest, WhatIsTypedIsNeverMarkup) {
  const auto page = get("/tim", "q=%3Cscript%3Ealert(1)%3C/script%3E%22'");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, Not(HasSubstr("<script>alert")));
}

TEST_P(WindowTest, FilesHaveNamesOfTheirContent) {
  const auto home = get("/").body;
  const std::regex css("/tinh/shop\\.[0-9a-f]{8}\\.css");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(home, found, css));
  const auto file = get(found.str());
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.type, "text/css; charset=utf-8");
  EXPECT_EQ(get("/tinh/shop.00000000.css").status, 404);
  EXPECT_EQ(get("/anh/halo_white_ruby.svg").type, "image/svg+xml");
  EXPECT_EQ(get("/anh/unknown_white_ruby.svg").status, 404);
  EXPECT_EQ(get("/anh/../../etc.svg").status, 404);
}

TEST_P(WindowTest, SaysWhetherItIsReady) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  database->execute("DELETE FROM migrations");
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_THAT(get("/metrics").body, HasSubstr("shop_http_responses_total{status=\"2xx\"}"));
}

TEST(Texts, EachHasWordsInBothLanguages) {
  std::set<std::string_view> keys;
  for (const auto& row : web::texts()) {
    EXPECT_TRUE(keys.insert(row.key).second) << row.key;
    EXPECT_FALSE(row.vi.empty() || row.en.empty()) << row.key;
  }
}

TEST(Router, LiteralPartsWinAndWrongMethodsAreTold) {
  web::Router router;
  const auto say = [](std::string words) {
    return [words](const web::Request&) { return web::json(200, words); };
  };
  router.on("GET", "/a/{x}", say("captured"));
  router.on("GET", "/a/b", say("literal"));
  web::Request request;
  request.method = "GET";
  request.path = "/a/b/";
  EXPECT_EQ(router.run(request).body, "literal");
  request.path = "/a/c";
  EXPECT_EQ(router.run(request).body, "captured");
  EXPECT_EQ(request.capture("x"), "c");
  request.method = "POST";
  EXPECT_EQ(router.run(request).status, 405);
}

}  // namespace
}  // namespace shop
