// One fuzz target: a function that takes any bytes and must neither crash nor find a property broken.
//
//   FUZZ_TARGET(manifest) { ... `input` is a std::string_view ... FUZZ_CHECK(condition); }
//
// In the fuzz preset it is libFuzzer's entry; in a folder's tests it is a test that replays
// tests/corpus/<name>/. Only for the sources under fuzz/.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

#define FUZZ_CHECK(condition)                                              \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                        \
    }                                                                      \
  } while (false)

#ifdef SAMPAN_FUZZ

#include <cstdint>

#define FUZZ_TARGET(name)                                                             \
  static void fuzz_##name(std::string_view input);                                    \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    fuzz_##name({reinterpret_cast<const char*>(data), size});                         \
    return 0;                                                                         \
  }                                                                                   \
  static void fuzz_##name(std::string_view input)

#else

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace sampan::core {

// Runs from the source tree, as all tests do. How many files there were.
inline int replay_corpus(const std::string& name, void (*run)(std::string_view)) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/corpus/" + name)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    SCOPED_TRACE(entry.path().string());
    run(bytes);
    ++files;
  }
  return files;
}

}  // namespace sampan::core

#define FUZZ_TARGET(name)                                          \
  static void fuzz_##name(std::string_view input);                 \
  TEST(Corpus, name) {                                             \
    EXPECT_GT(sampan::core::replay_corpus(#name, fuzz_##name), 0); \
  }                                                                \
  static void fuzz_##name(std::string_view input)

#endif
