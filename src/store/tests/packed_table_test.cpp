#include "store/packed_table.h"

#include <gtest/gtest.h>

#include <random>

#include "store/memory_store.h"
#include "store/tests/fixture.h"

namespace sampan::store {

struct Word {
  std::string text;
  bool operator==(const Word&) const = default;
};

template <>
struct RowCodec<Word> {
  static std::string encode(const Word& word) { return '"' + word.text; }
  static Word decode(std::string_view row) { return {std::string(row.substr(1))}; }
};

namespace {

class PackedTableTest : public testing::Test {
 protected:
  void put(const std::string& key, const std::string& text) {
    control_.run(transact(*store_, [&](Txn& tx) { tx.put(words_, key, Word{text}); }));
  }
  void erase(const std::string& key) {
    control_.run(transact(*store_, [&](Txn& tx) { tx.erase(words_, key); }));
  }
  Control control_;
  std::unique_ptr<Store> store_ = make_memory_store(control_.executor());
  PackedTable<Word> words_{*store_, "/words/"};
};

TEST_F(PackedTableTest, FollowsTheStore) {
  put("a", "1");
  ASSERT_NE(words_.find("a"), nullptr);
  EXPECT_EQ(words_.find("a")->text, "1");
  put("a", "2");
  EXPECT_EQ(words_.find("a")->text, "2");
  EXPECT_EQ(words_.find_row("a")->created, 1);
  EXPECT_EQ(words_.find_row("a")->modified, 2);
  EXPECT_TRUE(words_.contains("a"));
  erase("a");
  EXPECT_EQ(words_.find("a"), nullptr);
  EXPECT_FALSE(words_.contains("a"));
}

TEST_F(PackedTableTest, SeesItsOwnPrefixAlone) {
  control_.run(store_->commit(writes({store::put("/word/x", "\"1"), store::put("/words.x", "\"2"),
                                      store::put("/words0", "\"3"), store::put("/words/", "\"4")})));
  put("k", "v");
  std::vector<std::string> keys;
  for (const auto& [key, row] : words_) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"", "k"}));
  EXPECT_EQ(words_.size(), 2u);
  EXPECT_EQ(words_.lower_bound("l"), words_.end());
}

TEST_F(PackedTableTest, RowsStayGoodUntilTheNextSuspensionHoweverManyAreRead) {
  for (int i = 0; i < 3; ++i) {
    Transaction all;
    for (int n = 0; n < 400; ++n) {
      all.writes.push_back(store::put("/words/" + std::to_string(i * 400 + n), "\"" + std::to_string(n)));
    }
    control_.run(store_->commit(std::move(all)));
  }
  std::vector<const Word*> held;
  for (int n = 0; n < 1200; ++n) held.push_back(words_.find(std::to_string(n)));
  for (int n = 0; n < 1200; ++n) EXPECT_EQ(held[n]->text, std::to_string(n % 400));
  put("other", "turns the strand");
  EXPECT_EQ(words_.find("7")->text, "7");
}

TEST_F(PackedTableTest, ARowThatChangesIsReadAsItWasByWhoHasIt) {
  put("a", "1");
  const auto* held = words_.find("a");
  std::string seen;
  words_.on_change([&](const std::string&, const std::string*, const std::string*) { seen = held->text; });
  put("a", "2");
  EXPECT_EQ(seen, "1");
  EXPECT_EQ(words_.find("a")->text, "2");
}

TEST_F(PackedTableTest, ListenersHearEncodedRows) {
  std::vector<std::string> heard;
  words_.on_change([&](const std::string& key, const std::string* before, const std::string* after) {
    heard.push_back(key + " " + (before ? *before : "-") + ">" + (after ? *after : "-"));
  });
  put("a", "1");
  put("a", "2");
  erase("a");
  EXPECT_EQ(heard, (std::vector<std::string>{"a ->\"1", "a \"1>\"2", "a \"2>-"}));
}

TEST_F(PackedTableTest, SaysTheSameAsATableAfterRandomChanges) {
  Table<Word> table(*store_, "/words/");
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    const auto key = std::to_string(random() % 300);
    if (random() % 3 == 0) {
      erase(key);
    } else {
      put(key, std::to_string(random()));
    }
    const auto looked = std::to_string(random() % 300);
    const auto* packed = words_.find_row(looked);
    const auto* plain = table.find_row(looked);
    ASSERT_EQ(packed == nullptr, plain == nullptr);
    if (plain) {
      ASSERT_EQ(packed->value, plain->value);
      ASSERT_EQ(packed->modified, plain->modified);
      ASSERT_EQ(packed->created, plain->created);
    }
    ASSERT_EQ(words_.size(), table.size());
  }
  auto packed = words_.lower_bound("2");
  for (auto plain = table.lower_bound("2"); plain != table.end(); ++plain, ++packed) {
    ASSERT_NE(packed, words_.end());
    EXPECT_EQ(packed->first, plain->first);
    EXPECT_EQ(packed.key(), plain->first);
    EXPECT_EQ(packed->second.value, plain->second.value);
  }
  EXPECT_EQ(packed, words_.end());
}

}  // namespace
}  // namespace sampan::store
