#include "elb/haproxy_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "core/encoding.h"
#include "core/text.h"
#include "elb/haproxy_quote.h"

namespace sampan::elb {
namespace {

constexpr std::string_view kUnchosen = "!{ var(txn.tg) -m found }";

bool wild(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

// One sample against values with wildcards: exact ones in one ACL line, wild ones as anchored expressions.
std::string match_values(const std::string& name, const std::string& sample,
                         const std::vector<std::string>& values, std::string_view flags) {
  std::string exact;
  std::string lines;
  for (const auto& value : values) {
    if (!wild(value)) {
      exact += ' ' + quote(value);
    } else if (value.find_first_of("*?") == value.size() - 1 && value.back() == '*' && value.size() > 1) {
      lines += fmt::format("    acl {} {} -m beg{} -- {}\n", name, sample, flags,
                           quote(std::string_view(value).substr(0, value.size() - 1)));
    } else {
      lines += fmt::format("    acl {} {} -m reg{} -- {}\n", name, sample, flags,
                           quote('^' + glob_to_regex(value) + '$'));
    }
  }
  if (exact.empty()) return lines;
  return fmt::format("    acl {} {} -m str{} --{}\n", name, sample, flags, exact) + lines;
}

// A key=value pair anywhere in the query; keys and values match without case, an empty key is any key.
std::string match_query(const std::string& name,
                        const std::vector<std::pair<std::string, std::string>>& queries) {
  std::string lines;
  for (const auto& [key, value] : queries) {
    const auto key_text = key.empty() ? std::string("[^&=]*") : glob_to_regex(key, "[^&=]");
    const auto expression = fmt::format("(^|&){}={}(&|$)", key_text, glob_to_regex(value, "[^&]"));
    lines += fmt::format("    acl {} query -m reg -i -- {}\n", name, quote(expression));
  }
  return lines;
}

std::string list_of(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += ' ' + quote(value);
  return out;
}

// Replaces AWS's #{…} in one part of a redirect by HAProxy expressions, and escapes what is around them.
std::string expand(std::string_view text, int port) {
  struct Word {
    std::string_view name;
    std::string value;
  };
  const Word words[] = {{"#{protocol}", "http"},
                        {"#{host}", "%[req.hdr(host),field(1,:)]"},
                        {"#{port}", std::to_string(port)},
                        {"#{path}", "%[path,bytes(1)]"},
                        {"#{query}", "%[query]"}};
  std::string out;
  while (!text.empty()) {
    const auto word = std::find_if(std::begin(words), std::end(words),
                                   [&](const Word& w) { return text.starts_with(w.name); });
    if (word != std::end(words)) {
      out += word->value;
      text.remove_prefix(word->name.size());
    } else {
      out += escape_format(text.substr(0, 1));
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string when(const std::string& conditions) {
  return conditions.empty() ? "" : " if" + conditions;
}

std::string render_redirect(const Redirect& redirect, int port, const std::string& conditions) {
  const auto protocol = core::to_lower(redirect.protocol);
  // AWS always writes the port.
  const auto target = fmt::format("{}://{}:{}{}", expand(protocol, port), expand(redirect.host, port),
                                  expand(redirect.port, port), expand(redirect.path, port));
  const auto line = [&](const std::string& location, const std::string& conditions_of_it) {
    return fmt::format("    http-request redirect code {} location \"{}\"{}\n", redirect.status, location,
                       when(conditions_of_it));
  };
  if (redirect.query.empty()) return line(target, conditions);
  const auto with_query = target + "\\x3f" + expand(redirect.query, port);
  if (redirect.query != "#{query}") return line(with_query, conditions);
  // No "?" behind a target that came without a query.
  return line(with_query, conditions + " { query -m found }") + line(target, conditions);
}

std::string render_fixed(const FixedResponse& fixed, const std::string& conditions) {
  auto line = fmt::format("    http-request return status {}", fixed.status);
  if (!fixed.body.empty()) {
    const auto type = fixed.content_type.empty() ? std::string("text/plain") : fixed.content_type;
    line += fmt::format(" content-type {} string {}", quote(type), quote(fixed.body));
  }
  return line + when(conditions) + '\n';
}

std::string choose(const std::string& backend, const std::string& conditions) {
  return fmt::format("    http-request set-var(txn.tg) str({}){}\n", backend, when(conditions));
}

std::string render_forward(const Forward& forward, const std::string& id, const std::string& conditions) {
  std::vector<WeightedBackend> chosen;
  for (const auto& backend : forward.backends) {
    if (backend.weight > 0) chosen.push_back(backend);
  }
  if (chosen.empty()) return render_fixed({503, "", ""}, conditions);
  if (chosen.size() == 1 && forward.sticky_seconds == 0) return choose(chosen.front().backend, conditions);

  const auto mine = fmt::format(" {{ var(txn.rule) -m str {} }}", id);
  const auto open = mine + ' ' + std::string(kUnchosen);
  std::string lines = fmt::format("    http-request set-var(txn.rule) str({}){}\n", id, when(conditions));
  if (forward.sticky_seconds > 0) {
    for (const auto& backend : chosen) {
      lines += choose(backend.backend, fmt::format("{} {{ req.cook(AWSALBTG) -m str {} }}", open,
                                                   group_token(backend.backend)));
    }
  }
  const int total =
      std::accumulate(chosen.begin(), chosen.end(), 0,
                      [](int sum, const WeightedBackend& backend) { return sum + backend.weight; });
  lines += fmt::format("    http-request set-var(txn.draw) rand({}){}\n", total, when(open));
  int limit = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    limit += chosen[i].weight;
    const auto last = i + 1 == chosen.size();
    lines += choose(chosen[i].backend,
                    last ? open : fmt::format("{} {{ var(txn.draw) -m int lt {} }}", open, limit));
  }
  if (forward.sticky_seconds > 0) {
    for (const auto& backend : chosen) {
      const auto is_it = fmt::format("{} {{ var(txn.tg) -m str {} }}", mine, backend.backend);
      for (const auto* cookie : {"AWSALBTG", "AWSALBTGCORS"}) {
        const auto more = std::string_view(cookie) == "AWSALBTGCORS" ? "; SameSite=None; Secure" : "";
        lines += fmt::format(
            "    http-response add-header Set-Cookie \"{}={}; Expires=%[date({}),http_date]; Path=/{}\"{}\n",
            cookie, group_token(backend.backend), forward.sticky_seconds, more, when(is_it));
      }
    }
  }
  return lines;
}

}  // namespace

std::string group_token(const std::string& backend) {
  return core::sha256_hex("group " + backend).substr(0, 24);
}

std::string render_condition(const Condition& condition, const std::string& name) {
  switch (condition.field) {
    case Condition::Field::kHost:
      return match_values(name, "req.hdr(host),field(1,:)", condition.values, " -i");
    case Condition::Field::kPath:
      return match_values(name, "path", condition.values, "");
    case Condition::Field::kMethod:
      return fmt::format("    acl {} method -m str --{}\n", name, list_of(condition.values));
    case Condition::Field::kSourceIp:
      return fmt::format("    acl {} src -m ip --{}\n", name, list_of(condition.values));
    case Condition::Field::kHeader:
      return match_values(name, fetch_with("req.fhdr", condition.header), condition.values, " -i");
    case Condition::Field::kQuery:
      return match_query(name, condition.queries);
  }
  return "";
}

std::string render_rules(const Site& site, int port, const std::string& guard) {
  std::string text;
  bool first = true;
  for (const auto& rule : site.rules) {
    std::string conditions = guard.empty() ? "" : ' ' + guard;
    if (!first) conditions += ' ' + std::string(kUnchosen);
    for (std::size_t i = 0; i < rule.conditions.size(); ++i) {
      const auto name = fmt::format("r{}_p{}_c{}", rule.id, port, i);
      text += render_condition(rule.conditions[i], name);
      conditions += ' ' + name;
    }
    if (const auto* forward = std::get_if<Forward>(&rule.action)) {
      text += render_forward(*forward, rule.id, conditions);
      first = false;
    } else if (const auto* redirect = std::get_if<Redirect>(&rule.action)) {
      text += render_redirect(*redirect, port, conditions);
    } else {
      text += render_fixed(std::get<FixedResponse>(rule.action), conditions);
    }
  }
  return text;
}

}  // namespace sampan::elb
