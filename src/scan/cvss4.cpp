// CVSS 4.0, section 8: a vector falls into one of 270 MacroVectors (six equivalence classes) that experts
// scored; within it, the score is moved towards the next lower MacroVector by the vector's distance from the
// MacroVector's most severe one.
#include <array>
#include <cmath>
#include <vector>

#include "scan/cvss_metrics.h"

namespace sampan::scan {
namespace {

// The specification's MacroVector scores, in tenths. Rows: EQ1 (0-2) by EQ2 (0-1); in a row first EQ3=0, then
// EQ3=1, each by EQ4, EQ5, EQ6, then EQ3=2 by EQ4, EQ5 (EQ6 is 1 there).
constexpr std::array<std::array<unsigned char, 45>, 6> kScores{{
    {100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68, 98, 95, 95, 92, 90,
     84,  93, 92, 89, 81, 81, 65,  88, 80, 78, 70, 69, 48, 92, 82, 72, 79, 69, 50, 69, 55, 27},
    {99, 97, 95, 92, 92, 85, 95, 91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53, 95, 93, 92, 85, 85,
     73, 92, 82, 80, 72, 70, 59, 84, 70, 71, 52, 50, 30, 86, 75, 52, 71, 52, 29, 63, 29, 17},
    {98, 95, 94, 87, 91, 81, 94, 89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49, 94, 89, 88, 77, 76,
     67, 86, 76, 74, 58, 59, 50, 72, 57, 57, 52, 52, 25, 83, 70, 54, 65, 58, 26, 53, 21, 13},
    {95, 90, 88, 76, 76, 70, 90, 77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30, 89, 78, 76, 67, 62,
     58, 74, 59, 57, 57, 47, 23, 61, 52, 57, 29, 24, 16, 71, 59, 30, 58, 26, 15, 23, 13, 6},
    {93, 87, 86, 72, 75, 58, 86, 74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22, 85, 75, 74, 55, 62,
     51, 72, 57, 55, 41, 46, 19, 53, 36, 34, 19, 19, 8,  64, 51, 20, 47, 21, 11, 24, 9,  4},
    {88, 75, 73, 53, 60, 50, 73, 55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11, 75, 55, 58, 45, 40,
     21, 61, 51, 48, 18, 20, 9,  46, 18, 17, 7,  8,  2,  53, 24, 14, 24, 12, 5,  10, 3,  1},
}};

using Levels = std::vector<int>;  // how far each metric of a class is from the worst, in steps of 0.1
using Worst = std::vector<Levels>;

struct Macro {
  int eq1, eq2, eq3, eq4, eq5, eq6;
};

// In tenths; nothing when there is no such MacroVector.
std::optional<double> lookup(const Macro& m) {
  if (m.eq1 > 2 || m.eq2 > 1 || m.eq3 > 2 || m.eq4 > 2 || m.eq5 > 2 || m.eq6 > 1) return std::nullopt;
  if (m.eq3 == 2 && m.eq6 == 0) return std::nullopt;
  const int column = m.eq3 == 2 ? 36 + m.eq4 * 3 + m.eq5 : m.eq3 * 18 + m.eq4 * 6 + m.eq5 * 2 + m.eq6;
  return kScores[static_cast<std::size_t>(m.eq1 * 2 + m.eq2)][static_cast<std::size_t>(column)];
}

// The vector's metrics with their defaults, environment over base.
class Vector {
 public:
  explicit Vector(const Metrics& metrics) : metrics_(metrics) {}

  // The place of the metric's value in `letters`, worst first.
  int level(std::string_view name, std::string_view letters, int first = 0) {
    const auto at = letters.find(value(name));
    if (at == letters.npos) bad_ = true;
    return first + static_cast<int>(at);
  }
  char value(std::string_view name) {
    const auto modified = metrics_.find('M' + std::string(name));
    if (modified != metrics_.end() && modified->second != 'X') return modified->second;
    const auto found = metrics_.find(name);
    const char letter = found == metrics_.end() ? 'X' : found->second;
    if (letter != 'X') return letter;
    if (name == "E") return 'A';
    if (name == "CR" || name == "IR" || name == "AR") return 'H';
    bad_ = true;
    return 'X';
  }
  bool is(std::string_view name, char letter) { return value(name) == letter; }
  bool bad() const { return bad_; }

 private:
  const Metrics& metrics_;
  bool bad_ = false;
};

Macro classify(Vector& v) {
  Macro m{};
  const bool n = v.is("AV", 'N'), p = v.is("PR", 'N'), u = v.is("UI", 'N');
  m.eq1 = n && p && u ? 0 : (n || p || u) && !v.is("AV", 'P') ? 1 : 2;
  m.eq2 = v.is("AC", 'L') && v.is("AT", 'N') ? 0 : 1;
  const bool c = v.is("VC", 'H'), i = v.is("VI", 'H'), a = v.is("VA", 'H');
  m.eq3 = c && i ? 0 : c || i || a ? 1 : 2;
  const bool safety = v.is("SI", 'S') || v.is("SA", 'S');
  m.eq4 = safety ? 0 : v.is("SC", 'H') || v.is("SI", 'H') || v.is("SA", 'H') ? 1 : 2;
  m.eq5 = v.is("E", 'A') ? 0 : v.is("E", 'P') ? 1 : 2;
  m.eq6 = (v.is("CR", 'H') && c) || (v.is("IR", 'H') && i) || (v.is("AR", 'H') && a) ? 0 : 1;
  return m;
}

// The distance from the first of the class's most severe vectors that is not below this one.
int distance(const Levels& levels, const Worst& worst) {
  for (const auto& from : worst) {
    int sum = 0;
    bool below = false;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      below |= levels[i] < from[i];
      sum += levels[i] - from[i];
    }
    if (!below) return sum;
  }
  return 0;
}

const Worst& worst_of_eq1(int eq1) {
  static const std::array<Worst, 3> kWorst{
      {{{0, 0, 0}}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {{3, 0, 0}, {1, 1, 1}}}};
  return kWorst[static_cast<std::size_t>(eq1)];
}
const Worst& worst_of_eq2(int eq2) {
  static const std::array<Worst, 2> kWorst{{{{0, 0}}, {{1, 0}, {0, 1}}}};
  return kWorst[static_cast<std::size_t>(eq2)];
}
const Worst& worst_of_eq3(int eq3, int eq6) {  // VC VI VA CR IR AR
  static const Worst k00{{0, 0, 0, 0, 0, 0}};
  static const Worst k01{{0, 0, 1, 1, 1, 0}, {0, 0, 0, 1, 1, 1}};
  static const Worst k10{{1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0}};
  static const Worst k11{
      {1, 0, 1, 0, 1, 0}, {1, 0, 0, 0, 1, 1}, {0, 1, 0, 1, 0, 1}, {0, 1, 1, 1, 0, 0}, {1, 1, 0, 0, 0, 1}};
  static const Worst k21{{1, 1, 1, 0, 0, 0}};
  if (eq3 == 2) return k21;
  if (eq3 == 0) return eq6 == 0 ? k00 : k01;
  return eq6 == 0 ? k10 : k11;
}
const Worst& worst_of_eq4(int eq4) {
  static const std::array<Worst, 3> kWorst{{{{1, 0, 0}}, {{1, 1, 1}}, {{2, 2, 2}}}};
  return kWorst[static_cast<std::size_t>(eq4)];
}

// The depth of each class, in steps.
constexpr std::array<int, 3> kDepth1{1, 4, 5};
constexpr std::array<int, 2> kDepth2{1, 2};
constexpr std::array<std::array<int, 2>, 3> kDepth3{{{7, 6}, {8, 8}, {0, 10}}};
constexpr std::array<int, 3> kDepth4{6, 5, 4};

std::optional<double> lower_of_eq3(const Macro& m) {
  auto next = m;
  if (m.eq3 == 0 && m.eq6 == 0) {  // two ways down: the one that costs less
    auto other = m;
    next.eq6 = 1;
    other.eq3 = 1;
    return std::max(lookup(next), lookup(other));
  }
  if (m.eq3 == 1 && m.eq6 == 0)
    next.eq6 = 1;
  else
    ++next.eq3;
  return lookup(next);
}

}  // namespace

std::optional<double> cvss4_score(const Metrics& metrics) {
  Vector v(metrics);
  const Levels one{v.level("AV", "NALP"), v.level("PR", "NLH"), v.level("UI", "NPA")};
  const Levels two{v.level("AC", "LH"), v.level("AT", "NP")};
  const Levels three{v.level("VC", "HLN"), v.level("VI", "HLN"), v.level("VA", "HLN"),
                     v.level("CR", "HML"), v.level("IR", "HML"), v.level("AR", "HML")};
  const Levels four{v.level("SC", "HLN", 1), v.level("SI", "SHLN"), v.level("SA", "SHLN")};
  v.level("E", "APU");
  if (v.bad()) return std::nullopt;
  if (three[0] + three[1] + three[2] == 6 && four == Levels{3, 3, 3}) return 0.0;

  const auto m = classify(v);
  const double value = *lookup(m);
  double sum = 0;
  int lower = 0;
  const auto move = [&](std::optional<double> next, int away, int depth) {
    if (!next) return;
    ++lower;
    sum += (value - *next) * away / depth;
  };
  const auto e3 = static_cast<std::size_t>(m.eq3), e6 = static_cast<std::size_t>(m.eq6);
  move(lookup({m.eq1 + 1, m.eq2, m.eq3, m.eq4, m.eq5, m.eq6}), distance(one, worst_of_eq1(m.eq1)),
       kDepth1[static_cast<std::size_t>(m.eq1)]);
  move(lookup({m.eq1, m.eq2 + 1, m.eq3, m.eq4, m.eq5, m.eq6}), distance(two, worst_of_eq2(m.eq2)),
       kDepth2[static_cast<std::size_t>(m.eq2)]);
  move(lower_of_eq3(m), distance(three, worst_of_eq3(m.eq3, m.eq6)), kDepth3[e3][e6]);
  move(lookup({m.eq1, m.eq2, m.eq3, m.eq4 + 1, m.eq5, m.eq6}), distance(four, worst_of_eq4(m.eq4)),
       kDepth4[static_cast<std::size_t>(m.eq4)]);
  move(lookup({m.eq1, m.eq2, m.eq3, m.eq4, m.eq5 + 1, m.eq6}), 0, 1);
  const double moved = value - (lower == 0 ? 0 : sum / lower);
  // Half up, with a grain for sums that fall just below a half.
  return std::round(std::clamp(moved, 0.0, 100.0) + 1e-5) / 10;
}

}  // namespace sampan::scan
