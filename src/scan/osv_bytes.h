// What one record says of one package, in few bytes. Private to the database, which alone writes and reads
// it.
#pragma once

#include <string>
#include <string_view>

#include "scan/osv.h"

namespace sampan::scan {

// Severity, ranges and versions; not the package's name.
std::string encode_affected(const OsvAffected& affected);
OsvAffected decode_affected(std::string_view bytes);  // what follows it does not matter

}  // namespace sampan::scan
