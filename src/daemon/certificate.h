// Keeps the listener's certificate as its files are: on SIGHUP, and when they have changed (certbot renews
// them by itself). Files that are wrong are told of in the log once; the last good ones stay.
#pragma once

#include <memory>

#include "http/tls_identity.h"
#include "io/executors.h"

namespace sampan::daemon {

// Runs until the process ends. On the control strand; files are read on the blocking pool.
io::Awaitable<void> follow_certificate(io::Executors& executors, std::shared_ptr<http::TlsIdentity> identity);

}  // namespace sampan::daemon
