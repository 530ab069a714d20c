#include "elb/haproxy_text.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/encoding.h"
#include "elb/haproxy_quote.h"
#include "elb/haproxy_rules.h"

namespace sampan::elb {
namespace {

// Kept connections to targets. Without pool-max-conn a server that was added at run time keeps none (HAProxy 2.6), and
// every request pays for a connection of its own: a third of the throughput.
constexpr std::string_view kPool = " pool-max-conn -1 pool-purge-delay 3s";

std::string render_global(const HaproxySettings& settings, const std::string& description) {
  auto text = fmt::format(
      "# Written by sampand; rewritten at every change of load balancers and targets.\n"
      "global\n"
      "    log {} local0 info\n"
      "    stats socket {} mode 600 level admin expose-fd listeners\n"
      "    description {}\n"
      "    maxconn {}\n"
      "    nbthread {}\n"
      "    hard-stop-after 10m\n",
      quote(settings.log_socket.string()), quote(settings.admin_socket.string()), description,
      settings.max_connections, settings.threads);
  if (!settings.user.empty())
    text += fmt::format("    user {}\n    group {}\n", settings.user, settings.group);
  // idle-close-on-response: without it a reload cuts idle keep-alive connections under their clients.
  // dontlognull, no log line in frontends: a request costs no write.
  return text +
         "defaults\n"
         "    mode http\n"
         "    timeout connect 3s\n"
         "    timeout client 60s\n"
         "    timeout server 60s\n"
         "    timeout http-request 60s\n"
         "    option http-keep-alive\n"
         "    option idle-close-on-response\n"
         "    option splice-auto\n"
         "    http-reuse always\n";
}

// Which load balancer a request is for: by its DNS name, else by a host-header condition that names the host.
std::string render_site_choice(const EdgePort& port) {
  std::string text;
  for (const auto& site : port.sites) {
    text += fmt::format(
        "    http-request set-var(txn.lb) str({}) if {{ req.hdr(host),field(1,:),lower -m str {} }}\n",
        site.id, quote(site.host));
  }
  for (const auto& site : port.sites) {
    bool claims = false;
    const auto name = fmt::format("claim_{}_p{}", site.id, port.number);
    for (const auto& rule : site.rules) {
      for (const auto& condition : rule.conditions) {
        if (condition.field != Condition::Field::kHost) continue;
        text += render_condition(condition, name);
        claims = true;
      }
    }
    if (claims) {
      text += fmt::format("    http-request set-var(txn.lb) str({}) if !{{ var(txn.lb) -m found }} {}\n",
                          site.id, name);
    }
  }
  return text +
         "    http-request return status 404 content-type text/plain string "
         "\"No\\x20load\\x20balancer\\x20here\\x20has\\x20this\\x20host\\x20name\\x0a\" "
         "unless { var(txn.lb) -m found }\n";
}

std::string render_forwarded(const Site& site, const std::string& guard) {
  const auto and_guard = guard.empty() ? "" : ' ' + guard;
  const std::string client = site.client_port ? "%[src]:%[src_port]" : "%[src]";
  switch (site.forwarded_for) {
    case ForwardedFor::kPreserve:
      return "";
    case ForwardedFor::kRemove:
      return fmt::format("    http-request del-header X-Forwarded-For{}\n",
                         guard.empty() ? "" : " if " + guard);
    case ForwardedFor::kAppend:
      break;
  }
  return fmt::format(
      "    http-request set-header X-Forwarded-For \"%[req.fhdr(x-forwarded-for)],\\x20{0}\" if "
      "{{ req.hdr(x-forwarded-for) -m found }}{1}\n"
      "    http-request set-header X-Forwarded-For \"{0}\" if !{{ req.hdr(x-forwarded-for) -m found }}{1}\n",
      client, and_guard);
}

constexpr std::string_view kTraceId =
    "Root=1-%[date,hex,bytes(8,8),lower]-%[rand,hex,bytes(8,8),lower]%[rand,hex,bytes(8,8),lower]"
    "%[rand,hex,bytes(8,8),lower]";
constexpr std::string_view kSelfId =
    "Self=1-%[date,hex,bytes(8,8),lower]-%[rand,hex,bytes(8,8),lower]%[rand,hex,bytes(8,8),lower]"
    "%[rand,hex,bytes(8,8),lower];%[req.fhdr(x-amzn-trace-id),regsub(^Self=[^\\x3b]*\\x3b,)]";

std::string render_headers(const EdgePort& port) {
  std::string text;
  const auto alike = [&](const Site& site) {
    return site.forwarded_for == port.sites.front().forwarded_for &&
           site.client_port == port.sites.front().client_port;
  };
  if (std::all_of(port.sites.begin(), port.sites.end(), alike)) {
    text += render_forwarded(port.sites.front(), "");
  } else {
    for (const auto& site : port.sites) {
      text += render_forwarded(site, fmt::format("{{ var(txn.lb) -m str {} }}", site.id));
    }
  }
  return text + fmt::format(
                    "    http-request set-header X-Forwarded-Proto http\n"
                    "    http-request set-header X-Forwarded-Port {}\n"
                    "    http-request set-header X-Amzn-Trace-Id \"{}\" if {{ req.fhdr(x-amzn-trace-id) -m "
                    "found }}\n"
                    "    http-request set-header X-Amzn-Trace-Id \"{}\" if !{{ req.fhdr(x-amzn-trace-id) -m "
                    "found }}\n",
                    port.number, kSelfId, kTraceId);
}

// The common case, one load balancer with one rule to one group, needs no variable at all.
const std::string* only_backend(const EdgePort& port) {
  if (port.sites.size() != 1 || port.sites.front().rules.size() != 1) return nullptr;
  const auto* forward = std::get_if<Forward>(&port.sites.front().rules.front().action);
  const bool single = forward && forward->backends.size() == 1 && forward->backends.front().weight > 0 &&
                      forward->sticky_seconds == 0;
  return single ? &forward->backends.front().backend : nullptr;
}

std::string render_port(const EdgePort& port, const HaproxySettings& settings) {
  std::chrono::seconds idle{0};
  for (const auto& site : port.sites) idle = std::max(idle, site.idle);
  auto text = fmt::format(
      "frontend port_{0}\n"
      "    bind {1}:{0}\n"
      "    timeout client {2}s\n"
      "    timeout http-keep-alive {2}s\n"
      "    http-request deny deny_status 405 if METH_TRACE\n",
      port.number, settings.address, idle.count());
  const bool shared = port.sites.size() > 1;
  if (shared) text += render_site_choice(port);
  text += render_headers(port);
  if (const auto* backend = only_backend(port))
    return text + fmt::format("    default_backend {}\n", *backend);
  for (const auto& site : port.sites) {
    const auto guard = shared ? fmt::format("{{ var(txn.lb) -m str {} }}", site.id) : std::string();
    text += render_rules(site, port.number, guard);
  }
  return text + "    use_backend %[var(txn.tg)]\n";
}

std::string render_stickiness(const Backend& backend) {
  if (backend.stickiness == Stickiness::kNone) return "";
  const bool application = backend.stickiness == Stickiness::kApplicationCookie;
  const std::string cookie = application ? "AWSALBAPP-0" : "AWSALB";
  // The cookie lives as long as the stickiness lasts, and is renewed with every response.
  const auto condition = application
                             ? fmt::format(" if {{ {} -m found }}", fetch_with("res.cook", backend.cookie))
                             : std::string();
  auto text = fmt::format("    use-server %[req.cook({0})] if {{ req.cook({0}) -m found }}\n", cookie);
  const auto line = [&](const std::string& name, std::string_view more) {
    text += fmt::format(
        "    http-response add-header Set-Cookie \"{}=%s; Expires=%[date({}),http_date]; Path=/{}\"{}\n",
        name, backend.sticky_for.count(), more, condition);
  };
  line(cookie, "");
  if (!application) line("AWSALBCORS", "; SameSite=None; Secure");
  return text;
}

std::string render_backend(const Backend& backend) {
  auto text = fmt::format(
      "backend {}\n"
      "    log global\n"
      "    balance {}\n"
      "    timeout server {}s\n"
      "    timeout tunnel {}s\n"
      "    timeout check {}s\n"
      "    option allbackups\n"
      "    option redispatch 1\n"
      "    retries 2\n"
      "    option log-health-checks\n"
      "    option httpchk\n"
      "    http-check send meth GET uri {} ver HTTP/1.1 hdr Host 127.0.0.1 hdr User-Agent "
      "ELB-HealthChecker/2.0 "
      "hdr Connection close\n"
      "    http-check expect status {}\n",
      backend.name, backend.balance, backend.idle.count(), backend.idle.count(),
      backend.check.timeout.count(), quote(backend.check.path), backend.check.codes);
  text += render_stickiness(backend);
  for (const auto& server : backend.servers) {
    using Duty = EdgeServer::Duty;
    if (server.duty == Duty::kServing) {
      text += fmt::format("    server {} {}:{} {}\n", server.name, server.address, server.port,
                          server_options(backend));
    }
    if (server.duty == Duty::kServing || server.duty == Duty::kFailing) {
      text += fmt::format("    server {}o {}:{} {}\n", server.name, server.address, server.port,
                          twin_options(backend));
    }
  }
  return text;
}

std::string transport_options(const Backend& backend) {
  std::string text;
  if (backend.tls) text += " ssl verify none";
  if (backend.http2) text += " proto h2";
  return text;
}

std::string render_body(const EdgeModel& model, const HaproxySettings& settings) {
  std::string text;
  for (const auto& port : model.ports) text += render_port(port, settings);
  for (const auto& backend : model.backends) text += render_backend(backend);
  return text;
}

}  // namespace

std::string server_options(const Backend& backend) {
  const auto& check = backend.check;
  // downinter: a target that is not up is asked again soon, not after a whole interval.
  auto text = fmt::format("check inter {}s downinter 300ms fall {} rise {}", check.interval.count(),
                          check.unhealthy, check.healthy);
  if (check.port != 0) text += fmt::format(" port {}", check.port);
  if (check.tls && !backend.tls) text += " check-ssl verify none";
  if (!check.tls && backend.tls) text += " no-check-ssl";
  text += transport_options(backend);
  if (backend.slow_start.count() > 0) text += fmt::format(" slowstart {}s", backend.slow_start.count());
  return text + std::string(kPool);
}

std::string twin_options(const Backend& backend) {
  return "backup" + transport_options(backend) + std::string(kPool);
}

std::string structure_of(const EdgeModel& model, const HaproxySettings& settings) {
  EdgeModel bare = model;
  for (auto& backend : bare.backends) {
    backend.servers.clear();
    backend.name += ' ' + server_options(backend);
  }
  auto lasting = settings;
  lasting.admin_socket.clear();  // every process has its own
  return core::sha256_hex(render_global(lasting, "-") + render_body(bare, lasting)).substr(0, 32);
}

std::string render_haproxy(const EdgeModel& model, const HaproxySettings& settings) {
  return render_global(settings, "sampan-" + structure_of(model, settings)) + render_body(model, settings);
}

}  // namespace sampan::elb
