// The back office below the web: rights, the audit log, pictures.
#include <gmock/gmock.h>

#include "core/error.h"
#include "office/audit.h"
#include "office/picture.h"
#include "office/rights.h"
#include "world.h"

namespace shop {
namespace {

using accounts::Role;
using office::Right;

using OfficeTest = World;
INSTANTIATE_TEST_SUITE_P(Both, OfficeTest, ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         engine_name);

TEST_P(OfficeTest, TheAuditLogIsAppendOnly) {
  db::migrate(*database);
  database->transact([&](db::Connection& connection) {
    office::record(connection, clock.now(), {7, "boss@example.com"},
                   {"gold.set", "gold-750", "{}", "{\"a\":1}"});
    office::record(connection, clock.now(), {{}, "shop"}, {"staff.add", "account 1", "", ""});
  });
  EXPECT_ANY_THROW(database->execute("UPDATE audit_log SET who = 'nobody'"));
  EXPECT_ANY_THROW(database->execute("DELETE FROM audit_log"));
  const auto rows = office::read_audit(*database, "", 0, 10);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].deed.action, "staff.add");
  EXPECT_EQ(rows[1].who, "boss@example.com");
  EXPECT_EQ(office::read_audit(*database, "gold-750", 0, 10).size(), 1U);
  EXPECT_EQ(office::read_audit(*database, "", rows[0].id, 10).size(), 1U);
}

TEST_P(OfficeTest, KeepsBytesAsTheyAre) {
  database->execute(database->engine() == db::Engine::kSqlite
                        ? "CREATE TABLE files (id BIGINT PRIMARY KEY, bytes BLOB NOT NULL)"
                        : "CREATE TABLE files (id BIGINT PRIMARY KEY, bytes BYTEA NOT NULL)");
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes.push_back(static_cast<char>(i * 7 % 256));
  bytes += std::string("\\x00'\0\\", 7);
  database->execute("INSERT INTO files (id, bytes) VALUES ($1, $2)", {1, db::Bytes{bytes}});
  EXPECT_EQ(database->query_one("SELECT bytes FROM files WHERE id = $1", {1})->bytes(0), bytes);
}

TEST(Rights, EachRoleMayWhatTheOneBelowMay) {
  EXPECT_FALSE(office::may(Role::kCustomer, Right::kSeeOffice));
  EXPECT_TRUE(office::may(Role::kClerk, Right::kHandleOrders));
  EXPECT_FALSE(office::may(Role::kClerk, Right::kSetGold));
  EXPECT_FALSE(office::may(Role::kClerk, Right::kRefund));
  EXPECT_TRUE(office::may(Role::kManager, Right::kRefund));
  EXPECT_FALSE(office::may(Role::kManager, Right::kManageStaff));
  EXPECT_TRUE(office::may(Role::kAdministrator, Right::kManageStaff));
  for (int right = 0; right <= static_cast<int>(Right::kSeeAudit); ++right)
    EXPECT_FALSE(office::may(Role::kCustomer, static_cast<Right>(right))) << right;
}

}  // namespace
}  // namespace shop
