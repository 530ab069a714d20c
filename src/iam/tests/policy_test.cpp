// The policy language: what is taken, what is refused in which words, and what is decided.
#include "iam/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "iam/policy_decision.h"

namespace sampan::iam {
namespace {

using testing::HasSubstr;

std::string fault_of(std::string_view text, PolicyKind kind = PolicyKind::kIdentity) {
  try {
    parse_policy(text, kind);
    return "";
  } catch (const MalformedPolicy& error) {
    return error.what();
  }
}

std::string identity(std::string_view statement) {
  return R"({"Version":"2012-10-17","Statement":[)" + std::string(statement) + "]}";
}

TEST(PolicyText, SaysWhatIsWrongInAwsWords) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "Syntax errors in policy."},
      {"[]", "Syntax errors in policy."},
      {"{}", "Policy document must be version 2012-10-17 or greater."},
      {R"({"Version":"2012-10-17"})", "Syntax errors in policy."},
      {R"({"Version":"2011-01-01","Statement":[]})", "Syntax errors in policy."},
      {R"({"Version":"2012-10-17","Statement":[]})", "Syntax errors in policy."},
      {R"({"Version":"2012-10-17","Statements":[]})", "Syntax errors in policy."},
      {identity(R"({"Effect":"Maybe","Action":"*","Resource":"*"})"), "Syntax errors in policy."},
      {identity(R"({"Effect":"Allow","Action":"*","Resource":"*","Extra":1})"), "Syntax errors in policy."},
      {identity(R"({"Effect":"Allow","Action":"*","NotAction":"x:y","Resource":"*"})"),
       "Syntax errors in policy."},
      {identity(R"({"Effect":"Allow","Action":["ecr:Get*",7],"Resource":"*"})"), "Syntax errors in policy."},
      {identity(R"({"Effect":"Allow","Resource":"*"})"), "Policy statement must contain actions."},
      {identity(R"({"Effect":"Allow","Action":"*"})"), "Policy statement must contain resources."},
      {identity(R"({"Effect":"Allow","Action":"Get","Resource":"*"})"),
       "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
      {identity(R"({"Effect":"Allow","Action":"a:b:c","Resource":"*"})"),
       "Actions/Condition can contain only one colon."},
      {identity(R"({"Effect":"Allow","Action":"e_r:b","Resource":"*"})"), "Vendor e_r is not valid"},
      {identity(R"({"Effect":"Allow","Action":"*","Resource":"repo"})"),
       "Resource repo must be in ARN format or \"*\"."},
      {identity(R"({"Effect":"Allow","Action":"*","Resource":"arn:x:ecr:::r"})"),
       "Partition \"x\" is not valid for resource \"arn:x:ecr:::r\"."},
      {identity(R"({"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"})"),
       "Policy document should not specify a principal."},
      {identity(R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Stringish":{"a:b":"c"}}})"),
       "Invalid Condition type : Stringish."},
      {identity(R"({"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"})"),
       "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
       "[0-9A-Za-z]*"},
      {identity(R"({"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},)"
                R"({"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"})"),
       "Statement IDs (SID) in a single policy must be unique."},
      {identity(R"({"Effect":"Allow","Action":"*","Resource":"*"})"), ""},
      {R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["iam:*"],"NotResource":"*"}})",
       ""},
  };
  for (const auto& [text, fault] : cases) EXPECT_EQ(fault_of(text), fault) << text;
}

TEST(PolicyText, EachPlaceHasItsElements) {
  const std::string with_resource =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
      R"("Action":"ecr:*","Resource":"*"}]})";
  const std::string without = R"({"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
                              R"("Action":"ecr:*"}]})";
  EXPECT_EQ(fault_of(with_resource, PolicyKind::kRepository), "Has prohibited field Resource");
  EXPECT_EQ(fault_of(without, PolicyKind::kRepository), "");
  EXPECT_EQ(fault_of(with_resource, PolicyKind::kRegistry), "");
  EXPECT_EQ(fault_of(without, PolicyKind::kRegistry), "Policy statement must contain resources.");
  EXPECT_EQ(fault_of(without, PolicyKind::kTrust),
            "AssumeRole policy may only specify STS AssumeRole actions.");
  EXPECT_EQ(fault_of(identity(R"({"Effect":"Allow","Action":"sts:AssumeRole"})"), PolicyKind::kTrust),
            "Missing required field Principal");
}

TEST(PolicyText, PrincipalsAreAccountsAndArns) {
  const auto with = [](std::string_view principal) {
    return fault_of(
        identity(R"({"Effect":"Allow","Action":"ecr:*","Principal":)" + std::string(principal) + "}"),
        PolicyKind::kRepository);
  };
  EXPECT_EQ(with(R"("*")"), "");
  EXPECT_EQ(with(R"({"AWS":"*"})"), "");
  EXPECT_EQ(with(R"({"AWS":["111122223333","arn:aws:iam::111122223333:root"]})"), "");
  EXPECT_EQ(with(R"({"Service":"ecs-tasks.amazonaws.com"})"), "");
  EXPECT_EQ(with(R"({"AWS":"arn:aws:iam::111122223333:*"})"),
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:*\"");
  EXPECT_EQ(with(R"({"AWS":"ana"})"), "Invalid principal in policy: \"AWS\":\"ana\"");
  EXPECT_EQ(with(R"({"Friends":"*"})"), "Invalid principal in policy: \"Friends\"");
  EXPECT_EQ(with(R"("ana")"), "Syntax errors in policy.");
  EXPECT_EQ(with("{}"), "Syntax errors in policy.");
}

TEST(PolicyText, NestingAndSizeHaveLimits) {
  EXPECT_EQ(fault_of(std::string(kLongestPolicy + 1, ' ')), "Syntax errors in policy.");
  EXPECT_EQ(fault_of(std::string(5000, '[')), "Syntax errors in policy.");
  std::string deep =
      R"({"Version":"2012-10-17","Statement":)" + std::string(200, '[') + std::string(200, ']') + "}";
  EXPECT_EQ(fault_of(deep), "Syntax errors in policy.");
}

TEST(PolicyPattern, WildcardsRunOverEverything) {
  const Context none;
  const std::tuple<std::string, std::string, bool> cases[] = {
      {"*", "", true},      {"*", "abc", true},   {"a*c", "abc", true},     {"a*c", "ab", false},
      {"a?c", "abc", true}, {"a?c", "ac", false}, {"a*b*c", "aXbYc", true}, {"", "", true},
      {"", "a", false},     {"**a", "bba", true}, {"a*", "a", true},        {"?*", "", false},
  };
  for (const auto& [pattern, text, wanted] : cases) {
    EXPECT_EQ(Pattern::make(pattern, none, Variables::kLiteral)->matches(text), wanted)
        << pattern << " " << text;
  }
  const std::string hostile(6000, '*');
  EXPECT_FALSE(Pattern::make(hostile + "b", none, Variables::kLiteral)->matches(std::string(5000, 'a')));
}

TEST(PolicyPattern, VariablesAreLiteralText) {
  Context context;
  context.set("aws:username", "a*");
  const auto make = [&](std::string_view text) { return Pattern::make(text, context, Variables::kExpanded); };
  EXPECT_TRUE(make("user/${aws:username}")->matches("user/a*"));
  EXPECT_FALSE(make("user/${aws:username}")->matches("user/ab"));
  EXPECT_TRUE(make("${AWS:UserName}/*")->matches("a*/x"));
  EXPECT_TRUE(make("${*}${?}${$}")->matches("*?$"));
  EXPECT_TRUE(make("${aws:userid, 'nobody'}")->matches("nobody"));
  EXPECT_FALSE(make("${aws:userid}"));
  EXPECT_TRUE(make("${open")->matches("${open"));
  EXPECT_TRUE(Pattern::make("${aws:username}", context, Variables::kLiteral)->matches("${aws:username}"));
}

TEST(PolicyPattern, ArnsMatchPartByPart) {
  const auto matches = [](std::string_view pattern, std::string_view arn) {
    return arn_matches(*Pattern::make(pattern, Context(), Variables::kLiteral), arn);
  };
  const std::string repository = "arn:aws:ecr:us-east-1:111122223333:repository/team/app";
  EXPECT_TRUE(matches("*", repository));
  EXPECT_TRUE(matches("arn:aws:ecr:*", repository));
  EXPECT_TRUE(matches("arn:aws:ecr:*:*:repository/team/*", repository));
  EXPECT_TRUE(matches("arn:*:ecr:us-east-?:111122223333:*", repository));
  EXPECT_FALSE(matches("arn:aws:ecr:*:repository/team/app", repository));
  EXPECT_FALSE(matches("arn:aws:ecr:*:111122223333:repository/team", repository));
  EXPECT_FALSE(matches("arn:aws:ecr:us-east-1:444455556666:repository/*", repository));
  EXPECT_TRUE(matches("*", "*"));
  EXPECT_FALSE(matches("arn:aws:ecr:*:*:repository/*", "*"));
}

struct ConditionCase {
  std::string op, key, values;
  bool wanted;
};

TEST(PolicyCondition, OperatorsAndAbsentKeys) {
  Context context;
  context.set("aws:SourceIp", "10.1.2.3");
  context.set("aws:CurrentTime", "2026-06-01T12:00:00Z");
  context.set("aws:SecureTransport", "false");
  context.set("aws:PrincipalArn", "arn:aws:iam::111122223333:user/ana");
  context.set("aws:username", "Ana");
  context.set("aws:n", "42");
  context.set("aws:TagKeys", std::vector<std::string>{"team", "stage"});
  context.set("aws:None", std::vector<std::string>{});
  const ConditionCase cases[] = {
      {"StringEquals", "aws:username", R"("Ana")", true},
      {"StringEquals", "AWS:UserName", R"(["x","Ana"])", true},
      {"StringEquals", "aws:username", R"("ana")", false},
      {"StringEquals", "aws:username", R"("A*")", false},
      {"StringEqualsIgnoreCase", "aws:username", R"("aNA")", true},
      {"StringNotEquals", "aws:username", R"(["x","Ana"])", false},
      {"StringNotEquals", "aws:username", R"(["x","y"])", true},
      {"StringNotEquals", "aws:missing", R"("x")", true},
      {"StringEquals", "aws:missing", R"("x")", false},
      {"StringEqualsIfExists", "aws:missing", R"("x")", true},
      {"StringEqualsIfExists", "aws:username", R"("x")", false},
      {"StringLike", "aws:username", R"("A?a")", true},
      {"StringNotLike", "aws:username", R"("B*")", true},
      {"NumericEquals", "aws:n", "42", true},
      {"NumericLessThan", "aws:n", R"("42")", false},
      {"NumericLessThanEquals", "aws:n", R"("42.0")", true},
      {"NumericGreaterThan", "aws:n", "41", true},
      {"NumericGreaterThanEquals", "aws:n", "43", false},
      {"NumericEquals", "aws:n", R"("many")", false},
      {"NumericNotEquals", "aws:n", "41", true},
      {"DateGreaterThan", "aws:CurrentTime", R"("2026-01-01T00:00:00Z")", true},
      {"DateLessThan", "aws:CurrentTime", R"("2026-01-01T00:00:00Z")", false},
      {"DateEquals", "aws:CurrentTime", R"("2026-06-01T14:00:00+02:00")", true},
      {"DateLessThan", "aws:CurrentTime", R"("4102444800")", true},
      {"DateLessThan", "aws:CurrentTime", R"("soon")", false},
      {"Bool", "aws:SecureTransport", "false", true},
      {"Bool", "aws:SecureTransport", R"("true")", false},
      {"BoolIfExists", "aws:MultiFactorAuthPresent", R"("true")", true},
      {"IpAddress", "aws:SourceIp", R"(["192.0.2.0/24","10.0.0.0/8"])", true},
      {"IpAddress", "aws:SourceIp", R"("10.1.2.3")", true},
      {"IpAddress", "aws:SourceIp", R"("10.1.2.4/31")", false},
      {"IpAddress", "aws:SourceIp", R"("10.1.2.2/31")", true},
      {"IpAddress", "aws:SourceIp", R"("::/0")", false},
      {"IpAddress", "aws:SourceIp", R"("10.0.0.0/99")", false},
      {"NotIpAddress", "aws:SourceIp", R"("192.0.2.0/24")", true},
      {"ArnLike", "aws:PrincipalArn", R"("arn:aws:iam::*:user/*")", true},
      {"ArnEquals", "aws:PrincipalArn", R"("arn:aws:iam::111122223333:user/ana")", true},
      {"ArnNotLike", "aws:PrincipalArn", R"("arn:aws:iam::*:role/*")", true},
      {"Null", "aws:missing", "true", true},
      {"Null", "aws:username", "true", false},
      {"Null", "aws:username", R"("false")", true},
      {"ForAnyValue:StringEquals", "aws:TagKeys", R"("team")", true},
      {"ForAnyValue:StringEquals", "aws:TagKeys", R"("cost")", false},
      {"ForAllValues:StringEquals", "aws:TagKeys", R"(["team","stage","cost"])", true},
      {"ForAllValues:StringEquals", "aws:TagKeys", R"(["team"])", false},
      {"ForAllValues:StringEquals", "aws:missing", R"(["team"])", true},
      {"ForAllValues:StringEquals", "aws:None", R"(["team"])", true},
      {"ForAnyValue:StringEquals", "aws:missing", R"(["team"])", false},
      {"ForAnyValue:StringNotEquals", "aws:TagKeys", R"(["team"])", true},
      {"ForAllValues:StringNotEquals", "aws:TagKeys", R"(["team"])", false},
      {"ForAllValues:StringNotLike", "aws:TagKeys", R"(["c*"])", true},
      {"StringEquals", "aws:PrincipalOrgID", R"("o-1234567890")", false},
  };
  for (const auto& one : cases) {
    const auto policy =
        parse_policy(identity(R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":{")" + one.op +
                              R"(":{")" + one.key + R"(":)" + one.values + "}}}"),
                     PolicyKind::kIdentity);
    EXPECT_EQ(holds(policy.statements[0].conditions[0], context, Variables::kExpanded), one.wanted)
        << one.op << " " << one.key << " " << one.values;
  }
}

// ---- decisions

const std::string kRepository = "arn:aws:ecr:us-east-1:111122223333:repository/app";
const char kHere[] = "111122223333";
const char kElsewhere[] = "444455556666";

PolicyRef own(std::string_view statement) {
  return std::make_shared<Policy>(parse_policy(identity(statement), PolicyKind::kIdentity));
}
PolicyRef of_repository(std::string_view statement) {
  return std::make_shared<Policy>(parse_policy(identity(statement), PolicyKind::kRepository));
}

Principal user(std::string account, std::string name = "ana") {
  return Principal::of("arn:aws:iam::" + account + ":user/" + name);
}
Principal root(std::string account) {
  auto principal = Principal::of("arn:aws:iam::" + account + ":root");
  principal.unbound = true;
  return principal;
}

Decision ask(const Principal& principal, std::vector<PolicyRef> identity_policies,
             std::vector<PolicyRef> resource, const Policy* session = nullptr,
             std::string_view action = "ecr:BatchGetImage") {
  const Context context;
  return decide({principal, action, kRepository, context},
                {identity_policies, resource, session, principal.account != kHere});
}

const char kAllow[] = R"({"Effect":"Allow","Action":"ecr:BatchGet*","Resource":"*"})";
const char kDeny[] = R"({"Effect":"Deny","Action":"*","Resource":"*"})";
std::string for_whom(std::string_view effect, std::string_view principal) {
  return R"({"Effect":")" + std::string(effect) + R"(","Action":"ecr:*","Principal":)" +
         std::string(principal) + "}";
}
const char kAna[] = R"({"AWS":"arn:aws:iam::111122223333:user/ana"})";
const char kOtherAna[] = R"({"AWS":"arn:aws:iam::444455556666:user/ana"})";
const char kOtherAccount[] = R"({"AWS":"444455556666"})";
const char kThisAccount[] = R"({"AWS":"arn:aws:iam::111122223333:root"})";

TEST(PolicyDecision, WithinAnAccountOneAllowIsEnough) {
  EXPECT_EQ(ask(user(kHere), {}, {}).verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(user(kHere), {own(kAllow)}, {}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(user(kHere), {}, {of_repository(for_whom("Allow", kAna))}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(user(kHere), {}, {of_repository(for_whom("Allow", "\"*\""))}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(user(kHere), {}, {of_repository(for_whom("Allow", kOtherAna))}).verdict,
            Verdict::kImplicitDeny);
}

TEST(PolicyDecision, AnAccountNamedAsAWholeMustStillAllowItsUsers) {
  const auto theirs = of_repository(for_whom("Allow", kThisAccount));
  EXPECT_EQ(ask(user(kHere), {}, {theirs}).verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(user(kHere), {own(kAllow)}, {theirs}).verdict, Verdict::kAllow);
}

TEST(PolicyDecision, AcrossAccountsBothSidesMustAllow) {
  const auto theirs = of_repository(for_whom("Allow", kOtherAccount));
  EXPECT_EQ(ask(user(kElsewhere), {own(kAllow)}, {}).verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(user(kElsewhere), {own(kAllow)}, {}).by, Side::kResource);
  EXPECT_EQ(ask(user(kElsewhere), {}, {theirs}).verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(user(kElsewhere), {}, {theirs}).by, Side::kIdentity);
  EXPECT_EQ(ask(user(kElsewhere), {own(kAllow)}, {theirs}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(user(kElsewhere), {own(kAllow)}, {of_repository(for_whom("Allow", kOtherAna))}).verdict,
            Verdict::kAllow);
}

TEST(PolicyDecision, RootIsHeldByOtherAccountsOnly) {
  EXPECT_EQ(ask(root(kHere), {}, {}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(root(kHere), {}, {of_repository(for_whom("Deny", "\"*\""))}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(root(kElsewhere), {}, {}).verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(root(kElsewhere), {}, {of_repository(for_whom("Allow", kOtherAccount))}).verdict,
            Verdict::kAllow);
  EXPECT_EQ(ask(root(kElsewhere), {}, {of_repository(for_whom("Allow", kOtherAna))}).verdict,
            Verdict::kImplicitDeny);
}

TEST(PolicyDecision, ADenyAnywhereDecides) {
  const auto deny_all = of_repository(for_whom("Deny", "\"*\""));
  const auto allow = of_repository(for_whom("Allow", kAna));
  EXPECT_EQ(ask(user(kHere), {own(kAllow), own(kDeny)}, {allow}).verdict, Verdict::kExplicitDeny);
  EXPECT_EQ(ask(user(kHere), {own(kAllow)}, {allow, deny_all}).verdict, Verdict::kExplicitDeny);
  EXPECT_EQ(ask(user(kHere), {own(kAllow)}, {allow, deny_all}).by, Side::kResource);
  EXPECT_EQ(ask(user(kHere), {own(kAllow)}, {of_repository(for_whom("Deny", kThisAccount))}).verdict,
            Verdict::kExplicitDeny);
  const auto all_but_ana =
      of_repository(R"({"Effect":"Deny","Action":"ecr:*","NotPrincipal":)" + std::string(kAna) + "}");
  EXPECT_EQ(ask(user(kHere), {own(kAllow)}, {all_but_ana}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(user(kHere, "bo"), {own(kAllow)}, {all_but_ana}).verdict, Verdict::kExplicitDeny);
}

TEST(PolicyDecision, ASessionsPolicyTakesAway) {
  const auto narrow = parse_policy(identity(R"({"Effect":"Allow","Action":"ecr:List*","Resource":"*"})"),
                                   PolicyKind::kIdentity);
  const auto everything = own(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
  EXPECT_EQ(ask(user(kHere), {everything}, {}, &narrow).verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(user(kHere), {everything}, {}, &narrow).by, Side::kSession);
  EXPECT_EQ(ask(user(kHere), {everything}, {}, &narrow, "ecr:ListImages").verdict, Verdict::kAllow);
  EXPECT_EQ(ask(user(kHere), {}, {}, &narrow, "ecr:ListImages").verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(root(kHere), {}, {}, &narrow).verdict, Verdict::kImplicitDeny);
  EXPECT_EQ(ask(root(kHere), {}, {}, &narrow, "ecr:ListImages").verdict, Verdict::kAllow);
}

TEST(PolicyDecision, RolesAreNamedByRoleOrBySession) {
  const auto session = Principal::of("arn:aws:sts::111122223333:assumed-role/ci/run-1");
  EXPECT_EQ(session.role_arn, "arn:aws:iam::111122223333:role/ci");
  for (const auto* name :
       {"arn:aws:iam::111122223333:role/ci", "arn:aws:sts::111122223333:assumed-role/ci/run-1"}) {
    const auto policy = of_repository(for_whom("Allow", R"({"AWS":")" + std::string(name) + "\"}"));
    EXPECT_EQ(ask(session, {}, {policy}).verdict, Verdict::kAllow) << name;
  }
  const auto other = of_repository(for_whom("Allow", R"({"AWS":"arn:aws:iam::111122223333:role/cd"})"));
  EXPECT_EQ(ask(session, {}, {other}).verdict, Verdict::kImplicitDeny);
}

TEST(PolicyDecision, NotActionAndNotResourceMeanTheRest) {
  const auto most = own(R"({"Effect":"Allow","NotAction":["iam:*","ecr:Delete*"],"Resource":"*"})");
  EXPECT_EQ(ask(user(kHere), {most}, {}).verdict, Verdict::kAllow);
  EXPECT_EQ(ask(user(kHere), {most}, {}, nullptr, "ECR:deleteRepository").verdict, Verdict::kImplicitDeny);
  const auto others =
      own(R"({"Effect":"Allow","Action":"*","NotResource":"arn:aws:ecr:*:*:repository/app"})");
  EXPECT_EQ(ask(user(kHere), {others}, {}).verdict, Verdict::kImplicitDeny);
}

TEST(PolicyDecision, TextSaysWhoWhatWhereAndWhy) {
  const Context context;
  const auto who = user(kHere);
  const AccessRequest request{who, "ecr:DescribeRepositories", kRepository, context};
  EXPECT_EQ(
      denial_text(request, {Verdict::kImplicitDeny, Side::kIdentity}),
      "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: ecr:DescribeRepositories on "
      "resource: arn:aws:ecr:us-east-1:111122223333:repository/app because no identity-based policy allows "
      "the ecr:DescribeRepositories action");
  EXPECT_THAT(denial_text(request, {Verdict::kExplicitDeny, Side::kResource}),
              HasSubstr("with an explicit deny in a resource-based policy"));
  const AccessRequest ec2{who, "ec2:DescribeVpcs", "*", context};
  EXPECT_THAT(denial_text(ec2, {}), HasSubstr("perform: ec2:DescribeVpcs because"));
}

// Properties over random policies: another Allow never takes away, another Deny never gives, and order does
// not matter.
TEST(PolicyDecision, MoreAllowsNeverTakeAwayAndMoreDeniesNeverGive) {
  std::mt19937 random(20261122);
  const auto pick = [&](auto... choices) {
    const std::vector<std::string> all{choices...};
    return all[random() % all.size()];
  };
  const auto some = [&](std::string_view effect) {
    return R"({"Effect":")" + std::string(effect) + R"(","Action":")" +
           pick("*", "ecr:*", "ecr:BatchGetImage", "ecr:Put*", "iam:*") + R"(","Resource":")" +
           pick("*", "arn:aws:ecr:*:*:repository/app", "arn:aws:ecr:*:*:repository/b*", "arn:aws:ecs:*:*:*") +
           "\"}";
  };
  for (int round = 0; round < 500; ++round) {
    std::vector<PolicyRef> policies;
    for (unsigned i = 0; i < random() % 4; ++i) policies.push_back(own(some(pick("Allow", "Allow", "Deny"))));
    const auto before = ask(user(kHere), policies, {}).verdict;
    auto wider = policies;
    wider.push_back(own(some("Allow")));
    const auto after_allow = ask(user(kHere), wider, {}).verdict;
    EXPECT_TRUE(before != Verdict::kAllow || after_allow == Verdict::kAllow);
    EXPECT_TRUE(before != Verdict::kExplicitDeny || after_allow == Verdict::kExplicitDeny);
    auto narrower = policies;
    narrower.push_back(own(some("Deny")));
    EXPECT_TRUE(before == Verdict::kAllow || ask(user(kHere), narrower, {}).verdict != Verdict::kAllow);
    std::shuffle(policies.begin(), policies.end(), random);
    EXPECT_EQ(ask(user(kHere), policies, {}).verdict, before);
  }
}

}  // namespace
}  // namespace sampan::iam
