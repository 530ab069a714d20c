#include "build/dockerfile.h"

#include <gtest/gtest.h>

#include "build/config_steps.h"
#include "build/graph.h"

namespace sampan::build {
namespace {

std::string error_of(std::string_view text) {
  try {
    const Dockerfile file = parse_dockerfile(text, "Dockerfile");
    plan_stages(file, "", global_arguments(file, {}));
  } catch (const BuildError& error) {
    return error.what();
  }
  return "";
}

TEST(Dockerfile, ReadsStagesCommentsContinuationsAndForms) {
  const Dockerfile file = parse_dockerfile(
      "# syntax=docker/dockerfile:1\n"
      "# a comment\n"
      "ARG V=1\n"
      "\n"
      "FROM --platform=linux/amd64 debian:$V as Build\n"
      "run apt-get update && \\\n"
      "    # in between\n"
      "\n"
      "    apt-get install -y x   \r\n"
      "CMD [\"a\", \"b c\"]\n"
      "FROM scratch\n"
      "COPY --from=build --chown=1:2 /x /y",
      "Dockerfile");
  ASSERT_EQ(file.stages.size(), 2U);
  EXPECT_EQ(file.global_args.size(), 1U);
  EXPECT_EQ(file.stages[0].name, "build");
  EXPECT_EQ(file.stages[0].base, "debian:$V");
  EXPECT_EQ(file.stages[0].platform, "linux/amd64");
  EXPECT_EQ(file.stages[0].where.line, 5);
  EXPECT_EQ(file.stages[0].instructions[0].text, "apt-get update &&     apt-get install -y x");
  EXPECT_EQ(file.stages[0].instructions[0].where.line, 6);
  EXPECT_EQ(*file.stages[0].instructions[1].exec, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(*file.stages[1].instructions[0].flag("from"), "build");
  EXPECT_EQ(*file.stages[1].instructions[0].flag("chown"), "1:2");
  EXPECT_EQ(file.stages[1].instructions[0].where.line, 12);
}

TEST(Dockerfile, TakesAnotherEscapeCharacter) {
  const Dockerfile file = parse_dockerfile("# escape=`\nFROM x\nRUN a `\n b\\\n", "D");
  EXPECT_EQ(file.escape, '`');
  EXPECT_EQ(file.stages[0].instructions[0].text, "a  b\\");
}

TEST(Dockerfile, CollectsHeredocs) {
  const Dockerfile file = parse_dockerfile(
      "FROM x\nRUN <<EOF\n# kept\nmake \\\nEOF\nCOPY <<'A' <<-B /etc/\none $x\nA\n\t\ttwo\nB\nRUN cat "
      "<<<word\n",
      "D");
  const auto& run = file.stages[0].instructions[0];
  ASSERT_EQ(run.heredocs.size(), 1U);
  EXPECT_EQ(run.heredocs[0].body, "# kept\nmake \\\n");
  const auto& copy = file.stages[0].instructions[1];
  ASSERT_EQ(copy.heredocs.size(), 2U);
  EXPECT_FALSE(copy.heredocs[0].expand);
  EXPECT_EQ(copy.heredocs[1].body, "two\n");
  EXPECT_TRUE(file.stages[0].instructions[2].heredocs.empty());
}

struct ErrorCase {
  std::string text;
  std::string error;
};

TEST(Dockerfile, SaysWhereAndWhatIsWrong) {
  const ErrorCase cases[] = {
      {"", "Dockerfile:1: Dockerfile: the file has no FROM: nothing to build"},
      {"RUN x\n", "Dockerfile:1: RUN: no build stage yet: FROM must come first"},
      {"FROM x\n\nFOO bar\n", "Dockerfile:3: FOO: unknown instruction"},
      {"FROM x\nRUN\n", "Dockerfile:2: RUN: needs at least one argument"},
      {"FROM x\nCOPY --bogus=1 a b\n", "Dockerfile:2: COPY: unknown flag --bogus"},
      {"FROM x y\n", "Dockerfile:1: FROM: must be FROM image or FROM image AS name"},
      {"FROM x AS 1a\n", "Dockerfile:1: FROM: invalid stage name \"1a\""},
      {"FROM x\nSHELL sh\n", "Dockerfile:2: SHELL: must be in JSON form: [\"program\", \"argument\"]"},
      {"FROM x\nONBUILD FROM y\n", "Dockerfile:2: ONBUILD: FROM is not allowed as a trigger"},
      {"FROM x\nRUN <<EOF\na\n", "Dockerfile:2: RUN: heredoc EOF is not ended"},
      {"# escape=x\nFROM x\n", "Dockerfile:1: # escape: must be \\ or `"},
      {"FROM $NOPE\n", "Dockerfile:1: FROM: base name ($NOPE) should not be blank"},
      {"FROM ${A\n", "Dockerfile:1: FROM: syntax error: missing '}'"},
      {"FROM x AS a\nCOPY --from=b x y\nFROM x AS b\nFROM a\n",
       "Dockerfile:1: FROM: stage \"b\" is used before it is built"},
      {"FROM x\nRUN --mount=type=ssh true\n",
       "Dockerfile:2: RUN: --mount of type \"ssh\" is not offered (bind, cache, tmpfs, secret are)"},
  };
  for (const ErrorCase& each : cases) EXPECT_EQ(error_of(each.text), each.error) << each.text;
}

TEST(Dockerfile, HoldsItsLimits) {
  EXPECT_NE(error_of(std::string(1024 * 1024 + 1, '#')), "");
  std::string many = "FROM x\n";
  for (int i = 0; i < 4096; ++i) many += "USER a\n";
  EXPECT_NE(error_of(many), "");
  std::string stages;
  for (int i = 0; i < 257; ++i) stages += "FROM x\n";
  EXPECT_NE(error_of(stages), "");
}

struct WordCase {
  std::string text;
  std::string expanded;
};

TEST(Words, AreExpandedByDockersRules) {
  const Variables variables = [](std::string_view name) -> std::optional<std::string> {
    if (name == "a") return "A";
    if (name == "empty") return "";
    if (name == "a_b") return "AB";
    return std::nullopt;
  };
  const WordCase cases[] = {
      {"x$a", "xA"},
      {"${a}b", "Ab"},
      {"$a_b", "AB"},
      {"\\$a", "$a"},
      {"'$a'", "$a"},
      {"\"$a\"", "A"},
      {"\"\\$a\"", "$a"},
      {"$none", ""},
      {"${none:-d}", "d"},
      {"${empty:-d}", "d"},
      {"${empty-d}", ""},
      {"${none-d}", "d"},
      {"${a:+y}", "y"},
      {"${none:+y}", ""},
      {"${empty+y}", "y"},
      {"${empty:+y}", ""},
      {"${none:-${a}x}", "Ax"},
      {"${none:-\"q q\"}", "q q"},
      {"a\\ b", "a b"},
      {"$", "$"},
      {"$$a", "$A"},
      {"${a:?no}", "A"},
      {"a'b\"c'd", "ab\"cd"},
      {"$1x", "x"},
  };
  for (const WordCase& each : cases)
    EXPECT_EQ(expand_word(each.text, variables, '\\'), each.expanded) << each.text;
  for (const char* bad : {"'open", "\"open", "${a", "${}", "${none:?must be}", "${a:%x}", "${-x}"}) {
    EXPECT_THROW(expand_word(bad, variables, '\\'), WordError) << bad;
  }
  std::string deep = "x";
  for (int i = 0; i < 40; ++i) deep = "${n:-" + deep + "}";
  EXPECT_THROW(expand_word(deep, variables, '\\'), WordError);
  EXPECT_EQ(expand_body("a 'b' $a \\$a \\n", variables, '\\'), "a 'b' A $a \\n");
}

TEST(Words, PairsHaveTwoForms) {
  const Variables none = [](std::string_view) { return std::nullopt; };
  const auto pairs = expand_pairs("a=1 b='x y' c=\"q\\\"r\" d=e\\ f", none, '\\');
  ASSERT_EQ(pairs.size(), 4U);
  EXPECT_EQ(pairs[1].second, "x y");
  EXPECT_EQ(pairs[2].second, "q\"r");
  EXPECT_EQ(pairs[3].second, "e f");
  EXPECT_EQ(expand_pairs("a 1 2 3", none, '\\')[0].second, "1 2 3");
  EXPECT_THROW(expand_pairs("a", none, '\\'), WordError);
  EXPECT_THROW(expand_pairs("a=1 b", none, '\\'), WordError);
  EXPECT_THROW(expand_pairs("=1", none, '\\'), WordError);
}

StageConfig configured(std::string_view lines) {
  const Dockerfile file = parse_dockerfile("FROM x\n" + std::string(lines), "D");
  StageConfig stage;
  stage.image.cmd = {"base"};
  for (const Instruction& each : file.stages[0].instructions) apply_config_step(each, stage);
  return stage;
}

TEST(ConfigSteps, SetWhatTheImageSays) {
  const StageConfig stage = configured(
      "ENV A=1 B=$A\nENV B=x$A\nLABEL k=v\nEXPOSE 80 53/udp 90-91\nVOLUME [\"/d\"]\nUSER ann\nSTOPSIGNAL "
      "SIGINT\n"
      "HEALTHCHECK --interval=1m30s --timeout=2s --retries=3 CMD curl -f x || exit 1\nMAINTAINER me\nSHELL "
      "[\"/bin/b\",\"-c\"]\n"
      "ENTRYPOINT run $A\n");
  EXPECT_EQ(stage.image.env, (std::vector<std::string>{"A=1", "B=x1"}));
  EXPECT_EQ(stage.image.labels.at("k"), "v");
  EXPECT_EQ(stage.image.exposed_ports, (std::set<std::string>{"80/tcp", "53/udp", "90/tcp", "91/tcp"}));
  EXPECT_EQ(stage.image.volumes, std::set<std::string>{"/d"});
  EXPECT_EQ(stage.image.user, "ann");
  EXPECT_EQ(stage.image.health_check->test, (std::vector<std::string>{"CMD-SHELL", "curl -f x || exit 1"}));
  EXPECT_EQ(stage.image.health_check->interval, std::chrono::seconds(90));
  EXPECT_EQ(stage.image.entrypoint, (std::vector<std::string>{"/bin/b", "-c", "run $A"}));
  EXPECT_TRUE(stage.image.cmd.empty());  // the base's
  EXPECT_EQ(configured("CMD a\nENTRYPOINT [\"e\"]\n").image.cmd.size(), 3U);
}

TEST(ConfigSteps, RefuseNonsense) {
  for (const char* line :
       {"EXPOSE x", "EXPOSE 99999", "EXPOSE 90-80", "EXPOSE 80/icmp", "STOPSIGNAL SIGNOPE", "HEALTHCHECK FOO",
        "HEALTHCHECK CMD", "HEALTHCHECK --interval=x CMD a", "ENV a", "LABEL =x"}) {
    EXPECT_THROW(configured(line), BuildError) << line;
  }
}

TEST(Graph, TakesOnlyWhatTheTargetNeeds) {
  const Dockerfile file = parse_dockerfile(
      "ARG BASE=b\nFROM x AS a\nRUN 1\nFROM ${BASE}:1 AS unused\nFROM y AS c\nCOPY --from=a / /\nFROM c\nRUN "
      "--mount=from=0,target=/m 2\n",
      "D");
  const auto globals = global_arguments(file, {{"BASE", "q"}});
  const StageGraph graph = plan_stages(file, "", globals);
  ASSERT_EQ(graph.stages.size(), 3U);
  EXPECT_EQ(graph.stages[2].base_stage, 2U);
  EXPECT_EQ(graph.stages[2].needs, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(graph.steps, 6U);
  EXPECT_EQ(plan_stages(file, "unused", globals).stages[0].base, "q:1");
  EXPECT_EQ(plan_stages(file, "A", globals).stages.size(), 1U);
  EXPECT_THROW(plan_stages(file, "nope", globals), BuildError);
}

TEST(Graph, LooksForwardWithinTheTargetOnlyWhenUnneeded) {
  // A stage whose own COPY points forward is an error even when another stage would do.
  EXPECT_NE(error_of("FROM x AS a\nCOPY --from=z . .\nFROM y AS z\nCOPY --from=a . .\n"), "");
}

}  // namespace
}  // namespace sampan::build
