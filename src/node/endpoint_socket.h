// The listening socket of the metadata endpoint, 169.254.170.2:80, one a VPC bridge. A task reaches it
// through its gateway; who asks is known from the source address, which the bridge's rules have checked.
//
// Not inside the task's namespace: a listener there makes the task's own bind to 0.0.0.0:80 fail.
#pragma once

#include <string>

#include "io/file.h"

namespace sampan::node {

inline constexpr char kEndpointAddress[] = "169.254.170.2";

// The address stands on `bridge` already. Sees only what comes in by that bridge, so that several bridges and
// several instances of Sampan have one each. Throws core::Error.
io::UniqueFd open_endpoint_socket(const std::string& bridge);

}  // namespace sampan::node
