#include "web/texts.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace shop::web {
namespace {

constexpr std::array kTexts{
    TextRow{"shop_name", "Kim Hoàn Bến Thuyền", "Bến Thuyền Jewellers"},
    TextRow{"tagline", "Trang sức chế tác thủ công, giá theo bảng vàng hôm nay",
            "Jewellery made by hand, priced by today's gold table"},
    TextRow{"skip", "Đến nội dung chính", "Skip to the content"},
    TextRow{"menu", "Danh mục", "Menu"},
    TextRow{"search", "Tìm kiếm", "Search"},
    TextRow{"search_hint", "Nhẫn cưới, ruby, 18K…", "Wedding rings, ruby, 18K…"},
    TextRow{"language_switch", "English", "Tiếng Việt"},
    TextRow{"hero_title", "Vẻ đẹp được cân bằng chỉ, giữ bằng đời", "Weighed in chỉ, kept for a lifetime"},
    TextRow{"hero_text",
            "Từng món được làm tại xưởng, cân trước mặt bạn, giá tách bạch: vàng, công, đá và thuế.",
            "Every piece is made in our workshop and weighed before you; its price shows metal, making, "
            "stones and tax."},
    TextRow{"hero_action", "Xem nhẫn cưới", "See wedding rings"},
    TextRow{"newest", "Mới nhất", "Newest"},
    TextRow{"collections", "Bộ sưu tập", "Collections"},
    TextRow{"gold_table", "Bảng giá vàng hôm nay", "Today's gold table"},
    TextRow{"purity", "Tuổi kim loại", "Purity"},
    TextRow{"sell", "Bán ra", "Selling"},
    TextRow{"buy", "Mua vào", "Buying"},
    TextRow{"per_chi", "đồng mỗi chỉ (3,75 g)", "đồng a chỉ (3.75 g)"},
    TextRow{"updated_at", "Cập nhật lúc", "Updated"},
    TextRow{"all_products", "Tất cả trang sức", "All jewellery"},
    TextRow{"results_for", "Kết quả cho", "Results for"},
    TextRow{"products_count", "sản phẩm", "products"},
    TextRow{"nothing_found", "Chưa có món nào như thế. Hãy thử bớt một điều kiện lọc.",
            "Nothing like that yet. Try one filter fewer."},
    TextRow{"filter", "Lọc", "Filter"},
    TextRow{"filter_apply", "Áp dụng", "Apply"},
    TextRow{"filter_clear", "Bỏ lọc", "Clear"},
    TextRow{"metal", "Kim loại", "Metal"},
    TextRow{"stone", "Đá", "Stone"},
    TextRow{"price_from", "Giá từ (₫)", "Price from (₫)"},
    TextRow{"price_to", "đến (₫)", "to (₫)"},
    TextRow{"any", "Tất cả", "Any"},
    TextRow{"stone_none", "Không đính đá", "Without stones"},
    TextRow{"order", "Sắp xếp", "Sort by"},
    TextRow{"order_newest", "Mới nhất", "Newest"},
    TextRow{"order_cheapest", "Giá tăng dần", "Price, low to high"},
    TextRow{"order_dearest", "Giá giảm dần", "Price, high to low"},
    TextRow{"page", "Trang", "Page"},
    TextRow{"previous", "Trang trước", "Previous"},
    TextRow{"next", "Trang sau", "Next"},
    TextRow{"from_price", "từ", "from"},
    TextRow{"home", "Trang chủ", "Home"},
    TextRow{"choose", "Chọn kiểu", "Choose"},
    TextRow{"size", "Kích cỡ", "Size"},
    TextRow{"weight", "Trọng lượng", "Weight"},
    TextRow{"price", "Giá", "Price"},
    TextRow{"price_parts", "Giá gồm những gì", "What the price is made of"},
    TextRow{"part_metal", "Tiền kim loại", "Metal"},
    TextRow{"part_making", "Tiền công", "Making charge"},
    TextRow{"part_stones", "Tiền đá", "Stones"},
    TextRow{"part_vat", "Thuế GTGT (10% công và đá)", "VAT (10% on making and stones)"},
    TextRow{"part_rounding", "Làm tròn", "Rounding"},
    TextRow{"part_total", "Tổng cộng", "Total"},
    TextRow{"stones_title", "Đá", "Stones"},
    TextRow{"pieces", "viên", "pieces"},
    TextRow{"carat", "carat", "carat"},
    TextRow{"certificate", "Giấy kiểm định", "Certificate"},
    TextRow{"colour", "Màu", "Colour"},
    TextRow{"colour_yellow", "vàng", "yellow"},
    TextRow{"colour_white", "trắng", "white"},
    TextRow{"colour_rose", "hồng", "rose"},
    TextRow{"stone_diamond", "Kim cương", "Diamond"},
    TextRow{"stone_ruby", "Ruby", "Ruby"},
    TextRow{"stone_sapphire", "Sapphire", "Sapphire"},
    TextRow{"stone_emerald", "Ngọc lục bảo", "Emerald"},
    TextRow{"stone_jade", "Ngọc cẩm thạch", "Jade"},
    TextRow{"stone_topaz", "Topaz", "Topaz"},
    TextRow{"stone_amethyst", "Thạch anh tím", "Amethyst"},
    TextRow{"stone_garnet", "Thạch lựu", "Garnet"},
    TextRow{"stone_pearl", "Ngọc trai", "Pearl"},
    TextRow{"stone_cz", "Đá CZ", "Cubic zirconia"},
    TextRow{"care", "Giữ gìn", "Care"},
    TextRow{"care_text",
            "Lau bằng vải mềm sau khi đeo, cất riêng từng món, tránh nước hoa và hồ bơi. Làm sạch miễn phí "
            "tại tiệm trọn đời.",
            "Wipe with a soft cloth, keep pieces apart, avoid perfume and pools. We clean it for you, free, "
            "for life."},
    TextRow{"ring_guide", "Cách đo cỡ nhẫn", "How to find a ring size"},
    TextRow{"ring_guide_text",
            "Quấn chỉ quanh ngón tay, đo chiều dài theo mm rồi tra bảng: cỡ là chu vi trừ 40.",
            "Wind a thread around the finger and measure it in mm: the size is the circumference less 40."},
    TextRow{"related", "Có thể bạn thích", "You may like"},
    TextRow{"not_found_title", "Không tìm thấy trang", "Page not found"},
    TextRow{"page_not_found", "Trang này không có, hoặc đã chuyển đi nơi khác.",
            "This page does not exist, or has moved."},
    TextRow{"product_not_found", "Món này không còn được bày bán.", "This piece is not on show any more."},
    TextRow{"bad_request_title", "Yêu cầu chưa đúng", "That request is not right"},
    TextRow{"bad_price", "Giá lọc phải là một số đồng.", "The price to filter by must be a number of đồng."},
    TextRow{"bad_page", "Số trang không đúng.", "That is no page number."},
    TextRow{"bad_filter", "Điều kiện lọc không có.", "There is no such filter."},
    TextRow{"error_title", "Có trục trặc", "Something went wrong"},
    TextRow{"internal_error", "Lỗi ở phía chúng tôi, xin thử lại sau ít phút. Mã yêu cầu:",
            "The fault is ours; please try again in a few minutes. Request id:"},
    TextRow{"unavailable", "Tiệm đang bận, xin thử lại sau ít phút. Mã yêu cầu:",
            "The shop is busy; please try again in a few minutes. Request id:"},
    TextRow{"footer_address", "12 Bến Thuyền, Quận 1, Thành phố Hồ Chí Minh",
            "12 Bến Thuyền, District 1, Hồ Chí Minh City"},
    TextRow{"footer_promise", "Mua lại theo bảng giá · Bảo hành trọn đời · Giao hàng có bảo hiểm",
            "Buy-back by the table · Lifetime care · Insured delivery"},
};

}  // namespace

std::span<const TextRow> texts() {
  return kTexts;
}

std::string_view text(std::string_view key, core::Language language) {
  static const auto by_key = [] {
    std::unordered_map<std::string_view, const TextRow*> map;
    for (const auto& row : kTexts) map.emplace(row.key, &row);
    return map;
  }();
  const auto found = by_key.find(key);
  if (found == by_key.end()) return key;
  return language == core::Language::kVietnamese ? found->second->vi : found->second->en;
}

}  // namespace shop::web
