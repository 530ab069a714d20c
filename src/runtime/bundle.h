// A ContainerSpec as the text that OCI runtimes read: config.json of the runtime specification 1.0, valid
// for runc 1.1, crun 1.8 and runsc. Pure: everything it says comes from its arguments.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "runtime/spec.h"
#include "runtime/user.h"

namespace sampan::runtime {

// Throws core::Error for what cannot be rendered: an unknown capability or limit, a relative path.
boost::json::object render_config(const ContainerSpec& spec, const ResolvedUser& user, const Host& host);
// The `process` member alone, as `exec` takes it. `base` is the container's own spec.
boost::json::object render_process(const ContainerSpec& base, const ProcessSpec& process,
                                   const ResolvedUser& user, const Host& host);

// Docker's default 14, less those that a service in a namespace of its own can do without (MKNOD,
// NET_RAW's forging is stopped by the network, AUDIT_WRITE), in alphabetical order.
const std::vector<std::string>& default_capabilities();
// Drop first, then add, as Docker does; names with or without CAP_, any case, "ALL".
std::vector<std::string> effective_capabilities(const std::vector<std::string>& add,
                                                const std::vector<std::string>& drop);

}  // namespace sampan::runtime
