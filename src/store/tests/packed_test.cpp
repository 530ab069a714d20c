#include "store/packed.h"

#include <gtest/gtest.h>

#include <random>

#include "core/error.h"

namespace sampan::store {
namespace {

// All of a row, or the error.
std::string read_all(std::string_view row) {
  std::string seen;
  try {
    for (PackedReader reader(row); reader.next();) {
      seen += std::to_string(reader.field()) + ':' + std::string(reader.text()) + ';';
    }
  } catch (const core::Error& error) {
    return std::string("error: ") + error.what();
  }
  return seen;
}

TEST(Packed, FieldsComeBackInTheirOrder) {
  PackedWriter writer;
  writer.text(3, "three");
  writer.number(200, 77);
  writer.text(1, "");
  const auto row = writer.take();
  EXPECT_TRUE(is_packed(row));
  PackedReader reader(row);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 3);
  EXPECT_EQ(reader.text(), "three");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 200);
  EXPECT_EQ(reader.number(), 77u);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.text(), "");
  EXPECT_FALSE(reader.next());
}

TEST(Packed, NumbersOfEveryLengthComeBack) {
  for (int bit = 0; bit <= 64; ++bit) {
    for (const std::uint64_t less : {0, 1}) {
      const std::uint64_t number = (bit == 64 ? 0 : std::uint64_t{1} << bit) - less;
      PackedWriter writer;
      writer.number(1, number);
      const auto row = writer.take();
      PackedReader reader(row);
      ASSERT_TRUE(reader.next());
      EXPECT_EQ(reader.number(), number);
    }
  }
}

TEST(Packed, ItemsOfAFieldComeBack) {
  const std::vector<std::string> texts = {"a", "", std::string(300, 'x'), "last"};
  PackedWriter writer;
  writer.texts(7, texts);
  const auto row = writer.take();
  PackedReader reader(row);
  ASSERT_TRUE(reader.next());
  std::vector<std::string> seen;
  std::string_view item;
  for (auto items = reader.items(); items.next(item);) seen.emplace_back(item);
  EXPECT_EQ(seen, texts);
}

TEST(Packed, SaysWhatIsWrongWithARow) {
  EXPECT_NE(read_all("").find("it is empty"), std::string::npos);
  EXPECT_NE(read_all("{\"a\":1}").find("0x7b"), std::string::npos);
  EXPECT_NE(read_all("\x01\x05").find("ends within a number"), std::string::npos);
  EXPECT_NE(read_all("\x01\x05\x04"
                     "abc")
                .find("ends within a field"),
            std::string::npos);
  EXPECT_NE(read_all("\x01\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").find("too l"),
            std::string::npos);
  const std::string long_number("\x01\x05\x02\x07\x07", 5);
  PackedReader reader(long_number);
  ASSERT_TRUE(reader.next());
  EXPECT_THROW(reader.number(), core::Error);
  EXPECT_THROW(reader.refuse_field(), core::Error);
}

TEST(Packed, RandomBytesEndInValuesOrInAnError) {
  std::mt19937 random(20261123);
  for (int round = 0; round < 20'000; ++round) {
    std::string row(1, kPackedVersion);
    for (auto length = random() % 40; length > 0; --length) {
      row.push_back(static_cast<char>(random() % 4 == 0 ? random() : random() % 6));
    }
    try {
      for (PackedReader reader(row); reader.next();) {
        std::string_view item;
        std::size_t total = 0;
        try {
          for (auto items = reader.items(); items.next(item);) total += item.size();
          reader.number();
        } catch (const core::Error&) {
        }
        EXPECT_LE(total, row.size());
      }
    } catch (const core::Error&) {
    }
  }
}

}  // namespace
}  // namespace sampan::store
