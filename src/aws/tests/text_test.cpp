// ARNs, pages, tags and forms.
#include <gtest/gtest.h>

#include <random>

#include "aws/arn.h"
#include "aws/form.h"
#include "aws/paging.h"
#include "aws/tags.h"

namespace sampan::aws {
namespace {

TEST(Arn, ReadsAndWritesItsParts) {
  const std::string text = "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/web:*";
  const auto arn = Arn::parse(text);
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->service, "logs");
  EXPECT_EQ(arn->resource, "log-group:/ecs/web:*");
  EXPECT_EQ(arn->resource_type(), "log-group");
  EXPECT_EQ(arn->resource_id(), "/ecs/web:*");
  EXPECT_EQ(arn->str(), text);
  EXPECT_EQ(last_segment("arn:aws:ecs:r:a:service/shop/web"), "web");
  for (auto bad : {"", "arn", "arn:aws:ecs", "arn:aws:ecs:r:a:", "arn::ecs:r:a:x", "urn:aws:ecs:r:a:x"}) {
    EXPECT_FALSE(Arn::parse(bad)) << bad;
  }
}

std::vector<int> walk(int total, int size) {
  std::vector<int> seen;
  std::optional<std::string> token;
  do {
    auto page = Page::of(size, token, {}, "q");
    EXPECT_TRUE(page);
    for (int i = 0; i < total; ++i) {
      const auto key = fmt::format("{:04}", i);
      if (key <= page->after() && !page->after().empty()) continue;
      if (!page->take(key)) break;
      seen.push_back(i);
    }
    token = page->next_token();
  } while (token);
  return seen;
}

TEST(Paging, PagesOfAnySizeMakeTheWhole) {
  std::vector<int> all(23);
  for (int i = 0; i < 23; ++i) all[static_cast<std::size_t>(i)] = i;
  for (int size = 1; size <= 30; ++size) EXPECT_EQ(walk(23, size), all) << size;
}

TEST(Paging, RefusesSizesAndTokensThatAreNotOurs) {
  PageError error{};
  EXPECT_FALSE(Page::of(0, std::nullopt, {}, "q", &error));
  EXPECT_EQ(error, PageError::kSize);
  EXPECT_FALSE(Page::of(101, std::nullopt, {}, "q", &error));
  EXPECT_TRUE(Page::of(100, std::nullopt, {}, "q", &error));
  auto page = Page::of(1, std::nullopt, {}, "q");
  EXPECT_TRUE(page->take("a"));
  EXPECT_FALSE(page->take("b"));
  const auto token = page->next_token();
  ASSERT_TRUE(token);
  EXPECT_TRUE(Page::of(1, token, {}, "q"));
  EXPECT_FALSE(Page::of(1, token, {}, "another question", &error));
  EXPECT_EQ(error, PageError::kToken);
  for (auto bad : {"x", "AAAA", "====", "bm90IGEgdG9rZW4gb2Ygb3Vycw=="}) {
    EXPECT_FALSE(Page::of(1, std::string(bad), {}, "q")) << bad;
  }
}

TEST(Paging, APageMayEndBeforeItIsFull) {
  auto page = Page::of(5, std::nullopt, {}, "q");
  EXPECT_TRUE(page->take("a"));
  page->stop_after("k");
  const auto token = page->next_token();
  ASSERT_TRUE(token);
  EXPECT_EQ(Page::of(5, token, {}, "q")->after(), "k");
}

struct LowerTag {
  std::optional<std::string> key, value;
};
struct UpperTag {
  std::string Key;
  std::optional<std::string> Value;
};

TEST(Tags, WorkWithBothSpellings) {
  Tags tags;
  merge_tags(tags, tag_pairs(std::vector<LowerTag>{{"a", "1"}, {"b", std::nullopt}}));
  merge_tags(tags, tag_pairs(std::vector<UpperTag>{{"a", "2"}}));
  EXPECT_EQ(tags, (Tags{{"a", "2"}, {"b", ""}}));
  remove_tags(tags, {"b", "c"});
  const auto list = to_tag_list<UpperTag>(tags);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].Value, "2");
}

TEST(Tags, LimitsAreEnforced) {
  const auto problem = [](std::vector<std::pair<std::string, std::string>> given, Tags had = {}) {
    const auto found = check_tags(given, had);
    return found ? std::optional(found->problem) : std::nullopt;
  };
  EXPECT_EQ(problem({{"a", ""}}), std::nullopt);
  EXPECT_EQ(problem({{std::string(128, 'k'), std::string(256, 'v')}}), std::nullopt);
  EXPECT_EQ(problem({{std::string(129, 'k'), ""}}), TagProblem::kKeyLength);
  EXPECT_EQ(problem({{"", ""}}), TagProblem::kKeyLength);
  EXPECT_EQ(problem({{"k", std::string(257, 'v')}}), TagProblem::kValueLength);
  EXPECT_EQ(problem({{"aws:x", ""}}), TagProblem::kReservedPrefix);
  EXPECT_EQ(problem({{"AWS:x", ""}}), TagProblem::kReservedPrefix);
  EXPECT_EQ(problem({{"a", ""}, {"a", ""}}), TagProblem::kDuplicateKey);
  Tags had;
  for (int i = 0; i < 50; ++i) had[std::to_string(i)] = "";
  EXPECT_EQ(problem({{"7", "again"}}, had), std::nullopt);
  EXPECT_EQ(problem({{"new", ""}}, had), TagProblem::kTooMany);
}

TEST(Form, DecodesAndSorts) {
  const auto form = Form::parse("b=2&a=1+1&c=%C3%A9&&d&e=");
  ASSERT_TRUE(form.find("a"));
  EXPECT_EQ(*form.find("a"), "1 1");
  EXPECT_EQ(*form.find("c"), "\xC3\xA9");
  EXPECT_EQ(*form.find("d"), "");
  EXPECT_EQ(*form.find("e"), "");
  EXPECT_EQ(form.find("f"), nullptr);
  EXPECT_EQ(form.under("").size(), 5u);
}

TEST(Form, RefusesWhatIsBroken) {
  EXPECT_THROW(Form::parse("a=%"), FormError);
  EXPECT_THROW(Form::parse("a=%zz"), FormError);
  EXPECT_THROW(Form::parse("a=%ff"), FormError);
  EXPECT_THROW(Form::parse(std::string(Form::kMaxKey + 1, 'k') + "=1"), FormError);
  EXPECT_NO_THROW(Form::parse(std::string(Form::kMaxKey, 'k') + "=1"));
  std::string many;
  for (std::size_t i = 0; i < Form::kMaxPairs; ++i) many += "a=1&";
  EXPECT_NO_THROW(Form::parse(many));
  EXPECT_THROW(Form::parse(many + "b=1"), FormError);
}

TEST(Utf8, TellsValidFromBroken) {
  for (auto good : {"", "a", "\xC3\xA9", "\xE1\xBB\xAD", "\xF0\x9F\x92\x8D", "\xEF\xBF\xBD"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  for (auto bad :
       {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xF0\x80\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

TEST(Form, RandomBytesNeverCrash) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (auto& byte : bytes) byte = "=&%.+aZ09\x80\xC3\xA9"[random() % 12];
    try {
      const auto form = Form::parse(bytes);
      form.find("a");
      form.under("a.");
    } catch (const FormError&) {
    }
  }
}

}  // namespace
}  // namespace sampan::aws
