// Who of the staff may do what. Pure.
#pragma once

#include <string_view>

#include "accounts/account.h"

namespace shop::office {

enum class Right {
  kSeeOffice,       // clerk
  kHandleOrders,    // clerk: pack, ship, deliver
  kModerate,        // clerk: reviews
  kSeeCustomers,    // clerk
  kSeeStock,        // clerk
  kChangeGoods,     // manager: products, variants, pictures
  kChangeStock,     // manager
  kSetGold,         // manager
  kChangeVouchers,  // manager
  kRefund,          // manager: cancel and refund orders
  kSeeReports,      // manager
  kManageStaff,     // administrator
  kSeeAudit,        // administrator
};

accounts::Role least_role(Right right);
inline bool may(accounts::Role role, Right right) {
  return role >= least_role(right);
}

}  // namespace shop::office
