// The system-call filter of containers: what Docker's default profile allows (moby, profiles/seccomp),
// as data. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace sampan::runtime {

// `linux.seccomp` of an OCI configuration for a process with these capabilities ("CAP_…").
boost::json::object render_seccomp(const std::vector<std::string>& capabilities);

}  // namespace sampan::runtime
