#include "office/rights.h"

namespace shop::office {

accounts::Role least_role(Right right) {
  switch (right) {
    case Right::kSeeOffice:
    case Right::kHandleOrders:
    case Right::kModerate:
    case Right::kSeeCustomers:
    case Right::kSeeStock:
      return accounts::Role::kClerk;
    case Right::kChangeGoods:
    case Right::kChangeStock:
    case Right::kSetGold:
    case Right::kChangeVouchers:
    case Right::kRefund:
    case Right::kSeeReports:
      return accounts::Role::kManager;
    case Right::kManageStaff:
    case Right::kSeeAudit:
      break;
  }
  return accounts::Role::kAdministrator;
}

}  // namespace shop::office
