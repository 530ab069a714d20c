// Which files of an image tell what is installed, and what each says. Pure: text in, packages out.
//
// All text is untrusted: what does not read as its format gives what could be read of it, or throws
// core::Error where nothing can be (JSON that is none). Packages without a name or a version, or with one
// that is absurdly long, are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "scan/package.h"

namespace sampan::scan {

enum class FileKind {
  kOsRelease,
  kDpkgStatus,  // /var/lib/dpkg/status, status.d/*
  kApkInstalled,
  kRpmDatabase,  // SQLite; the older formats are only told of
  kNpmLock,
  kNpmPackage,  // node_modules/**/package.json
  kYarnLock,
  kPnpmLock,
  kPythonMetadata,  // *.dist-info/METADATA, *.egg-info, *.egg-info/PKG-INFO
  kPythonRequirements,
  kPipfileLock,
  kPoetryLock,
  kGemfileLock,
  kGemspec,  // specifications/*.gemspec
  kGoMod,
  kGoSum,
  kCargoLock,
  kComposerLock,
  kComposerInstalled,  // vendor/composer/installed.json
  kJar,
  kExecutable,  // no name says so: looked at when its first bytes are ELF's
};

// What the file at `path` ("usr/lib/os-release") is, by its name; nothing for one that tells nothing.
std::optional<FileKind> kind_of(std::string_view path);
// The most bytes of one that are read.
std::uint64_t size_limit(FileKind kind);

OperatingSystem parse_os_release(std::string_view text);
// The packages of one file. `path` is noted in each. Of kOsRelease, kJar, kRpmDatabase and kExecutable: none.
std::vector<Package> parse_packages(FileKind kind, std::string_view path, std::string_view text);

// What a row of packages may hold at most; longer is not believed.
inline constexpr std::size_t kLongestName = 512;
inline constexpr std::size_t kLongestVersion = 256;

// PEP 503: lower case, runs of "-_." are one '-'.
std::string normal_python_name(std::string_view name);

// Each format by itself.
std::vector<Package> parse_dpkg_status(std::string_view text);
std::vector<Package> parse_apk_installed(std::string_view text);
std::vector<Package> parse_npm_lock(std::string_view text);
std::vector<Package> parse_npm_package(std::string_view text);
std::vector<Package> parse_yarn_lock(std::string_view text);
std::vector<Package> parse_pnpm_lock(std::string_view text);
std::vector<Package> parse_python_metadata(std::string_view text);
std::vector<Package> parse_requirements(std::string_view text);
std::vector<Package> parse_pipfile_lock(std::string_view text);
std::vector<Package> parse_poetry_lock(std::string_view text);
std::vector<Package> parse_gemfile_lock(std::string_view text);
std::vector<Package> parse_gemspec_name(std::string_view path);
std::vector<Package> parse_go_mod(std::string_view text);
std::vector<Package> parse_go_sum(std::string_view text);
std::vector<Package> parse_cargo_lock(std::string_view text);
std::vector<Package> parse_composer(std::string_view text);
std::vector<Package> parse_pom_properties(std::string_view text);

}  // namespace sampan::scan
