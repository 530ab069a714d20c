// Ends an instance's load balancers when its daemon is dead or going (`sampan down`).
#pragma once

#include <filesystem>

namespace sampan::elb {

// Stops the HAProxy processes of that instance, found by pid file and checked by their command line, and
// removes what is in <run-dir>/edge. The configuration in <data-dir>/edge stays. Blocking; repeatable;
// nothing to do is no error.
void tear_down(const std::filesystem::path& data_dir, const std::filesystem::path& run_dir);

}  // namespace sampan::elb
