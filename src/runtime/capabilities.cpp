#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "runtime/bundle.h"

namespace sampan::runtime {
namespace {

// linux/capability.h, in its order.
constexpr std::string_view kKnown[] = {"CHOWN",
                                       "DAC_OVERRIDE",
                                       "DAC_READ_SEARCH",
                                       "FOWNER",
                                       "FSETID",
                                       "KILL",
                                       "SETGID",
                                       "SETUID",
                                       "SETPCAP",
                                       "LINUX_IMMUTABLE",
                                       "NET_BIND_SERVICE",
                                       "NET_BROADCAST",
                                       "NET_ADMIN",
                                       "NET_RAW",
                                       "IPC_LOCK",
                                       "IPC_OWNER",
                                       "SYS_MODULE",
                                       "SYS_RAWIO",
                                       "SYS_CHROOT",
                                       "SYS_PTRACE",
                                       "SYS_PACCT",
                                       "SYS_ADMIN",
                                       "SYS_BOOT",
                                       "SYS_NICE",
                                       "SYS_RESOURCE",
                                       "SYS_TIME",
                                       "SYS_TTY_CONFIG",
                                       "MKNOD",
                                       "LEASE",
                                       "AUDIT_WRITE",
                                       "AUDIT_CONTROL",
                                       "SETFCAP",
                                       "MAC_OVERRIDE",
                                       "MAC_ADMIN",
                                       "SYSLOG",
                                       "WAKE_ALARM",
                                       "BLOCK_SUSPEND",
                                       "AUDIT_READ",
                                       "PERFMON",
                                       "BPF",
                                       "CHECKPOINT_RESTORE"};

std::string canonical(std::string_view name) {
  std::string upper(core::trim(name));
  for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
  if (upper.starts_with("CAP_")) upper.erase(0, 4);
  if (upper != "ALL" && std::find(std::begin(kKnown), std::end(kKnown), upper) == std::end(kKnown)) {
    throw core::Error("unknown capability \"" + std::string(name) + "\"");
  }
  return upper;
}

}  // namespace

const std::vector<std::string>& default_capabilities() {
  static const std::vector<std::string> names = {
      "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FOWNER",  "CAP_FSETID", "CAP_KILL",      "CAP_NET_BIND_SERVICE",
      "CAP_SETFCAP", "CAP_SETGID",       "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"};
  return names;
}

std::vector<std::string> effective_capabilities(const std::vector<std::string>& add,
                                                const std::vector<std::string>& drop) {
  std::set<std::string> result(default_capabilities().begin(), default_capabilities().end());
  for (const std::string& text : drop) {
    const std::string name = canonical(text);
    if (name == "ALL") result.clear();
    result.erase("CAP_" + name);
  }
  for (const std::string& text : add) {
    const std::string name = canonical(text);
    if (name != "ALL") result.insert("CAP_" + name);
    if (name != "ALL") continue;
    for (const std::string_view known : kKnown) result.insert("CAP_" + std::string(known));
  }
  return {result.begin(), result.end()};
}

}  // namespace sampan::runtime
