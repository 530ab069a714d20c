// Where letters are put in; who carries them is not known here. Within the caller's transaction: a letter
// goes out exactly when what it tells of has happened.
#pragma once

#include <string>

#include "db/database.h"

namespace shop::accounts {

struct Letter {
  std::string to;
  std::string subject;
  std::string words;  // plain text
};

class Mailbox {
 public:
  virtual ~Mailbox() = default;
  virtual void put(db::Connection& connection, const Letter& letter) = 0;
};

}  // namespace shop::accounts
