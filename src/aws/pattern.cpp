#include "aws/pattern.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace sampan::aws {
namespace {

constexpr std::uint32_t kLastCharacter = 0x10FFFF;
constexpr std::size_t kMaxSteps = 20000;  // of one expression, after {n,m} is written out

// The next character of UTF-8 text; a broken byte counts as itself.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (more == 0) return lead;
  std::uint32_t character = lead & (0x3F >> more);
  for (; more > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; --more) {
    character = character << 6 | (static_cast<unsigned char>(text[at++]) & 0x3F);
  }
  return character;
}

}  // namespace

bool Pattern::CharacterSet::contains(std::uint32_t character) const {
  const bool inside = std::ranges::any_of(ranges, [character](const Range& range) {
    return character >= range.first && character <= range.last;
  });
  return inside != negated;
}

// Recursive descent over the expression, writing the automaton's steps as it goes.
class PatternCompiler {
 public:
  explicit PatternCompiler(std::string_view expression) : text_(expression) {}

  std::optional<Pattern> run() {
    if (!alternatives(0) || at_ != text_.size()) return std::nullopt;
    emit(Pattern::Op::kMatch);
    if (out_.steps_.size() > kMaxSteps) return std::nullopt;
    return std::move(out_);
  }

 private:
  using Op = Pattern::Op;
  using Range = Pattern::Range;
  using Steps = std::vector<Pattern::Step>;

  static constexpr int kMaxNesting = 50;

  std::uint32_t emit(Op op, std::size_t first = 0, std::size_t second = 0) {
    out_.steps_.push_back({op, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second)});
    return static_cast<std::uint32_t>(out_.steps_.size() - 1);
  }
  std::size_t here() const { return out_.steps_.size(); }
  bool more() const { return at_ < text_.size(); }
  bool take(char c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool alternatives(int depth) {
    if (depth > kMaxNesting) return false;
    const auto start = here();
    if (!sequence(depth)) return false;
    if (!more() || text_[at_] != '|') return true;
    // split(start, rest); the first way jumps over the rest.
    Steps first = cut(start);
    ++at_;
    emit(Op::kSplit, start + 1, start + 1 + first.size() + 1);
    paste(first, start);
    const auto jump = emit(Op::kJump);
    if (!alternatives(depth + 1)) return false;
    out_.steps_[jump].first = static_cast<std::uint32_t>(here());
    return true;
  }

  bool sequence(int depth) {
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      const auto start = here();
      if (!atom(depth) || !repetition(start)) return false;
      if (here() > kMaxSteps) return false;
    }
    return true;
  }

  bool atom(int depth) {
    if (take('^')) return emit(Op::kBegin), true;
    if (take('$')) return emit(Op::kEnd), true;
    if (take('(')) {
      if (text_.substr(at_, 2) == "?:") at_ += 2;
      return alternatives(depth + 1) && take(')');
    }
    Pattern::CharacterSet set;
    if (take('[')) {
      if (!bracket(set)) return false;
    } else if (take('.')) {
      set = {true, {{'\n', '\n'}, {'\r', '\r'}}};
    } else if (take('\\')) {
      if (!escape(set)) return false;
    } else {
      if (std::string_view("*+?{").find(text_[at_]) != std::string_view::npos) return false;
      const auto character = next_character(text_, at_);
      set.ranges.push_back({character, character});
    }
    out_.sets_.push_back(std::move(set));
    emit(Op::kSet, out_.sets_.size() - 1);
    return true;
  }

  bool bracket(Pattern::CharacterSet& set) {
    set.negated = take('^');
    bool first = true;
    while (more() && (text_[at_] != ']' || first)) {
      first = false;
      const auto low = class_character(set);
      if (!low) return false;
      if (*low == kWholeClass) continue;
      const bool range = at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']';
      if (!range) {
        set.ranges.push_back({*low, *low});
        continue;
      }
      const auto before_dash = at_++;
      const auto high = class_character(set);
      if (!high) return false;
      if (*high == kWholeClass || *high < *low) {  // "[a-\w]": the '-' is itself
        at_ = before_dash + 1;
        set.ranges.push_back({*low, *low});
        set.ranges.push_back({'-', '-'});
        continue;
      }
      set.ranges.push_back({*low, *high});
    }
    return take(']');
  }

  // One character of a class, or kWholeClass when an escape added ranges of its own.
  std::optional<std::uint32_t> class_character(Pattern::CharacterSet& set) {
    if (!take('\\')) return next_character(text_, at_);
    Pattern::CharacterSet escaped;
    if (!escape(escaped) || (escaped.negated && set.negated)) return std::nullopt;
    const bool single =
        !escaped.negated && escaped.ranges.size() == 1 && escaped.ranges[0].first == escaped.ranges[0].last;
    if (single) return escaped.ranges[0].first;
    if (escaped.negated) escaped.ranges = inverted(escaped.ranges);
    set.ranges.insert(set.ranges.end(), escaped.ranges.begin(), escaped.ranges.end());
    return kWholeClass;
  }

  static std::vector<Range> inverted(std::vector<Range> ranges) {
    std::ranges::sort(ranges, {}, &Range::first);
    std::vector<Range> gaps;
    std::uint32_t next = 0;
    for (const auto& range : ranges) {
      if (range.first > next) gaps.push_back({next, range.first - 1});
      next = std::max(next, range.last + 1);
    }
    if (next <= kLastCharacter) gaps.push_back({next, kLastCharacter});
    return gaps;
  }

  bool escape(Pattern::CharacterSet& set) {
    if (!more()) return false;
    const char c = text_[at_++];
    switch (c) {
      case 'd':
        set.ranges = {{'0', '9'}};
        return true;
      case 'D':
        set = {true, {{'0', '9'}}};
        return true;
      case 'w':
      case 'W':
        set = {c == 'W', {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'_', '_'}}};
        return true;
      case 's':
      case 'S':
        set = {c == 'S', {{'\t', '\r'}, {' ', ' '}, {0xA0, 0xA0}, {0x2028, 0x2029}}};
        return true;
      case 't':
        set.ranges = {{'\t', '\t'}};
        return true;
      case 'n':
        set.ranges = {{'\n', '\n'}};
        return true;
      case 'r':
        set.ranges = {{'\r', '\r'}};
        return true;
      case 'u':
        return unicode(set);
      case 'p':
        return property(set);
      default:
        break;
    }
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return false;
    const auto character = static_cast<unsigned char>(c);
    set.ranges = {{character, character}};
    return true;
  }

  bool unicode(Pattern::CharacterSet& set) {
    if (at_ + 4 > text_.size()) return false;
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(text_[at_++] | 0x20));
      if (digit == std::string_view::npos) return false;
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    set.ranges = {{value, value}};
    return true;
  }

  bool property(Pattern::CharacterSet& set) {
    if (at_ + 3 > text_.size() || text_[at_] != '{' || text_[at_ + 2] != '}') return false;
    const char which = text_[at_ + 1];
    at_ += 3;
    if (which == 'N') {
      set.ranges = {{'0', '9'}, {0xB2, 0xB3}, {0xB9, 0xB9}, {0xBC, 0xBE}, {0x660, 0x669}, {0x966, 0x96F}};
    } else if (which == 'Z') {
      set.ranges = {{' ', ' '}, {0xA0, 0xA0}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x3000, 0x3000}};
    } else if (which == 'L') {
      // Scripts; not punctuation, symbols, private use or pictographs.
      set.ranges = {{'A', 'Z'},        {'a', 'z'},       {0xAA, 0xAA},       {0xB5, 0xB5},
                    {0xBA, 0xBA},      {0xC0, 0xD6},     {0xD8, 0xF6},       {0xF8, 0x2FF},
                    {0x370, 0x1FFF},   {0x2C00, 0x2DFF}, {0x3005, 0x3006},   {0x3031, 0xD7FF},
                    {0xF900, 0xFDFF},  {0xFE70, 0xFFDC}, {0x10000, 0x1CFFF}, {0x1E000, 0x1EFFF},
                    {0x20000, 0x3FFFF}};
    } else {
      return false;
    }
    return true;
  }

  // What follows the atom written from `start` on.
  bool repetition(std::size_t start) {
    if (!more()) return true;
    const char c = text_[at_];
    if (c == '*' || c == '+' || c == '?') {
      ++at_;
      repeat(start, c == '+' ? 1 : 0, c == '?' ? std::optional<int>(1) : std::nullopt);
    } else if (c == '{') {
      ++at_;
      const auto low = number();
      if (!low) return false;
      std::optional<int> high = low;
      if (take(',')) high = number();
      if (!take('}') || (high && *high < *low)) return false;
      if (std::max(*low, high.value_or(0)) * static_cast<std::size_t>(here() - start) > kMaxSteps)
        return false;
      repeat(start, *low, high);
    } else {
      return true;
    }
    take('?');  // lazy or not is all one to a match of the whole
    return true;
  }

  std::optional<int> number() {
    std::optional<int> value;
    while (more() && text_[at_] >= '0' && text_[at_] <= '9' && value.value_or(0) < 10000) {
      value = value.value_or(0) * 10 + (text_[at_++] - '0');
    }
    return value;
  }

  // Writes the atom `low` times, then up to `high` (nothing: any number of) times more.
  void repeat(std::size_t start, int low, std::optional<int> high) {
    const Steps once = cut(start);
    for (int i = 0; i < low; ++i) paste(once, start);
    if (!high) {
      const auto split = emit(Op::kSplit, here() + 1);
      paste(once, start);
      emit(Op::kJump, split);
      out_.steps_[split].second = static_cast<std::uint32_t>(here());
      return;
    }
    std::vector<std::uint32_t> exits;
    for (int i = low; i < *high; ++i) {
      exits.push_back(emit(Op::kSplit, here() + 1));
      paste(once, start);
    }
    for (auto exit : exits) out_.steps_[exit].second = static_cast<std::uint32_t>(here());
  }

  Steps cut(std::size_t start) {
    Steps taken(out_.steps_.begin() + static_cast<std::ptrdiff_t>(start), out_.steps_.end());
    out_.steps_.resize(start);
    return taken;
  }

  // Steps that were written at `from`, again at the end: their targets move with them.
  void paste(const Steps& steps, std::size_t from) {
    const auto moved = static_cast<std::uint32_t>(here() - from);
    for (auto step : steps) {
      if (step.op == Op::kSplit || step.op == Op::kJump) step.first += moved;
      if (step.op == Op::kSplit) step.second += moved;
      out_.steps_.push_back(step);
    }
  }

  static constexpr std::uint32_t kWholeClass = 0xFFFFFFFF;
  std::string_view text_;
  std::size_t at_ = 0;
  Pattern out_;
};

std::optional<Pattern> Pattern::compile(std::string_view expression) {
  return PatternCompiler(expression).run();
}

void Pattern::follow(std::uint32_t step, bool at_begin, bool at_end, std::vector<std::uint32_t>& states,
                     std::vector<bool>& seen) const {
  std::vector<std::uint32_t> waiting{step};
  while (!waiting.empty()) {
    const auto current = waiting.back();
    waiting.pop_back();
    if (seen[current]) continue;
    seen[current] = true;
    const auto& what = steps_[current];
    switch (what.op) {
      case Op::kSplit:
        waiting.push_back(what.second);
        [[fallthrough]];
      case Op::kJump:
        waiting.push_back(what.first);
        break;
      case Op::kBegin:
        if (at_begin) waiting.push_back(current + 1);
        break;
      case Op::kEnd:
        if (at_end) waiting.push_back(current + 1);
        break;
      case Op::kSet:
      case Op::kMatch:
        states.push_back(current);
        break;
    }
  }
}

bool Pattern::matches(std::string_view text) const {
  std::vector<std::uint32_t> states, next;
  std::vector<bool> seen(steps_.size());
  follow(0, true, text.empty(), states, seen);
  for (std::size_t at = 0; at < text.size() && !states.empty();) {
    const auto character = next_character(text, at);
    std::fill(seen.begin(), seen.end(), false);
    next.clear();
    for (auto state : states) {
      const auto& step = steps_[state];
      if (step.op == Op::kSet && sets_[step.first].contains(character)) {
        follow(state + 1, false, at == text.size(), next, seen);
      }
    }
    states.swap(next);
  }
  return std::ranges::any_of(states, [this](auto state) { return steps_[state].op == Op::kMatch; });
}

bool matches_pattern(std::string_view expression, std::string_view text) {
  // A thread's own: no lock on the request's way, and the models have few expressions.
  thread_local std::unordered_map<std::string_view, std::optional<Pattern>> compiled;
  auto found = compiled.find(expression);
  if (found == compiled.end()) found = compiled.emplace(expression, Pattern::compile(expression)).first;
  return !found->second || found->second->matches(text);
}

}  // namespace sampan::aws
