#include "node/nft.h"

#include <nftables/libnftables.h>

#include "core/error.h"
#include "core/text.h"

namespace sampan::node {

Nft::Nft() : context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
  if (!context_) throw core::Error("open nftables", "libnftables gave no context");
  nft_ctx_buffer_output(context_);
  nft_ctx_buffer_error(context_);
}

Nft::~Nft() {
  nft_ctx_free(context_);
}

int Nft::run(const std::string& text, bool json, std::string& out, std::string& err) {
  std::scoped_lock lock(mutex_);
  nft_ctx_output_set_flags(context_, json ? NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE : 0);
  int result = nft_run_cmd_from_buffer(context_, text.c_str());
  out = nft_ctx_get_output_buffer(context_);
  err = nft_ctx_get_error_buffer(context_);
  return result;
}

void Nft::apply(const std::string& text) {
  std::string out, err;
  if (run(text, false, out, err) == 0) return;
  auto lines = core::split(err, '\n');
  throw core::Error("change nftables", lines.empty() ? "no reason given" : lines.front());
}

bool Nft::try_apply(const std::string& text) {
  std::string out, err;
  return run(text, false, out, err) == 0;
}

std::string Nft::list_json(const std::string& command) {
  std::string out, err;
  return run(command, true, out, err) == 0 ? out : std::string();
}

}  // namespace sampan::node
