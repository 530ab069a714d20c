#include <gmock/gmock.h>

#include "elb/haproxy_process.h"
#include "elb/haproxy_quote.h"
#include "elb/haproxy_rules.h"
#include "elb/haproxy_text.h"
#include "elb/matcher.h"
#include "io/file.h"
#include "io/subprocess.h"

namespace sampan::elb {
namespace {

using testing::HasSubstr;
using testing::Not;

Backend backend(std::string name) {
  Backend made;
  made.name = std::move(name);
  return made;
}

Site site(std::string id, std::vector<EdgeRule> rules) {
  Site made;
  made.id = id;
  made.host = id + "-1.us-east-1.elb.localhost";
  made.rules = std::move(rules);
  return made;
}

EdgeRule rule(std::string id, RuleAction action, std::vector<Condition> conditions = {}) {
  return {std::move(id), std::move(conditions), std::move(action)};
}

Condition condition(Condition::Field field, std::vector<std::string> values) {
  Condition made;
  made.field = field;
  made.values = std::move(values);
  return made;
}

Forward to(std::string name) {
  return Forward{{{std::move(name), 1}}, 0};
}

struct Compiler : testing::Test {
  // What the real haproxy says of the text: empty when it is good.
  std::string complaint(const EdgeModel& model) {
    const auto file = directory.path() / "haproxy.cfg";
    io::replace_file(file, render_haproxy(model, settings()), io::Durability::kProcessCrash);
    io::Command command;
    command.argv = {"/usr/sbin/haproxy", "-c", "-f", file.string()};
    const auto done = io::run(command);
    return done.ok() && done.err.find("WARNING") == std::string::npos
               ? ""
               : done.err + render_haproxy(model, settings());
  }
  HaproxySettings settings() const {
    HaproxySettings made;
    made.admin_socket = directory.path() / "admin.sock";
    made.log_socket = directory.path() / "log.sock";
    return made;
  }
  io::TemporaryDirectory directory;
};

TEST(Quote, EverythingThatMeansSomethingIsEscaped) {
  EXPECT_EQ(quote("abc/D_e-1.2:3"), "\"abc/D_e-1.2:3\"");
  EXPECT_EQ(quote("a b\"c'd\\e\nf#g$h"), R"("a\x20b\x22c\x27d\x5ce\x0af\x23g\x24h")");
  EXPECT_EQ(quote_format("100%[src]"), R"("100\x25\x25\x5bsrc\x5d")");
  EXPECT_EQ(quote("\xc3\xa9"), R"("\xc3\xa9")");
  EXPECT_EQ(quote(""), "\"\"");
}

TEST(Quote, GlobsBecomeAnchoredExpressions) {
  EXPECT_EQ(glob_to_regex("/img/*.png"), "\\/img\\/.*\\.png");
  EXPECT_EQ(glob_to_regex("a?b"), "a.b");
  EXPECT_EQ(glob_to_regex("a*", "[^&]"), "a[^&]*");
  EXPECT_EQ(glob_to_regex("a\\*b\\?"), "a\\*b\\?");
  EXPECT_EQ(glob_to_regex("(a|b)+$"), "\\(a\\|b\\)\\+\\$");
}

TEST(Matcher, TakesCodesAndRanges) {
  for (const auto* good : {"200", "200,202", "200-299", "200-204,301", "499"})
    EXPECT_TRUE(valid_matcher(good)) << good;
  for (const auto* bad : {"", "abc", "199", "500", "200-", "-200", "300-200", "200,,201", "200 ", "2000",
                          "200-300-400", "200\nserver x", "20x"}) {
    EXPECT_FALSE(valid_matcher(bad)) << bad;
  }
}

TEST_F(Compiler, OneBalancerWithOneRuleNeedsNoVariables) {
  EdgeModel model{{{80, {site("shop", {rule("d0", to("tg_a"))})}}}, {backend("tg_a")}};
  const auto text = render_haproxy(model, settings());
  EXPECT_THAT(text, HasSubstr("    bind 127.0.0.1:80\n"));
  EXPECT_THAT(text, HasSubstr("    default_backend tg_a\n"));
  EXPECT_THAT(text, Not(HasSubstr("txn.")));
  EXPECT_EQ(complaint(model), "");
}

TEST_F(Compiler, RulesBecomeGuardedLines) {
  const auto balancer = site("shop", {rule("r1", FixedResponse{418, "text/plain", "no \"tea\""},
                                           {condition(Condition::Field::kPath, {"/tea", "/pot/*"})}),
                                      rule("r2", Forward{{{"tg_a", 70}, {"tg_b", 30}, {"tg_c", 0}}, 0},
                                           {condition(Condition::Field::kHost, {"*.example.com"})}),
                                      rule("d0", to("tg_a"))});
  EXPECT_EQ(render_rules(balancer, 80, "{ var(txn.lb) -m str shop }"),
            R"(    acl rr1_p80_c0 path -m str -- "/tea"
    acl rr1_p80_c0 path -m beg -- "/pot/"
    http-request return status 418 content-type "text/plain" string "no\x20\x22tea\x22" if { var(txn.lb) -m str shop } rr1_p80_c0
    acl rr2_p80_c0 req.hdr(host),field(1,:) -m reg -i -- "\x5e.\x2a\x5c.example\x5c.com\x24"
    http-request set-var(txn.rule) str(r2) if { var(txn.lb) -m str shop } rr2_p80_c0
    http-request set-var(txn.draw) rand(100) if { var(txn.rule) -m str r2 } !{ var(txn.tg) -m found }
    http-request set-var(txn.tg) str(tg_a) if { var(txn.rule) -m str r2 } !{ var(txn.tg) -m found } { var(txn.draw) -m int lt 70 }
    http-request set-var(txn.tg) str(tg_b) if { var(txn.rule) -m str r2 } !{ var(txn.tg) -m found }
    http-request set-var(txn.tg) str(tg_a) if { var(txn.lb) -m str shop } !{ var(txn.tg) -m found }
)");
}

TEST_F(Compiler, RedirectKeepsWhatItIsTold) {
  Redirect redirect;
  redirect.status = 301;
  redirect.protocol = "HTTPS";
  redirect.port = "443";
  redirect.path = "/new/#{path}%41";
  EXPECT_EQ(
      render_rules(site("a", {rule("d0", redirect)}), 80, ""),
      R"(    http-request redirect code 301 location "https://%[req.hdr(host),field(1,:)]:443/new/%[path,bytes(1)]\x25\x2541\x3f%[query]" if { query -m found }
    http-request redirect code 301 location "https://%[req.hdr(host),field(1,:)]:443/new/%[path,bytes(1)]\x25\x2541"
)");
}

TEST_F(Compiler, AllFeaturesTogetherAreValid) {
  using Field = Condition::Field;
  Condition header = condition(Field::kHeader, {"a*", "B?"});
  header.header = "X-It's";
  Condition query;
  query.field = Field::kQuery;
  query.queries = {{"version", "v1*"}, {"", "any.thing"}, {"k[y", "\\*"}};
  Redirect redirect;
  redirect.host = "www.#{host}";
  redirect.query = "#{query}&from=old";
  auto full =
      site("full", {rule("r1", Forward{{{"tg_a", 1}, {"tg_b", 2}}, 600},
                         {header, query, condition(Field::kMethod, {"GET", "MY-METHOD_"}),
                          condition(Field::kSourceIp, {"10.0.0.0/8", "::1/128"})}),
                    rule("r2", redirect, {condition(Field::kHost, {"a.example.com", "?.example.com"})}),
                    rule("r3", FixedResponse{503, "", ""}, {condition(Field::kPath, {"/a?b*"})}),
                    rule("d0", Forward{{{"tg_a", 0}}, 0})});
  full.client_port = true;
  auto other = site("other", {rule("d1", to("tg_b"))});
  other.forwarded_for = ForwardedFor::kRemove;
  auto third = site("third", {rule("d2", to("tg_c"))});
  third.forwarded_for = ForwardedFor::kPreserve;
  Backend a = backend("tg_a");
  a.balance = "leastconn";
  a.stickiness = Stickiness::kBalancerCookie;
  a.check.port = 8081;
  a.check.tls = true;
  a.check.path = "/health?x=%20#y";
  a.check.codes = "200-204,301";
  a.servers = {{"s1", "10.0.0.4", 80, EdgeServer::Duty::kServing},
               {"s2", "10.0.0.5", 80, EdgeServer::Duty::kFailing},
               {"s3", "10.0.0.6", 80, EdgeServer::Duty::kProbing},
               {"s4", "10.0.0.7", 80, EdgeServer::Duty::kDraining}};
  Backend b = backend("tg_b");
  b.tls = true;
  b.stickiness = Stickiness::kApplicationCookie;
  b.cookie = "JSESSION'ID%";
  b.slow_start = std::chrono::seconds(30);
  b.servers = {{"s1", "10.0.0.4", 443, EdgeServer::Duty::kServing}};
  Backend c = backend("tg_c");
  c.balance = "random";
  c.http2 = true;
  c.servers = {{"s1", "10.0.0.4", 80, EdgeServer::Duty::kServing}};
  EdgeModel model{{{80, {full, other, third}}, {8080, {full}}}, {a, b, c}};
  EXPECT_EQ(complaint(model), "");
  const auto text = render_haproxy(model, settings());
  EXPECT_THAT(text, HasSubstr("server s1 10.0.0.4:80 check"));
  EXPECT_THAT(text, HasSubstr("server s2o 10.0.0.5:80 backup"));
  EXPECT_THAT(text, Not(HasSubstr("server s2 ")));  // failing: brought in down, by the admin socket
  EXPECT_THAT(text, Not(HasSubstr("server s3")));
  EXPECT_THAT(text, Not(HasSubstr("server s4")));
}

TEST_F(Compiler, HostileTextStaysText) {
  using Field = Condition::Field;
  const std::vector<std::string> hostile = {"\"\n    server evil 6.6.6.6:80\n",
                                            "' if TRUE",
                                            "%[env(HOME)]",
                                            "${HOME}",
                                            "$HOME",
                                            "} if {",
                                            "# comment",
                                            "\\",
                                            "\\\\\"",
                                            "-i",
                                            "--",
                                            "-f /etc/passwd",
                                            "a b\tc",
                                            "\x7f\x01",
                                            "\xff\xfe",
                                            "]",
                                            ")",
                                            "(",
                                            ",lower",
                                            "|",
                                            "*",
                                            "?",
                                            std::string(1024, '%'),
                                            std::string(1024, '"')};
  std::vector<EdgeRule> rules;
  int number = 0;
  for (const auto& text : hostile) {
    Condition header = condition(Field::kHeader, {text});
    header.header = "x-!#$%&'*+.^_`|~";
    Condition query;
    query.field = Field::kQuery;
    query.queries = {{text, text}, {"", text}};
    Redirect redirect;
    redirect.host = text;
    redirect.path = "/" + text;
    redirect.query = text;
    const auto id = std::to_string(++number);
    rules.push_back(
        rule("a" + id, FixedResponse{200, "text/plain", text}, {condition(Field::kPath, {text})}));
    rules.push_back(rule("b" + id, redirect, {condition(Field::kHost, {text}), header, query}));
    rules.push_back(rule("c" + id, to("tg_a"), {condition(Field::kMethod, {text})}));
  }
  rules.push_back(rule("d0", to("tg_a")));
  Backend a = backend("tg_a");
  for (const auto& text : hostile) a.check.path += text;
  EdgeModel model{{{80, {site("x", rules)}}}, {a}};
  EXPECT_EQ(complaint(model), "");
  const auto text = render_haproxy(model, settings());
  EXPECT_THAT(text, Not(HasSubstr("server evil")));
  EXPECT_THAT(text, Not(HasSubstr("HOME}")));
}

TEST_F(Compiler, StructureIgnoresServersOnly) {
  EdgeModel model{{{80, {site("shop", {rule("d0", to("tg_a"))})}}}, {backend("tg_a")}};
  const auto before = structure_of(model, settings());
  model.backends[0].servers = {{"s1", "10.0.0.4", 80, EdgeServer::Duty::kServing}};
  EXPECT_EQ(structure_of(model, settings()), before);
  EXPECT_THAT(render_haproxy(model, settings()), HasSubstr("description sampan-" + before));
  model.backends[0].check.interval = std::chrono::seconds(10);
  EXPECT_NE(structure_of(model, settings()), before);
}

TEST(TakenPorts, AreReadFromHaproxysWords) {
  EXPECT_EQ(parse_taken_ports(
                "[ALERT] (1) : Starting frontend port_80: cannot bind socket (Address already in use) "
                "[127.0.0.1:80]\n[ALERT] something else [x:1]\n"),
            std::set<int>{80});
}

}  // namespace
}  // namespace sampan::elb
