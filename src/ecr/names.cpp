#include "ecr/names.h"

#include "aws/arn.h"
#include "core/error.h"

namespace sampan::ecr {
namespace {

constexpr std::string_view kRepository = "repository/";
constexpr std::string_view kMiddle = ".dkr.ecr.";
constexpr std::string_view kEnd = ".amazonaws.com";

bool is_account(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string RepositoryId::key() const {
  return account + '/' + region + '/' + name;
}

std::string RepositoryId::arn() const {
  return aws::make_arn("ecr", region, account, std::string(kRepository) + name);
}

image::Digest digest_of_key(std::string_view key) {
  auto digest = image::Digest::parse(key.substr(key.rfind('@') + 1));
  SAMPAN_CHECK(digest.has_value());
  return *digest;
}

std::string_view name_of_key(std::string_view key) {
  return key.substr(key.find('/', key.find('/') + 1) + 1);
}

RepositoryId repository_of_key(std::string_view key) {
  const auto region = key.find('/') + 1;
  const auto name = key.find('/', region) + 1;
  return {std::string(key.substr(0, region - 1)), std::string(key.substr(region, name - region - 1)),
          std::string(key.substr(name, key.rfind('@') - name))};
}

std::optional<RepositoryId> parse_repository_arn(std::string_view text) {
  const auto arn = aws::Arn::parse(text);
  if (!arn || arn->service != "ecr" || !arn->resource.starts_with(kRepository)) return std::nullopt;
  RepositoryId id{arn->account, arn->region, arn->resource.substr(kRepository.size())};
  if (!is_account(id.account) || id.region.empty() || !valid_repository_name(id.name)) return std::nullopt;
  return id;
}

bool valid_repository_name(std::string_view name) {
  return name.size() >= 2 && image::valid_repository(name);
}

std::optional<EcrHost> parse_ecr_host(std::string_view host) {
  host = host.substr(0, host.find(':'));
  const auto middle = host.find(kMiddle);
  if (middle == std::string_view::npos || !host.ends_with(kEnd)) return std::nullopt;
  const auto begin = middle + kMiddle.size();
  if (host.size() < begin + kEnd.size() + 1) return std::nullopt;
  EcrHost found{std::string(host.substr(0, middle)),
                std::string(host.substr(begin, host.size() - begin - kEnd.size()))};
  if (!is_account(found.account) || found.region.find('.') != std::string::npos) return std::nullopt;
  return found;
}

}  // namespace sampan::ecr
