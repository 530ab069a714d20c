#include <array>

#include "web/texts.h"

namespace shop::web {
namespace {

constexpr std::array kTexts{
    TextRow{"bad_csrf", "Trang đã để quá lâu. Xin tải lại trang rồi gửi lại.",
            "This page was open for too long. Please reload it and send it again."},
    TextRow{"forbidden_title", "Chưa gửi được", "That was not sent"},
};

}  // namespace

std::span<const TextRow> buying_texts() {
  return kTexts;
}

}  // namespace shop::web
