// Real builds upon a base of busybox.
#include "build/tests/build_machine.h"

namespace sampan::build {
namespace {

using namespace testing;

TEST_F(BuilderTest, BuildsRunsAndTags) {
  request_.tags = {"team/app:1.2"};
  file("app.sh", "#!/bin/sh\necho hi\n", 0755);
  const BuildResult result = build(
      "FROM base\nENV GREETING=xin\nWORKDIR /srv\nCOPY app.sh .\nRUN ./app.sh > out && echo $GREETING && "
      "pwd\nEXPOSE 8080\n"
      "CMD [\"/srv/app.sh\"]\n");
  EXPECT_EQ(result.tags, std::vector<std::string>{"team/app:1.2"});
  EXPECT_EQ(result.exposed_ports, std::vector<int>{8080});
  EXPECT_EQ(log(), "xin\n/srv\n");
  EXPECT_EQ(text(result, "srv/out"), "hi\n");
  EXPECT_EQ(catalog_.resolve({}, *image::Reference::parse("team/app:1.2")), result.manifest);
  const image::Image built = image(result);
  EXPECT_EQ(built.config.working_dir, "/srv");
  EXPECT_EQ(built.config.cmd, std::vector<std::string>{"/srv/app.sh"});
  EXPECT_EQ(built.layers.size(), 4U);  // base, directory, file, output
  EXPECT_EQ(built.config.diff_ids.size(), 4U);
  ASSERT_EQ(events_.back().step, 7);
  EXPECT_EQ(events_.back().steps, 7);
}

TEST_F(BuilderTest, NothingOfTheRuntimeStaysInALayer) {
  const BuildResult result = build("FROM base\nRUN touch /made\n");
  const fs::path layer = layers_->ensure_unpacked(image(result).layers.back());
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(layer)) names.insert(entry.path().filename().string());
  EXPECT_EQ(names, (std::set<std::string>{"made", "etc"}));
  EXPECT_TRUE(fs::is_empty(layer / "etc"));  // touched while mounts were made in it
}

TEST_F(BuilderTest, ARepeatedBuildIsTheSameImageFromTheCache) {
  file("a", "1");
  const std::string dockerfile = "FROM base\nWORKDIR /w\nCOPY a .\nRUN echo $RANDOM > r\n";
  const BuildResult first = build(dockerfile);
  EXPECT_EQ(cached(), 0);
  const auto started = std::chrono::steady_clock::now();
  const BuildResult second = build(dockerfile);
  RecordProperty("cached_ms", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                   std::chrono::steady_clock::now() - started)
                                                   .count()));
  EXPECT_EQ(cached(), 3);
  EXPECT_EQ(first.manifest, second.manifest);
}

TEST_F(BuilderTest, TheCacheSeesWhatAStepDependsOnAndNoMore) {
  file("a", "1");
  const std::string dockerfile = "FROM base\nLABEL x=1\nARG V=1\nCOPY a /\nRUN echo $V > v\n";
  build(dockerfile);
  file("unrelated", "x");
  build("FROM base\nLABEL x=2\nARG V=1\nCOPY a /\nRUN echo $V > v\n");
  EXPECT_EQ(cached(), 2);  // neither the label nor another file matters
  ::utimensat(AT_FDCWD, (context() / "a").c_str(), nullptr, 0);
  build(dockerfile);
  EXPECT_EQ(cached(), 2);  // nor a time
  request_.args = {{"V", "2"}};
  build(dockerfile);
  EXPECT_EQ(cached(), 1);
  request_.args.clear();
  file("a", "2");
  build(dockerfile);
  EXPECT_EQ(cached(), 0);
  file("a", "1", 0755);
  build(dockerfile);
  EXPECT_EQ(cached(), 0);
  request_.no_cache = true;
  build(dockerfile);
  EXPECT_EQ(cached(), 0);
}

TEST_F(BuilderTest, StepsBeforeAFailureStayCached) {
  EXPECT_EQ(error_of("FROM base\nRUN touch /x\n\nRUN exit 3\n"), "Dockerfile:4: RUN exit 3: exit code 3");
  build("FROM base\nRUN touch /x\n");
  EXPECT_EQ(cached(), 1);
}

TEST_F(BuilderTest, CopiesBetweenStagesInParallelAndSkipsUnneeded) {
  const BuildResult result = build(
      "FROM base AS one\nRUN mkdir -p /o/d && echo 1 > /o/d/f && ln -s f /o/d/l && chmod 751 /o/d\n"
      "FROM base AS two\nRUN echo 2 > /two\n"
      "FROM base AS never\nRUN false\n"
      "FROM scratch\nCOPY --from=one /o /\nCOPY --from=1 --chmod=600 --chown=7:8 /two /new/dir/\nCOPY "
      "--from=base /etc/passwd /p\n");
  EXPECT_EQ(text(result, "d/f"), "1\n");
  EXPECT_EQ(fs::read_symlink(in_layers(result, "d/l")), "f");
  struct stat status{};
  ASSERT_EQ(::stat(in_layers(result, "d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0751U);
  ASSERT_EQ(::stat(in_layers(result, "new/dir/two").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(status.st_uid, 7U);
  EXPECT_EQ(status.st_gid, 8U);
  EXPECT_NE(text(result, "p").find("ann"), std::string::npos);
  EXPECT_EQ(image(result).layers.size(), 3U);
}

TEST_F(BuilderTest, CopiesByDockersRules) {
  file("a.txt", "a");
  file("b.txt", "b");
  file("d/x", "x");
  file("d/sub/y", "y");
  file("ignored.txt", "no");
  file("d/skip", "no");
  file(".dockerignore", "ignored.txt\nd/skip\n");
  const BuildResult result = build(
      "FROM base\nWORKDIR /w\nCOPY *.txt many/\nCOPY d tree\nCOPY d/x name\nCOPY a.txt /etc\nCOPY "
      "[\"a.txt\", \"sp ace/\"]\n"
      "COPY --chown=ann a.txt owned\nCOPY <<EOF /w/doc\nhello $PATH\nEOF\nADD d/sub /w/added\n");
  EXPECT_EQ(text(result, "w/many/a.txt"), "a");
  EXPECT_EQ(text(result, "w/many/b.txt"), "b");
  EXPECT_FALSE(fs::exists(in_layers(result, "w/many/ignored.txt")));
  EXPECT_EQ(text(result, "w/tree/sub/y"), "y");
  EXPECT_FALSE(fs::exists(in_layers(result, "w/tree/skip")));
  EXPECT_EQ(text(result, "w/name"), "x");
  EXPECT_EQ(text(result, "etc/a.txt"), "a");
  EXPECT_EQ(text(result, "w/sp ace/a.txt"), "a");
  EXPECT_EQ(text(result, "w/doc"), "hello /bin\n");
  EXPECT_EQ(text(result, "w/added/y"), "y");
  struct stat status{};
  ASSERT_EQ(::stat(in_layers(result, "w/owned").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1000U);
  EXPECT_EQ(status.st_gid, 1000U);
}

TEST_F(BuilderTest, RefusesBadCopies) {
  file("a", "1");
  file("b", "2");
  file(".dockerignore", "b");
  EXPECT_NE(
      error_of("FROM base\nCOPY nope /\n").find("Dockerfile:2: COPY: \"nope\" is not in the build context"),
      std::string::npos);
  EXPECT_NE(error_of("FROM base\nCOPY b /\n"), "");
  EXPECT_NE(error_of("FROM base\nCOPY a a /x\n").find("end with a /"), std::string::npos);
  EXPECT_NE(error_of("FROM base\nCOPY a\n"), "");
  EXPECT_NE(error_of("FROM base\nCOPY --chmod=abc a /\n"), "");
  EXPECT_NE(error_of("FROM base\nCOPY --chown=nobodyhere a /\n").find("unable to find user"),
            std::string::npos);
  EXPECT_NE(error_of("FROM base\nCOPY --from=0 a /\n"), "");
}

TEST_F(BuilderTest, LinksNeverLeadOut) {
  // In the context: to a file of the host; in the image: a destination that points at the host's /etc.
  fs::create_symlink("/etc/hostname", context() / "escape");
  fs::create_symlink("../../../../../../etc", context() / "up");
  EXPECT_NE(error_of("FROM base\nCOPY escape /x\n"), "");
  EXPECT_NE(error_of("FROM base\nCOPY up/hostname /x\n"), "");
  EXPECT_NE(error_of("FROM base\nCOPY ../../etc/hostname /x\n"), "");
  file("f", "mine");
  const fs::path outside = work_.path() / "outside";
  fs::create_directories(outside);
  const BuildResult result = build("FROM base\nRUN ln -s " + outside.string() + " /link && mkdir -p " +
                                   outside.string() + "\nCOPY f /link/f\nCOPY . /all\n");
  EXPECT_TRUE(fs::is_empty(outside));
  EXPECT_EQ(text(result, outside.string().substr(1) + "/f"), "mine");
  EXPECT_TRUE(fs::is_symlink(in_layers(result, "all/escape")));
}

TEST_F(BuilderTest, UnpacksLocalArchives) {
  file("in/f", "f");
  io::Command tar;
  for (const char* kind : {"-czf", "-cJf"}) {
    tar.argv = {"tar", "-C", context().string(), kind, (context() / (std::string("a") + kind)).string(),
                "in"};
    io::run_or_throw(tar);
  }
  const BuildResult result = build("FROM base\nADD a-czf /gz\nADD a-cJf /xz/\nCOPY a-czf /kept\n");
  EXPECT_EQ(text(result, "gz/in/f"), "f");
  EXPECT_EQ(text(result, "xz/in/f"), "f");
  EXPECT_TRUE(fs::is_regular_file(in_layers(result, "kept")));
}

TEST_F(BuilderTest, RunsAsTheUserWithSecretsCachesAndHeredocs) {
  request_.secrets = {{"token", "s3cret"}};
  const BuildResult result = build(
      "FROM base\nRUN mkdir /home /home/ann && chmod 777 /home/ann\nUSER ann\nWORKDIR /home/ann\n"
      "RUN id -u > who\n"
      "USER root\n"
      "RUN --mount=type=secret,id=token cat /run/secrets/token\n"
      "RUN --mount=type=cache,target=/cache echo kept > /cache/f\n"
      "RUN --mount=type=cache,target=/cache --mount=type=bind,target=/ctx cat /cache/f && test -f "
      "/ctx/Dockerfile\n"
      "RUN <<EOF\necho one\necho two\nEOF\n"
      "RUN <<X\n#!/bin/cat\nscript\nX\n");
  EXPECT_EQ(text(result, "home/ann/who"), "1000\n");
  EXPECT_EQ(log(), "s3cretkept\none\ntwo\n#!/bin/cat\nscript\n");
  EXPECT_FALSE(fs::exists(in_layers(result, "run/secrets/token")) &&
               fs::file_size(in_layers(result, "run/secrets/token")) > 0);
}

TEST_F(BuilderTest, ArgumentsAndVariables) {
  request_.args = {{"A", "given"}, {"GLOBAL", "base"}, {"UNUSED", "1"}, {"http_proxy", "http://p"}};
  build(
      "ARG GLOBAL=nothing\nARG LATER=late\nFROM ${GLOBAL}\nARG A=default\nARG B=default$A\nARG LATER\nENV "
      "A=env\n"
      "RUN echo $A $B $LATER $http_proxy $GLOBAL.\n");
  EXPECT_EQ(log(), "env defaultgiven late http://p .\n");
  EXPECT_TRUE(std::any_of(events_.begin(), events_.end(),
                          [](const BuildEvent& e) { return e.text.find("UNUSED") != std::string::npos; }));
}

TEST_F(BuilderTest, DeletedFilesAreGone) {
  const BuildResult result = build(
      "FROM base\nRUN mkdir /d && touch /d/a /d/b\nRUN rm /d/a\nRUN rm -r /d && mkdir /d\nRUN ls /d | wc "
      "-l\n");
  EXPECT_EQ(log(), "0\n");
  EXPECT_EQ(image(result).layers.size(), 5U);
}

TEST_F(BuilderTest, TriggersOfTheBaseRun) {
  request_.tags = {"parent"};
  build("FROM base\nONBUILD RUN echo triggered\nONBUILD COPY f /f\n");
  EXPECT_EQ(log(), "");
  request_.tags.clear();
  file("f", "f");
  const BuildResult result = build("FROM parent\n");
  EXPECT_EQ(log(), "triggered\n");
  EXPECT_EQ(text(result, "f"), "f");
  EXPECT_TRUE(image(result).config.on_build.empty());
}

TEST_F(BuilderTest, NamesAllThatWasTriedForAnAbsentBase) {
  const std::string error = error_of("FROM nosuch:1\n");
  EXPECT_EQ(error.substr(0, 20), "Dockerfile:1: FROM: ") << error;
  EXPECT_NE(error.find("nosuch"), std::string::npos);
}

TEST_F(BuilderTest, RefusesForeignTagsAndMissingFiles) {
  request_.tags = {"elsewhere.example/x:1"};
  EXPECT_NE(error_of("FROM base\n").find("elsewhere.example"), std::string::npos);
  request_.tags = {"UPPER case"};
  EXPECT_NE(error_of("FROM base\n"), "");
  request_.tags.clear();
  request_.dockerfile = "other/Dockerfile";
  EXPECT_NE(error_of("FROM base\n").find("other/Dockerfile"), std::string::npos);
}

TEST_F(BuilderTest, EndsWhenCancelled) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const io::UniqueFd read_end(ends[0]);
  const io::UniqueFd write_end(ends[1]);
  request_.cancel_fd = ends[0];
  request_.context = context();
  file("Dockerfile", "FROM base\nRUN echo up; sleep 60\n");
  const auto cancel = [&](const BuildEvent& event) {
    if (event.type == BuildEvent::Type::kLog) io::write_all(ends[1], "x");
  };
  EXPECT_THROW(wait(builder_->build(request_, cancel)), BuildError);
}

TEST_F(BuilderTest, AnotherLifeCleansWhatAKilledOneLeft) {
  builder_.reset();
  const fs::path left = work_.path() / "build/work/bdead/root-0-1";
  fs::create_directories(left);
  io::Command mount;
  mount.argv = {"mount", "-t", "tmpfs", "x", left.string()};
  io::run_or_throw(mount);
  start_builder();
  EXPECT_EQ(left_over(), "");
}

}  // namespace
}  // namespace sampan::build
