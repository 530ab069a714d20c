// Whether this machine has an HAProxy that Sampan can drive: asked once when the daemon starts.
#pragma once

#include <string>

namespace sampan::elb {

// The absolute path of haproxy; throws core::Error that says how to mend it when it is missing or older
// than 2.6
// (`add server` with checks).
std::string find_haproxy();

}  // namespace sampan::elb
