#include "core/money.h"

#include <gtest/gtest.h>

#include <random>

#include "core/text.h"
#include "core/weight.h"
#include "pricing/price.h"

namespace shop {
namespace {

using core::Dong;
using core::Language;

TEST(Money, RoundsToThousandsHalfUp) {
  EXPECT_EQ(core::to_thousands(Dong(499)), Dong(0));
  EXPECT_EQ(core::to_thousands(Dong(500)), Dong(1000));
  EXPECT_EQ(core::to_thousands(Dong(12'345'678)), Dong(12'346'000));
}

TEST(Money, IsWrittenAsEachLanguageWritesIt) {
  EXPECT_EQ(core::format(Dong(12'345'000), Language::kVietnamese), "12.345.000\u00a0₫");
  EXPECT_EQ(core::format(Dong(12'345'000), Language::kEnglish), "₫12,345,000");
  EXPECT_EQ(core::format(Dong(-1'500), Language::kEnglish), "₫-1,500");
  EXPECT_EQ(core::format_number(0, Language::kVietnamese), "0");
  EXPECT_EQ(core::format_number(999, Language::kVietnamese), "999");
}

TEST(Money, RefusesToOverflow) {
  EXPECT_THROW(Dong(INT64_MAX) + Dong(1), std::overflow_error);
  EXPECT_THROW(Dong(INT64_MAX) * 2, std::overflow_error);
  EXPECT_THROW(core::share(Dong(INT64_MAX), 3, 1), std::overflow_error);
}

TEST(Weight, IsShownInGramsAndChi) {
  EXPECT_EQ(core::format_grams(core::Milligrams(3750), Language::kVietnamese), "3,75 g");
  EXPECT_EQ(core::format_grams(core::Milligrams(18'750), Language::kEnglish), "18.75 g");
  EXPECT_EQ(core::format_chi(core::Milligrams(3750), Language::kVietnamese), "1 chỉ");
  EXPECT_EQ(core::format_chi(core::Milligrams(2000), Language::kVietnamese), "0,53 chỉ");
  EXPECT_EQ(core::format_chi(core::kLuong, Language::kEnglish), "10 chỉ");
}

// A price is what its parts say, whatever they are.
TEST(Price, IsTheSumOfItsPartsInWholeThousands) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto pick = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(0, most)(random);
  };
  for (int i = 0; i < 10'000; ++i) {
    const pricing::Priced piece{core::Milligrams(1 + pick(100'000)), Dong(1 + pick(20'000'000)),
                                Dong(pick(50'000'000)), Dong(pick(900'000'000))};
    const auto parts = pricing::price(piece);
    ASSERT_EQ(parts.metal + parts.making + parts.stones + parts.vat + parts.rounding, parts.total);
    ASSERT_EQ(parts.total.amount() % 1000, 0);
    ASSERT_LE(std::abs(parts.rounding.amount()), 500);
    auto heavier = piece;
    heavier.weight = core::Milligrams(piece.weight.count() + 1);
    ASSERT_GE(pricing::price(heavier).total, parts.total);
  }
}

TEST(Price, FollowsTheGoldTable) {
  const auto parts = pricing::price({core::Milligrams(3750), Dong(14'650'000), Dong(350'000), Dong(0)});
  EXPECT_EQ(parts.metal, Dong(14'650'000));
  EXPECT_EQ(parts.vat, Dong(35'000));
  EXPECT_EQ(parts.total, Dong(15'035'000));
}

TEST(Text, IsFoldedWithoutDiacriticsHoweverTheyAreComposed) {
  EXPECT_EQ(core::fold("Nhẫn CƯỚI  đính đá, Ngọc Lục Bảo"), "nhan cuoi dinh da ngoc luc bao");
  EXPECT_EQ(core::fold("nha\u0302\u0303n"), "nhan");  // decomposed
  EXPECT_EQ(core::slug("Dây chuyền 18K – Đỏ"), "day-chuyen-18k-do");
  EXPECT_EQ(core::fold("\xff\xfe x"), "x");
  EXPECT_FALSE(core::valid_utf8("\xc3("));
  EXPECT_TRUE(core::valid_utf8("Trường Sa 中 😀"));
}

}  // namespace
}  // namespace shop
