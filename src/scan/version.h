// Which of two versions is the later one, by the rules of the world they come from. Pure.
//
// Each order is total over all texts: what is no version of its world at all comes before every version, by
// its bytes, so that hostile text neither throws nor makes a sort go wrong. But for Maven's: as its reference
// has it, 1 < 1.foo < 1.0.alpha < 1; nothing may be sorted by it.
#pragma once

#include <optional>
#include <string_view>

namespace sampan::scan {

enum class Scheme {
  kDpkg,      // Debian, Ubuntu: deb-version(7)
  kApk,       // Alpine, Wolfi: apk-tools' own order
  kRpm,       // rpm: rpmvercmp over epoch, version, release
  kSemVer,    // npm, crates.io, Go: semver.org 2.0.0, section 11
  kPep440,    // PyPI: PEP 440
  kGem,       // RubyGems: Gem::Version
  kMaven,     // Maven: the POM reference, "Version Order Specification"
  kComposer,  // Packagist: composer/semver over PHP's version_compare
};

// Below, at or above zero as `a` is before, the same as, or after `b`.
int compare_versions(Scheme scheme, std::string_view a, std::string_view b);

// The scheme of one of OSV's ecosystems, with or without its release ("Debian:12"); nothing when none is
// known.
std::optional<Scheme> scheme_of(std::string_view ecosystem);

}  // namespace sampan::scan
