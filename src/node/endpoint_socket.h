// The listening socket of a task's metadata endpoint, 169.254.170.2:80, opened inside its namespace: who asks
// is known from which socket was asked. The socket keeps the namespace alive: close it before detaching.
#pragma once

#include <filesystem>

#include "io/file.h"

namespace sampan::node {

// Blocking (a third of a millisecond). Repeating it after a crash is fine. Throws core::Error.
io::UniqueFd open_endpoint_socket(const std::filesystem::path& network_namespace);

}  // namespace sampan::node
