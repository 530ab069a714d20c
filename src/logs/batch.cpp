#include "logs/batch.h"

#include <boost/crc.hpp>
#include <boost/endian/conversion.hpp>
#include <cstring>

namespace sampan::logs {
namespace {

constexpr std::string_view kMagic = "SMPLOG01";

std::uint32_t crc(std::string_view bytes) {
  boost::crc_32_type sum;
  sum.process_bytes(bytes.data(), bytes.size());
  return sum.checksum();
}

template <class T>
void put(std::string& out, T value) {
  boost::endian::native_to_little_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    T value{};
    auto bytes = text(sizeof value);
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
    return boost::endian::little_to_native(value);
  }
  std::string_view text(std::size_t size) {
    if (size > rest_.size()) {
      short_ = true;
      return {};
    }
    auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  bool ran_short() const { return short_; }
  bool at_end() const { return rest_.empty() && !short_; }

 private:
  std::string_view rest_;
  bool short_ = false;
};

}  // namespace

std::string encode_header(const SegmentHeader& header) {
  std::string out(kMagic);
  put(out, header.first_index);
  put(out, header.source_end);
  put(out, crc(out));
  return out;
}

std::optional<SegmentHeader> decode_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderSize || !bytes.starts_with(kMagic)) return std::nullopt;
  Reader reader(bytes.substr(kMagic.size()));
  SegmentHeader header;
  header.first_index = reader.number<std::uint64_t>();
  header.source_end = reader.number<std::uint64_t>();
  if (reader.number<std::uint32_t>() != crc(bytes.substr(0, kSegmentHeaderSize - 4))) return std::nullopt;
  return header;
}

std::string encode_batch(const std::vector<NewEvent>& events, Millis ingested, std::uint64_t source_end) {
  std::string payload;
  put(payload, source_end);
  put(payload, ingested);
  put(payload, static_cast<std::uint32_t>(events.size()));
  for (const auto& event : events) {
    put(payload, event.time);
    put(payload, static_cast<std::uint32_t>(event.message.size()));
    payload += event.message;
  }
  std::string out;
  out.reserve(payload.size() + kBatchHeaderSize);
  put(out, static_cast<std::uint32_t>(payload.size()));
  put(out, crc(payload));
  return out += payload;
}

std::optional<Batch> decode_batch(std::string_view bytes) {
  Reader head(bytes);
  const auto size = head.number<std::uint32_t>();
  const auto sum = head.number<std::uint32_t>();
  if (size > kBatchPayloadLimit) return std::nullopt;
  const auto payload = head.text(size);
  if (head.ran_short() || crc(payload) != sum) return std::nullopt;

  Reader reader(payload);
  Batch batch;
  batch.size = kBatchHeaderSize + size;
  batch.source_end = reader.number<std::uint64_t>();
  batch.ingested = reader.number<Millis>();
  const auto count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && !reader.ran_short(); ++i) {
    const auto time = reader.number<Millis>();
    const auto message = reader.text(reader.number<std::uint32_t>());
    batch.items.push_back({time, message});
  }
  if (!reader.at_end()) return std::nullopt;
  return batch;
}

}  // namespace sampan::logs
